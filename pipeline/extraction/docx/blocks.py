"""The blocks of a Word document: paragraphs, headings, list items, tables, and what stands beside them. Pure.

Runs in the worker processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction.content import ExtractError
from pipeline.extraction.docx.document import Document
from pipeline.extraction.docx.inline import Beside, InlineReader
from pipeline.extraction.docx.styles import Style, integer, is_on, value
from pipeline.extraction.markdown_writer import MarkdownWriter
from pipeline.extraction.opc import MC, W, content_of_alternates

_MAX_DEPTH = 25  # of tables and text boxes inside one another
_MAX_JOINED = 100_000  # characters of paragraphs that tracked changes or drop caps join
_REMOVED = {
    f"{W}del",
    f"{W}moveFrom",
    f"{W}sdtPr",
    f"{W}sdtEndPr",
    f"{W}customXmlPr",
    f"{W}tblPr",
    f"{W}tblGrid",
}


class BlockReader:
    """Reads the blocks of one part (the body, a header, the notes) in order."""

    def __init__(self, document: Document, part: str, depth: int = 0) -> None:
        self._document = document
        self._part = part
        self._depth = depth
        self._inline = InlineReader(document, part)
        self._joined = ""  # the text of paragraphs that go on in the next one
        self.sections: list[Element] = []  # the properties of the sections read so far

    def read(self, nodes: Iterable[Element], writer: MarkdownWriter) -> None:
        """Write the blocks among `nodes`."""
        for node in nodes:
            self._block(node, writer)

    def _block(self, node: Element, writer: MarkdownWriter) -> None:
        tag = node.tag
        if tag == f"{W}p":
            self._paragraph(node, writer)
        elif tag == f"{W}tbl":
            self._table(node, writer)
        elif tag == f"{W}altChunk":
            self._chunk(node, writer)
        elif tag == f"{W}sectPr":
            self._end_section(node)
        elif tag == f"{MC}AlternateContent":
            self.read(content_of_alternates(node), writer)
        elif tag not in _REMOVED and len(node):
            self.read(node, writer)

    def _paragraph(self, node: Element, writer: MarkdownWriter) -> None:
        properties = node.find(f"{W}pPr")
        style_id = self._document.styles.default_paragraph
        if properties is not None:
            style_id = value(properties.find(f"{W}pStyle")) or style_id
        style = self._document.styles.get(style_id)
        beside = Beside()
        text = self._joined + self._inline.text(node, style, beside)
        self._joined = ""
        goes_on = properties is not None and (_end_is_deleted(properties) or _is_drop_cap(properties))
        if goes_on and len(text) < _MAX_JOINED:
            self._joined = text
        else:
            is_code = bool(beside.is_code) and not self._document.styles.is_typewritten
            self._write(text, style_id, style, properties, writer, is_code=is_code)
        self._beside(beside, writer)
        section = properties.find(f"{W}sectPr") if properties is not None else None
        if section is not None:
            self._end_section(section)

    def _write(
        self,
        text: str,
        style_id: str,
        style: Style,
        properties: Element | None,
        writer: MarkdownWriter,
        *,
        is_code: bool,
    ) -> None:
        if not text.strip():
            return  # Word does not count an empty paragraph that is hidden; an empty list item says nothing
        outline = integer(value(properties.find(f"{W}outlineLvl"))) if properties is not None else None
        level = style.level if outline is None else (outline + 1 if 0 <= outline <= 8 else None)
        label, depth = self._label(style_id, style, properties)
        if level:
            writer.heading(level, f"{label} {text}" if label not in (None, "-") else text)
        elif label:
            writer.item(depth, label, text)
        elif is_code:
            writer.code(text)
        else:
            writer.paragraph(text)

    def _label(self, style_id: str, style: Style, properties: Element | None) -> tuple[str | None, int]:
        """The number or bullet that a paragraph shows, and its level in the list."""
        own = properties.find(f"{W}numPr") if properties is not None else None
        list_id, level = style.list_id, style.list_level
        if own is not None:
            list_id = value(own.find(f"{W}numId")) or list_id
            own_level = integer(value(own.find(f"{W}ilvl")))
            level = own_level if own_level is not None else level
        if level is None:
            level = self._document.numbering.level_of_style(list_id, style_id) or 0
        return self._document.numbering.label(list_id, level), level

    def _table(self, node: Element, writer: MarkdownWriter) -> None:
        rows: list[list[str]] = []
        beside = MarkdownWriter()
        cells = [
            list(_unwrapped(row, f"{W}tc")) for row in _unwrapped(node, f"{W}tr") if not _is_deleted(row)
        ]
        if sum(map(len, cells)) == 1 or self._depth >= _MAX_DEPTH:  # a frame around text
            for cell in (each for row in cells for each in row):
                self._inner().read(cell, writer) if self._depth < _MAX_DEPTH else None
            return
        for row in cells:
            texts: list[str] = []
            for cell in row:
                texts += self._cell(cell, beside)
            rows.append(texts)
        writer.table(rows)
        writer.extend(beside)

    def _cell(self, cell: Element, beside: MarkdownWriter) -> list[str]:
        """A cell's text, and an empty one for each further column that it spans."""
        properties = cell.find(f"{W}tcPr")
        span, continued = 1, False
        if properties is not None:
            span = integer(value(properties.find(f"{W}gridSpan"))) or 1
            merged = properties.find(f"{W}vMerge")
            continued = merged is not None and value(merged) != "restart"
        inner = MarkdownWriter()
        if not continued:
            self._inner().read(cell, inner)
        text, rest = inner.split_notes()
        beside.extend(rest)
        return [text, *[""] * (min(max(span, 1), 100) - 1)]

    def _inner(self) -> BlockReader:
        return BlockReader(self._document, self._part, self._depth + 1)

    def _beside(self, beside: Beside, writer: MarkdownWriter) -> None:
        """Write the notes, comments, text boxes and charts of a block."""
        for box in beside.boxes:
            if self._depth < _MAX_DEPTH:
                self._inner().read(box, writer)
        for block in beside.blocks:
            writer.markdown(block)
        for mark, kind, note in beside.notes:
            writer.note(mark, self._text_of(note, f"{kind}s"))
        for comment in beside.comments:
            writer.comment(comment.get(f"{W}author", ""), self._text_of(comment, "comments"))

    def _text_of(self, node: Element, kind: str) -> str:
        if self._depth >= _MAX_DEPTH:
            return ""
        inner = MarkdownWriter()
        BlockReader(self._document, self._document.part_of(kind), self._depth + 1).read(node, inner)
        return inner.text()

    def _chunk(self, node: Element, writer: MarkdownWriter) -> None:
        """A file of another format (HTML, RTF, Word) that Word shows as a part of the text."""
        document = self._document
        relation_id = next((text for name, text in node.items() if name.endswith("}id")), "")
        relation = document.package.relations(self._part).get(relation_id)
        if relation is None or relation.external or not document.is_first("part", relation.target):
            return
        try:
            suffix = "." + relation.target.rpartition(".")[2].lower()
            writer.markdown(document.read_chunk(document.package.zip.read(relation.target), suffix))
        except ExtractError as error:
            document.warn(f"A file inside the document cannot be read: {error.message}")

    def _end_section(self, properties: Element) -> None:
        if self._depth == 0:
            self.sections.append(properties)
            for numbers in self._document.numbers.values():
                numbers.next_section()


