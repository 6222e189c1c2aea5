"""FictionBook 2 e-books as Markdown. Runs in the worker processes."""

from __future__ import annotations

import re
from html import escape
from typing import ClassVar

from pipeline.extraction import html
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.html import charset
from pipeline.extraction.html.tag_rewriter import Pair, TagRewriter, attribute, table_cell
from semantik.core.metadata import clean_authors, split_tags
from semantik.query import language_code

_TITLE_INFO = re.compile(r"<(?:\w+:)?title-info\b.*?</(?:\w+:)?title-info\s*>", re.DOTALL)
_AUTHOR = re.compile(r"<(?:\w+:)?author\b.*?</(?:\w+:)?author\s*>", re.DOTALL)
_BINARY = re.compile(r"<binary\b[^>]*>[^<]*(?:</binary\s*>|\Z)")


class FictionBookReader:
    """The annotation, the bodies with their sections, and the notes."""

    def read(self, data: bytes, detected: Format) -> Content:
        source = _BINARY.sub("", charset.decode(data))
        if "<FictionBook" not in source and ":FictionBook" not in source:
            raise ExtractError("corrupt", f"The file is damaged, or not {detected.name} at all.")
        book = html.html_to_markdown(_Book().rewrite(source), xml=False, keep_navigation=True)
        found = _TITLE_INFO.search(source, 0, 20_000)
        info = found[0] if found else ""
        authors = [
            " ".join(
                filter(None, (_field(author, name) for name in ("first-name", "middle-name", "last-name")))
            )
            or _field(author, "nickname")
            for author in _AUTHOR.findall(info)
        ]
        return Content(
            book.text,
            _field(info, "book-title") or book.title,
            markdown=True,
            author=", ".join(filter(None, authors)) or None,
            date=_date(info),
            authors=clean_authors(authors),
            tags=split_tags(_field(info, "keywords")),
            language=language_code(_field(info, "lang")),
        )


class _Book(TagRewriter):
    pairs: ClassVar[dict[str, Pair]] = {
        "p": ("<p>", "</p>"),
        "annotation": ("<div>", "</div>"),
        "section": ("<div>", "</div>"),
        "body": ("<div>", "</div>"),
        "epigraph": ("<blockquote>", "</blockquote>"),
        "cite": ("<blockquote>", "</blockquote>"),
        "poem": ("<div>", "</div>"),
        "stanza": ("<p>", "</p>"),
        "v": ("", "<br>"),
        "text-author": ("<p>", "</p>"),
        "date": ("<p>", "</p>"),
        "subtitle": ("<p>", "</p>"),
        "strikethrough": ("<s>", "</s>"),
        "sup": ("<sup>", "</sup>"),
        "sub": ("<sub>", "</sub>"),
        "tr": ("<tr>", "</tr>"),
        "table": ("<table>", "</table>"),
    }
    skipped = frozenset(("binary", "stylesheet", "document-info", "publish-info", "custom-info", "src-title-info",
                         "coverpage", "genre", "author", "book-title", "lang", "src-lang", "keywords", "sequence",
                         "translator"))  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._notes = False  # whether this body holds notes
        self._after_number = False  # the text of a note stands behind its number

    def start(self, name: str, attributes: str) -> Pair:
        if name == "body":
            self._notes = attribute(attributes, "name") in ("notes", "comments", "footnotes")
        elif name == "title":
            if self._notes and self.inside("section"):
                return "<p>[", "] "
            level = min(1 + self.stack.count("section"), 6)
            return f"<h{level}>", f"</h{level}>"
        elif name == "date" and self.inside("title-info"):
            return "<!--", "-->"
        elif name == "a":
            note = attribute(attributes, "type") == "note"
            return ("<sup><a href='#note'>", "</a></sup>") if note else ("", "")
        elif name == "image":
            return f'<img alt="{escape(attribute(attributes, "alt"))}">', ""
        elif name in ("td", "th"):
            return table_cell(name, attributes)
        elif name == "p" and self.inside("title"):
            return "", "" if self._notes else " "
        elif name == "p" and self._after_number:
            self._after_number = False
            return "", "</p>"
        return super().start(name, attributes)

    def text(self, text: str) -> None:
        in_number = self._notes and self.inside("title") and self.inside("section")
        super().text(text.strip("[] \n\t") if in_number else text)

    def end(self, name: str) -> None:
        if name == "title" and self._notes and self.inside("section"):
            self._after_number = True
        elif name == "section":
            self._after_number = False


def _field(source: str, name: str) -> str:
    found = re.search(rf"<(?:\w+:)?{name}\b[^>/]*>([^<]*)<", source)
    text = html.html_to_markdown(found[1]).text if found and "&" in found[1] else found[1] if found else ""
    return " ".join(text.split())


def _date(info: str) -> str | None:
    found = re.search(r"<(?:\w+:)?date\b([^>]*)>([^<]*)<", info)
    if not found:
        return None
    dated = re.match(r"\d{4}(?:-\d\d-\d\d)?", attribute(found[1], "value") or found[2].strip())
    return dated[0] if dated else None
