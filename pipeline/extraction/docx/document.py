"""A Word document as a whole: its parts by the package's relations, and the state that reading them shares.

Runs in the worker processes.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from xml.etree.ElementTree import Element

from pipeline.extraction import bounded_xml
from pipeline.extraction.content import ExtractError
from pipeline.extraction.docx.notes import NoteNumbers, by_id
from pipeline.extraction.docx.numbering import Numbering
from pipeline.extraction.docx.styles import Styles
from pipeline.extraction.opc import Package, W

# They say nothing of the text, and are nine tenths of what there is to parse of many a document.
_TABLE_STYLE = re.compile(rb"<w:style [^>]*w:type=\"table\"[^>]*[^/]>.*?</w:style>", re.DOTALL)

ReadChunk = Callable[[bytes, str], str]
"""Markdown of a file of another format inside the document: its bytes, and the suffix of its name."""


class Document:
    """One Word document: its main part, styles, lists, notes and comments."""

    def __init__(self, package: Package, read_chunk: ReadChunk) -> None:
        """Raises ExtractError if there is no main part."""
        self.package = package
        self.main = package.main("word/document.xml")
        self.read_chunk = read_chunk
        self.warnings: list[str] = []
        self._met: set[tuple[str, ...]] = set()
        self.styles = Styles(self._optional("styles"))
        self.numbering = Numbering(self._optional("numbering"))
        self.settings = self._optional("settings")
        self._data = package.read(self.main)
        sections = self._sections()
        self.numbers = {kind: NoteNumbers(kind, self.settings, sections) for kind in ("footnote", "endnote")}

    def blocks(self) -> Iterator[Element]:
        """The children of the body, one by one."""
        return bounded_xml.blocks(self._data, f"{W}body")

    def part_of(self, kind: str) -> str:
        """The name of the part that the main part has one of at most, like "footnotes"; empty if it has none."""
        return next(iter(self.package.related(self.main, kind)), "")

    def notes(self, kind: str) -> dict[str, Element]:
        """The notes of a kind by their ids."""
        return self._footnotes if kind == "footnote" else self._endnotes

    @cached_property
    def comments(self) -> dict[str, Element]:
        return self._by_id("comments")

    @cached_property
    def _footnotes(self) -> dict[str, Element]:
        return self._by_id("footnotes")

    @cached_property
    def _endnotes(self) -> dict[str, Element]:
        return self._by_id("endnotes")

    def is_first(self, *key: str) -> bool:
        """Whether a note, comment or part is met for the first time. Each is read once, however often it is named."""
        known = key in self._met
        self._met.add(key)
        return not known

    def warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def _by_id(self, kind: str) -> dict[str, Element]:
        root = self._optional(kind)
        return {} if root is None else by_id(root)

    def _optional(self, kind: str) -> Element | None:
        """The root of a part that a document may do without."""
        part = self.part_of(kind)
        if not part:
            return None
        try:
            data = self.package.read(part)
            return bounded_xml.parse(_TABLE_STYLE.sub(b"", data) if kind == "styles" else data)
        except ExtractError as error:
            self.warn(f"The {kind} of the document cannot be read: {error.message}")
            return None

    def _sections(self) -> list[Element]:
        """The properties of all sections, in order; none where they do not say how notes are numbered."""
        if b"footnotePr" not in self._data and b"endnotePr" not in self._data:
            return []
        with contextlib.suppress(ExtractError):
            return list(bounded_xml.sections(self._data, {f"{W}sectPr"}, stop=""))
        return []
