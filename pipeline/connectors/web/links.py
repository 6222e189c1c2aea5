"""The links of a page or a sitemap, and what a page says to robots. Pure; linear in the size of what a server sends."""

from __future__ import annotations

import html
import re
import zlib
from dataclasses import dataclass
from urllib.parse import urljoin

_MAX_LINKS = 10_000
_MAX_SITEMAP_BYTES = 50 << 20
_TAG = re.compile(r"<(a|area|iframe|frame|base|meta)\s([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([A-Za-z-]{1,20})\s?=\s?("[^"]*"|'[^']*'|[^\s"'<>]+)""")
_LOCATION = re.compile(r"<loc>\s{0,100}([^<>\s]{1,4000})\s{0,100}</loc>", re.IGNORECASE)
_SITEMAP = re.compile(rb"<(?:\w{1,20}:)?(?:urlset|sitemapindex)[\s>]", re.IGNORECASE)


@dataclass(frozen=True)
class PageLinks:
    """The absolute URLs that a page leads to; `indexed`: whether it wants to be found."""

    urls: tuple[str, ...]
    indexed: bool = True


def page_links(text: str, url: str) -> PageLinks:
    """The links of an HTML page that was read from `url`."""
    text = _without(_without(text, "<!--", "-->"), "<script", "</script>")
    base, found, indexed, follow = url, [], True, True
    for tag in _TAG.finditer(text):
        name = tag[1].lower()
        attributes = {
            each[1].lower(): html.unescape(each[2].strip("\"'")) for each in _ATTRIBUTE.finditer(tag[2])
        }
        if name == "base" and "href" in attributes:
            base = joined(url, attributes["href"]) or url
        elif name == "meta" and attributes.get("name", "").lower() == "robots":
            words = robot_words(attributes.get("content", ""))
            indexed, follow = indexed and "noindex" not in words, follow and "nofollow" not in words
        elif name != "meta" and "nofollow" not in attributes.get("rel", "").lower().split():
            found.append(attributes.get("src" if name in ("iframe", "frame") else "href", ""))
    found_urls = (joined(base, each) for each in found[:_MAX_LINKS] if each)
    urls = tuple(dict.fromkeys(each for each in found_urls if each)) if follow else ()
    return PageLinks(urls, indexed)


def robot_words(text: str) -> set[str]:
    """The words of a robots meta element or an X-Robots-Tag header; none is noindex and nofollow."""
    words = {each.strip() for each in text.lower().replace(":", ",").split(",")}
    return words | {"noindex", "nofollow"} if "none" in words else words


def sitemap_links(content: bytes) -> tuple[str, ...] | None:
    """The URLs of a sitemap or of an index of sitemaps, packed or not; None when it is neither."""
    if content.startswith(b"\x1f\x8b"):
        try:
            content = zlib.decompressobj(wbits=31).decompress(content, _MAX_SITEMAP_BYTES)
        except zlib.error:
            return None
    if not _SITEMAP.search(content[:4096]):
        return None
    text = content[:_MAX_SITEMAP_BYTES].decode("utf-8", "replace")
    return tuple(dict.fromkeys(html.unescape(each[1]) for each in _LOCATION.finditer(text)))


def joined(base: str, href: str) -> str:
    """The URL that a link stands for, without its fragment; "" when it is none."""
    try:
        return urljoin(base, href.strip()).partition("#")[0]
    except ValueError:
        return ""


def _without(text: str, begin: str, end: str) -> str:
    """The text without what lies between two marks.

    Not by `str.lower`: it makes two characters of a Turkish İ, and all places behind it are others.
    """
    first, last = (re.compile(re.escape(mark), re.IGNORECASE | re.ASCII) for mark in (begin, end))
    parts, at = [], 0
    while found := first.search(text, at):
        parts.append(text[at : found.start()])
        after = last.search(text, found.end())
        if after is None:
            return "".join(parts)
        at = after.end()
    return "".join([*parts, text[at:]])
