"""Journal articles in JATS, and texts in TEI, as Markdown. Runs in the worker processes."""

from __future__ import annotations

import re

from pipeline.extraction import html
from pipeline.extraction.articles.jats import Jats
from pipeline.extraction.articles.tei import Tei
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.html import charset
from pipeline.extraction.html.tag_rewriter import TagRewriter, attribute
from semantik.core.metadata import clean_authors, clean_tags
from semantik.query import language_code

_HEAD = 100_000  # characters in which the header of a file ends
_ROOT_LANGUAGE = re.compile(r"<(?:\w+:)?(?:article|book|TEI(?:\.2)?)\b[^>]*?\bxml:lang\s*=\s*[\"']([\w-]+)")
_ISO = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?\Z")


class JatsReader:
    """An article with its abstract, sections, tables, notes and references."""

    def read(self, data: bytes, detected: Format) -> Content:
        source = charset.decode(data)
        meta = next(
            filter(None, (_between(source[:_HEAD], name) for name in ("article-meta", "book-meta"))), ""
        )
        people = [
            " ".join(filter(None, (_first(name, "given-names"), _first(name, "surname")))) or _plain(name)
            for about, person in _elements(meta, "contrib")
            if attribute(about, "contrib-type") in ("", "author")
            for _, name in _elements(person, "name|string-name|collab")[:1]
        ]
        tags = clean_tags(_plain(text) for _, text in _elements(meta, "kwd"))
        return _content(
            Jats(), source, _first(meta, "article-title|book-title"), people, _jats_date(meta), tags
        )


class TeiReader:
    """The text with its notes in place; the header gives title, authors and date."""

    def read(self, data: bytes, detected: Format) -> Content:
        source = charset.decode(data)
        head = _between(source[:_HEAD], "teiHeader")
        about = next(iter(_elements(head, "titleStmt")), ("", ""))[1]
        people = [_plain(name) for _, name in _elements(about, "author")]
        tags = clean_tags(
            _plain(term) for _, words in _elements(head, "keywords") for _, term in _elements(words, "term")
        )
        published = next(iter(_elements(head, "publicationStmt")), ("", ""))[1]
        dates = [attribute(named, "when") or _plain(text) for named, text in _elements(published, "date")]
        return _content(
            Tei(), source, _first(about, "title"), people, next(filter(_ISO.match, dates), None), tags
        )


def _content(
    rewriter: TagRewriter, source: str, title: str, people: list[str], date: str | None, tags: tuple[str, ...]
) -> Content:
    page = html.html_to_markdown(rewriter.rewrite(source), xml=False, keep_navigation=True)
    language = _ROOT_LANGUAGE.search(source, 0, _HEAD)
    return Content(
        page.text,
        title or page.title,
        markdown=True,
        author=", ".join(dict.fromkeys(filter(None, people))) or None,
        date=date,
        authors=clean_authors(people),
        tags=tags,
        language=language_code(language[1]) if language else None,
    )


def _jats_date(meta: str) -> str | None:
    """The first date of publication."""
    for about, date in _elements(meta, "pub-date"):
        if _ISO.match(stated := attribute(about, "iso-8601-date")):
            return stated
        parts = [_first(date, name) for name in ("year", "month", "day")]
        numbers = [part.zfill(2) for part in parts if part.isdigit()]
        if len(parts[0]) == 4 and (found := "-".join(numbers)) and _ISO.match(found):
            return found
    return None


def _between(source: str, name: str) -> str:
    """What the first element of this name holds."""
    return source.partition(f"<{name}")[2].partition(f"</{name}")[0]


def _elements(source: str, names: str) -> list[tuple[str, str]]:
    """The attributes and the inner sources of the elements with one of the names; of short ones, to be quick."""
    found = re.finditer(
        rf"<(?:\w+:)?({names})(\s[^<>]{{0,1000}})?>(.{{0,5000}}?)</(?:\w+:)?\1\s*>", source, re.DOTALL
    )
    return [(each[2] or "", each[3]) for each in found]


def _first(source: str, names: str) -> str:
    return next((_plain(text) for _, text in _elements(source, names)), "")


def _plain(source: str) -> str:
    text = html.html_to_markdown(Jats().rewrite(source), xml=False, keep_navigation=True).text
    return " ".join(text.split())
