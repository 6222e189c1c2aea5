"""Texts in markup languages as Markdown: man pages, reStructuredText and others. Runs in the worker processes.

Nothing that a text names is included or fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pipeline.extraction import encoding
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.markup.asciidoc import AsciiDoc
from pipeline.extraction.markup.bibtex import BibTeX
from pipeline.extraction.markup.latex import LatexText
from pipeline.extraction.markup.man_page import ManPage
from pipeline.extraction.markup.org import OrgText
from pipeline.extraction.markup.restructured_text import RestructuredText


class Document(Protocol):
    """What is made of the source of a text: Markdown, and its title; some have an `author`, a `date` and `tags`."""

    title: str | None
    text: str


@dataclass(frozen=True)
class MarkupReader:
    """Reads one markup language; `parse` makes a document of the source."""

    parse: Callable[[str], Document]

    def read(self, data: bytes, detected: Format) -> Content:
        document = self.parse(encoding.decode(data).removeprefix("\ufeff"))
        author = getattr(document, "author", None)
        date, tags = getattr(document, "date", None), getattr(document, "tags", ())
        return Content(document.text, document.title, markdown=True, author=author, date=date, tags=tags)


def man_page() -> MarkupReader:
    return MarkupReader(ManPage)


def restructured_text() -> MarkupReader:
    return MarkupReader(RestructuredText)


def org() -> MarkupReader:
    return MarkupReader(OrgText)


def latex() -> MarkupReader:
    return MarkupReader(LatexText)


def bibtex() -> MarkupReader:
    return MarkupReader(BibTeX)


def asciidoc() -> MarkupReader:
    return MarkupReader(AsciiDoc)
