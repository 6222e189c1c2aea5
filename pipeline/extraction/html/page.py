"""A whole HTML page, or the HTML body of an e-mail, as Markdown. Knows no files; runs in the worker processes.

The parser is lexbor (the package selectolax), which builds the tree of the HTML standard, as browsers do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pipeline.extraction import markdown
from pipeline.extraction.content import WORD
from pipeline.extraction.html import source
from pipeline.extraction.html.blocks import headed
from pipeline.extraction.html.render import Renderer
from pipeline.extraction.html.visibility import Visibility
from semantik.core.metadata import clean_authors, split_authors, split_tags

LIBRARIES = ("selectolax",)
_LITTLE = 200  # characters of a page: if more than that is left out, the page may have no other text
_MAX_FRAMES = 20
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?")
_DATES = (
    'meta[property="article:published_time"], meta[name="dcterms.date"], meta[name="DC.date"], meta[name="date"],'
    ' meta[name="dcterms.created"], meta[itemprop="datePublished"]'
)
_AUTHORS = 'meta[name="author" i], meta[name="dcterms.creator" i], meta[name="citation_author" i]'
_KEYWORDS = 'meta[name="keywords" i], meta[property="article:tag"]'


@dataclass(frozen=True)
class HtmlText:
    """`text` is Markdown; `date` is in ISO 8601, as the page says it."""

    text: str
    title: str | None = None
    author: str | None = None
    date: str | None = None
    warnings: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()


def html_to_markdown(
    page: str, *, xml: bool | None = None, keep_navigation: bool = False, frames: int = _MAX_FRAMES
) -> HtmlText:
    """What a person sees of a page: Markdown without the site's navigation, hidden parts, and targets of links.

    xml: whether the page is XHTML (None: it says so itself). keep_navigation: for e-mails and chapters of books, which
    belong to no site. frames: how many inner frames are read.
    """
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(source.prepared(page, xml))
    root = tree.root
    if root is None:
        return HtmlText("")
    text = _text(root, keep_navigation)
    for frame in tree.css("iframe[srcdoc]")[:frames]:
        inner = html_to_markdown(frame.attributes.get("srcdoc") or "", frames=0)
        text = f"{text}\n\n{inner.text}".strip()
    title = _title(tree) or markdown.title(text)
    authors = clean_authors(
        name for node in tree.css(_AUTHORS) for name in split_authors(node.attributes.get("content"))
    )
    return HtmlText(text, title, ", ".join(authors) or None, _date(tree), (), _tags(tree), authors)


def _text(root: Any, keep_navigation: bool) -> str:
    """The page's text; where hardly any is left without what is usually left out, that is the content."""
    seen = Visibility(navigation=keep_navigation)
    layout = headed(root)
    text = Renderer(seen, headed=layout).render(root)
    if len(text) < _LITTLE and seen.left_out > len(text):
        text = _longer(text, Renderer(Visibility(navigation=True), headed=layout).render(root))
    if WORD.search(text):
        return text
    for everything in (Visibility(navigation=True, noscript=True), Visibility(True, True, True)):
        text = Renderer(everything, headed=layout).render(root)
        if WORD.search(text):
            return text
    return text


def _longer(text: str, other: str) -> str:
    return other if len(other) > len(text) else text


def _title(tree: Any) -> str | None:
    for selector in ("head > title", 'meta[property="og:title"]'):
        for node in tree.css(selector)[:1]:
            found = node.attributes.get("content") if node.tag == "meta" else node.text()
            words = " ".join((found or "").replace("\xad", "").split())
            if WORD.search(words):
                return words
    return None


def _meta(tree: Any, selector: str) -> str | None:
    node = tree.css_first(selector)
    return " ".join(((node.attributes.get("content") or "") if node is not None else "").split()) or None


def _tags(tree: Any) -> tuple[str, ...]:
    stated = (node.attributes.get("content") or "" for node in tree.css(_KEYWORDS))
    return split_tags(", ".join(stated))


def _date(tree: Any) -> str | None:
    found = _DATE.match(_meta(tree, _DATES) or "")
    return found[0] if found else None
