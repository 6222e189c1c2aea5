"""The blocks of an OpenDocument text: headings, paragraphs, lists, tables, frames, sections. Pure.

Runs in the worker processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from pipeline.extraction.markdown_writer import MarkdownWriter
from pipeline.extraction.odf import CHART, DRAW, OFFICE, TABLE, TEXT, OpenDocument
from pipeline.extraction.odt.inline import Beside, InlineReader, comment_of
from pipeline.extraction.odt.styles import Level, Styles, label, number

_MAX_DEPTH = 25  # of tables, lists and frames inside one another
_MAX_REPEATED = 100  # copies of a row or cell that stands for several
_MAX_REPEATED_TEXT = 100  # characters of such a cell; tables inside it would multiply
_MAX_JOINED = 100_000  # characters of paragraphs that tracked changes join
_SILENT = {
    f"{OFFICE}forms", f"{OFFICE}scripts", f"{TEXT}sequence-decls",
    f"{TEXT}user-field-decls", f"{TEXT}variable-decls", f"{TEXT}soft-page-break", f"{TEXT}index-source",
    f"{TEXT}dde-connection-decls", f"{OFFICE}dde-source",
}  # fmt: skip
_ITEMS = (f"{TEXT}list-item", f"{TEXT}list-header")


@dataclass
class _List:
    """A list that is being read; its numbers go on where another list continues it."""

    style: str
    values: dict[int, int] = field(default_factory=dict)


class BlockReader:
    """Reads the blocks of a document in order."""

    def __init__(self, document: OpenDocument, styles: Styles) -> None:
        self._styles = styles
        self._inline = InlineReader(document, styles)
        self._outline: dict[int, int] = {}
        self._lists: dict[str, _List] = {}  # by xml:id and, for the last one of each, by style
        self._depth = 0
        self._joined = ""  # the text of paragraphs whose ends are deleted

    def read(self, nodes: Iterable[Element], writer: MarkdownWriter) -> None:
        """Write the blocks among `nodes`."""
        if self._depth >= _MAX_DEPTH:
            return
        self._depth += 1
        for node in nodes:
            self._block(node, writer)
        self._depth -= 1

    def _block(self, node: Element, writer: MarkdownWriter) -> None:
        tag = node.tag
        if tag == f"{TEXT}h":
            self._heading(node, writer)
        elif tag == f"{TEXT}p":
            self._paragraph(node, writer)
        elif tag == f"{TEXT}list":
            self._list(node, None, 1, writer)
        elif tag == f"{TABLE}table":
            self._table(node, writer)
        elif tag == f"{TEXT}section":
            if not _is_hidden(node):
                self.read(node, writer)
        elif tag == f"{OFFICE}annotation":
            writer.comment(*comment_of(node))
        elif tag == f"{TEXT}tracked-changes":
            self._inline.add_changes(node)
        elif tag.startswith(DRAW):
            beside = Beside()
            writer.paragraph(self._inline.drawing(node, beside))
            self._beside(beside, writer)
        elif tag not in _SILENT and len(node):
            self.read(node, writer)

    def _heading(self, node: Element, writer: MarkdownWriter, prefix: str = "") -> None:
        beside = Beside()
        text = self._inline.text(node, beside)
        level = max(1, number(node.get(f"{TEXT}outline-level")))
        if self._is_hidden_style(node) or not text.strip():
            text = ""
        elif not prefix and node.get(f"{TEXT}is-list-header") != "true":
            _count(self._outline, self._styles.outline, level, _start(node))
            prefix = label(self._styles.outline, self._outline, level)
        writer.heading(level, f"{prefix} {text}" if text and prefix not in ("", "-") else text)
        self._beside(beside, writer)

    def _paragraph(self, node: Element, writer: MarkdownWriter) -> None:
        beside = Beside()
        text, self._joined = self._joined + self._inline.text(node, beside), ""
        style = self._styles.get("paragraph", node.get(f"{TEXT}style-name"))
        if self._inline.in_deletion and len(text) < _MAX_JOINED:
            self._joined = text
        elif not style.hidden:
            if style.title:
                writer.heading(1, text)
            elif self._styles.is_code(style):
                writer.code(text)
            else:
                writer.paragraph(text)
        self._beside(beside, writer)

    def _list(self, node: Element, outer: _List | None, level: int, writer: MarkdownWriter) -> None:
        if self._depth >= _MAX_DEPTH:
            return
        self._depth += 1
        counted = self._counted(node, outer)
        for item in node:
            if item.tag not in _ITEMS:
                continue
            marker = ""
            if item.tag == f"{TEXT}list-item" and any(child.tag != f"{TEXT}list" for child in item):
                levels = self._styles.lists.get(counted.style, {})
                _count(counted.values, levels, level, _start(item))
                marker = label(levels, counted.values, level) if levels else "-"
            self._item(item, counted, marker, level, writer)
        self._depth -= 1

    def _item(self, item: Element, counted: _List, marker: str, level: int, writer: MarkdownWriter) -> None:
        """An item of a list; its first paragraph or heading has the marker."""
        for child in item:
            if child.tag == f"{TEXT}list":
                self._list(child, counted, level + 1, writer)
            elif child.tag == f"{TEXT}h":
                self._heading(child, writer, marker)
            elif child.tag == f"{TEXT}p" and marker:
                beside = Beside()
                text = self._inline.text(child, beside)
                if not self._is_hidden_style(child):
                    writer.item(level - 1, marker, text)
                self._beside(beside, writer)
            elif child.tag != f"{TEXT}number":
                self._block(child, writer)
            marker = "" if child.tag in (f"{TEXT}p", f"{TEXT}h") else marker

    def _counted(self, node: Element, outer: _List | None) -> _List:
        """The list whose numbers `node` counts on: a new one, or one that it continues."""
        style = node.get(f"{TEXT}style-name") or (outer.style if outer else "")
        if not style:
            first = node.find(f".//{TEXT}p")
            named = first.get(f"{TEXT}style-name") if first is not None else None
            style = self._styles.get("paragraph", named).list_style or ""
        continued = self._lists.get(node.get(f"{TEXT}continue-list", ""))
        if continued is None and node.get(f"{TEXT}continue-numbering") == "true":
            continued = self._lists.get(style)
        if continued is None and outer is not None:
            continued = outer
        counted = _List(style, continued.values) if continued else _List(style)
        self._lists[style] = counted
        if own_id := node.get("{http://www.w3.org/XML/1998/namespace}id"):
            self._lists[own_id] = counted
        return counted

    def _table(self, node: Element, writer: MarkdownWriter) -> None:
        beside = MarkdownWriter()
        rows = [(row, list(_cells(row))) for row in _rows(node)]
        if len(rows) == 1 and len(rows[0][1]) == 1:  # a frame around text
            self.read(rows[0][1][0], writer)
            return
        texts: list[list[str]] = []
        for row, cells in rows:
            found: list[str] = []
            for cell in cells:
                text = self._cell(cell, beside)
                found += [text] * _repeats(cell, "columns", text)
            texts += [found] * _repeats(row, "rows", "".join(found))
        writer.table(texts)
        writer.extend(beside)

    def _cell(self, cell: Element, beside: MarkdownWriter) -> str:
        inner = MarkdownWriter()
        if cell.tag == f"{TABLE}table-cell":
            self.read(cell, inner)
        text, notes = inner.split_notes()
        beside.extend(notes)
        return text

    def _beside(self, beside: Beside, writer: MarkdownWriter) -> None:
        for box in beside.boxes:
            self.read(box, writer)
        for chart in beside.charts:
            self._chart(chart, writer)
        for mark, body in beside.notes:
            inner = MarkdownWriter()
            self.read(body, inner)
            writer.note(mark, inner.text())
        for comment in beside.comments:
            writer.comment(*comment_of(comment))

    def _chart(self, chart: Element, writer: MarkdownWriter) -> None:
        for title in chart.iter():
            if title.tag in (f"{CHART}title", f"{CHART}subtitle"):
                writer.paragraph(" ".join("".join(title.itertext()).split()))
        for table in chart.iter(f"{TABLE}table"):
            self._table(table, writer)

    def _is_hidden_style(self, node: Element) -> bool:
        return self._styles.get("paragraph", node.get(f"{TEXT}style-name")).hidden


def _rows(table: Element) -> Iterator[Element]:
    for child in table:
        if child.tag == f"{TABLE}table-row":
            if child.get(f"{TABLE}visibility", "visible") == "visible":
                yield child
        elif child.tag in (
            f"{TABLE}table-header-rows", f"{TABLE}table-rows", f"{TABLE}table-row-group",
        ):  # fmt: skip
            yield from _rows(child)


def _cells(row: Element) -> Iterator[Element]:
    for cell in row:
        if cell.tag in (f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            yield cell


def _repeats(node: Element, what: str, text: str) -> int:
    """How often a row or cell with a text stands in its table."""
    count = number(node.get(f"{TABLE}number-{what}-repeated"))
    return max(1, min(count, _MAX_REPEATED)) if len(text) <= _MAX_REPEATED_TEXT else 1


def _count(values: dict[int, int], levels: dict[int, Level], level: int, start: int | None) -> None:
    """Count one more item of a level, and begin those below anew."""
    for upper in range(1, level):
        values.setdefault(upper, levels[upper].start if upper in levels else 1)
    first = levels[level].start if level in levels else 1
    values[level] = start if start is not None else values.get(level, first - 1) + 1
    for lower in [each for each in values if each > level]:
        del values[lower]


def _start(node: Element) -> int | None:
    value = node.get(f"{TEXT}start-value")
    return None if value is None else number(value)


def _is_hidden(section: Element) -> bool:
    display = section.get(f"{TEXT}display")
    return display == "none" or (display == "condition" and section.get(f"{TEXT}is-hidden") == "true")
