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
    """What is made of the source of a text: Markdown, and its title."""

    title: str | None
    text: str


@dataclass(frozen=True)
class MarkupReader:
    """Reads one markup language; `parse` makes a document of the source."""

    name: str
    version: int
    parse: Callable[[str], Document]
    libraries: tuple[str, ...] = ()

    def read(self, data: bytes, detected: Format) -> Content:
        document = self.parse(encoding.decode(data).removeprefix("\ufeff"))
        return Content(document.text, document.title, markdown=True)


MARKUP_READERS = {
    "text/troff": MarkupReader("man-page", 1, ManPage),
    "text/x-rst": MarkupReader("restructured-text", 1, RestructuredText),
    "text/org": MarkupReader("org", 1, OrgText),
    "text/x-tex": MarkupReader("latex", 1, LatexText),
    "text/x-bibtex": MarkupReader("bibtex", 1, BibTeX),
    "text/asciidoc": MarkupReader("asciidoc", 1, AsciiDoc),
}
