"""Collects the paragraphs of RTF and old Word files, whose tables are paragraphs with marks at the ends of cells. Pure.

Knows no format; runs in the worker processes.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.extraction.markdown_writer import MarkdownWriter
from pipeline.extraction.raised_text import resolved


@dataclass
class ParagraphFormat:
    """What a paragraph is when it ends. `marker` is the number or bullet that it shows."""

    level: int | None = None
    in_table: bool = False
    depth: int = 0


class ParagraphSink:
    """The body, a note, a header or a text box; `pieces` are those of the current paragraph."""

    def __init__(self) -> None:
        self.writer = MarkdownWriter()
        self.pieces: list[str] = []
        self.marker = ""
        self.after: MarkdownWriter = MarkdownWriter()  # notes and text boxes of the current paragraph
        self._cell: MarkdownWriter | None = None
        self._row: list[str] = []
        self._rows: list[list[str]] = []
        self._inner_row: list[str] = []
        self._inner_rows: list[list[str]] = []
        self._beside = MarkdownWriter()  # notes of the current table

    def end_paragraph(self, form: ParagraphFormat) -> None:
        """The paragraph ends; outside of a table, so does the table before it."""
        if form.in_table:
            self._write(self._open_cell(), form)
        elif self._has_text():
            self._end_table()
            self._write(self.writer, form)
        else:
            self.pieces.clear()
            self.marker = ""

    def end_cell(self, form: ParagraphFormat) -> None:
        self._write(self._open_cell(), form)
        self._end_inner_table()
        self._row.append(self._take_cell())

    def end_row(self) -> None:
        if self._row:
            self._rows.append(self._row)
        self._row = []

    def end_inner_cell(self, form: ParagraphFormat) -> None:
        """A cell of a table inside a cell; deeper ones count as its neighbours."""
        outer, self._cell = self._cell, None
        self._write(self._open_cell(), form)
        self._inner_row.append(self._take_cell())
        self._cell = outer

    def end_inner_row(self) -> None:
        if self._inner_row:
            self._inner_rows.append(self._inner_row)
        self._inner_row = []

    def close(self, form: ParagraphFormat) -> MarkdownWriter:
        """Everything collected, whatever was left open."""
        if self._cell is not None or self._row:
            self.end_cell(form)
            self.end_row()
        self._end_table()
        self._write(self.writer, form)
        return self.writer

    def _has_text(self) -> bool:
        return bool(self.after) or any(piece and not piece.isspace() for piece in self.pieces)

    def _write(self, writer: MarkdownWriter, form: ParagraphFormat) -> None:
        text = resolved("".join(self.pieces))
        self.pieces.clear()
        marker, self.marker = self.marker, ""
        if text.strip():
            if form.level:
                writer.heading(form.level, f"{marker} {text}" if marker not in ("", "-") else text)
            elif marker:
                writer.item(form.depth, marker, text)
            else:
                writer.paragraph(text)
        writer.extend(self.after)
        self.after = MarkdownWriter()

    def _open_cell(self) -> MarkdownWriter:
        if self._cell is None:
            self._cell = MarkdownWriter()
        return self._cell

    def _take_cell(self) -> str:
        text, notes = self._open_cell().split_notes()
        self._beside.extend(notes)
        self._cell = None
        return text

    def _end_inner_table(self) -> None:
        self.end_inner_row()
        if self._inner_rows:
            self._open_cell().table(self._inner_rows)
            self._inner_rows = []

    def _end_table(self) -> None:
        self.end_row()
        if self._rows:
            self.writer.table(self._rows)
            self._rows = []
        self.writer.extend(self._beside)
        self._beside = MarkdownWriter()
