"""The footnotes, endnotes and comments of a Word document: which exist, and the number that each mark shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element

from pipeline.extraction import list_numbers
from pipeline.extraction.docx.styles import integer, value
from pipeline.extraction.opc import W

_STYLES = {
    "footnote": "decimal",
    "endnote": "lowerRoman",
}  # of their numbers, unless the document has another


class NoteNumbers:
    """Numbers the notes of one kind ("footnote" or "endnote") in the order of their marks.

    The properties of sections (w:sectPr) are needed beforehand, since each stands at the end of its section.
    """

    def __init__(self, kind: str, settings: Element | None, sections: Sequence[Element]) -> None:
        self._kind = kind
        self._settings = settings
        self._sections = iter(sections)
        self._style = _STYLES[kind]
        self._count = 0
        self.next_section()

    def next(self) -> str:
        """The mark of the next note."""
        number = self._start + self._count
        self._count += 1
        return list_numbers.shown(number, self._style) or str(number)

    def next_section(self) -> None:
        """A section begins."""
        properties = next(self._sections, None)
        style = self._property(properties, "numFmt")
        self._style = style or _STYLES[self._kind]
        start = integer(self._property(properties, "numStart"))
        self._start = 1 if start is None else start
        if self._property(properties, "numRestart") == "eachSect":
            self._count = 0

    def _property(self, properties: Element | None, name: str) -> str | None:
        for node in (properties, self._settings):
            if node is not None:
                found = value(node.find(f"{W}{self._kind}Pr/{W}{name}"))
                if found is not None:
                    return found
        return None


def by_id(nodes: Iterable[Element]) -> dict[str, Element]:
    """Notes or comments by their ids, without the lines that separate notes from the text."""
    return {
        node.get(f"{W}id", ""): node
        for node in nodes
        if node.get(f"{W}type", "normal") == "normal" and node.get(f"{W}id")
    }