def header_text(document: Document, part: str) -> str:
    """The text of a header or footer. Raises ExtractError."""
    writer = MarkdownWriter()
    BlockReader(document, part, 1).read(document.package.xml(part), writer)
    return writer.text()


def _unwrapped(node: Element, tag: str) -> Iterator[Element]:
    """The rows of a table, or the cells of a row, in content controls, too."""
    for child in node:
        if child.tag == tag:
            yield child
        elif child.tag not in _REMOVED and child.tag not in (f"{W}p", f"{W}tbl", f"{W}trPr", f"{W}tblPrEx"):
            yield from _unwrapped(child, tag)


def _is_deleted(row: Element) -> bool:
    properties = row.find(f"{W}trPr")
    if properties is None:
        return False
    hidden = properties.find(f"{W}hidden")
    return properties.find(f"{W}del") is not None or (hidden is not None and is_on(value(hidden)))


def _is_drop_cap(properties: Element) -> bool:
    """Whether the paragraph is the large first letter of the next one."""
    frame = properties.find(f"{W}framePr")
    return frame is not None and frame.get(f"{W}dropCap", "none") != "none"


def _end_is_deleted(properties: Element) -> bool:
    mark = properties.find(f"{W}rPr")
    return mark is not None and any(mark.find(f"{W}{name}") is not None for name in ("del", "moveFrom"))
