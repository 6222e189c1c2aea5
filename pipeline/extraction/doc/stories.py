"""The stories of an old Word file (its text, notes, headers, text boxes) as blocks of Markdown. Pure.

Runs in the worker processes.
"""

from __future__ import annotations

import re

from pipeline.extraction import symbol_fonts
from pipeline.extraction.doc.marks import Marks, Span
from pipeline.extraction.doc.properties import Characters, Paragraph
from pipeline.extraction.doc.runs import Run, Runs
from pipeline.extraction.doc.tables import Fonts, Style
from pipeline.extraction.docx.fields import Fields
from pipeline.extraction.docx.numbering import Numbering
from pipeline.extraction.markdown_writer import MarkdownWriter, note_mark
from pipeline.extraction.paragraph_sink import ParagraphFormat, ParagraphSink
from pipeline.extraction.raised_text import marked
from pipeline.extraction.windows_charsets import decoded

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f(]")
_LITERAL = {"\x0b": "\n", "\x0c": "\n", "\x0e": "\n", "\x1e": "-", "\x1f": "", "\x0a": " "}
_FIELD_MARKS = ("\x13", "\x14", "\x15")
_ENDS = "\x07\x0d"
_MAX_DEPTH = 10  # stories inside one another


class StoryReader:
    """Reads stories; the numbers of lists go on from one to the next."""

    def __init__(
        self,
        runs: Runs,
        marks: Marks,
        styles: dict[int, Style],
        numbering: Numbering,
        fonts: Fonts,
        codec: str | None,
    ) -> None:
        """`codec` is that of text in bytes, if the file is older than Unicode, in fonts that have none of their own."""
        self._runs = runs
        self._marks = marks
        self._styles = styles
        self._numbering = numbering
        self._fonts = fonts
        self._codec = codec
        self._depth = 0

    def read(self, start: int, end: int) -> MarkdownWriter:
        """The blocks between two positions."""
        story = _Story(self)
        self._depth += 1
        for run in self._runs.runs(start, end):
            story.take(run)
        writer = story.close()
        self._depth -= 1
        return writer

    def text_of(self, span: Span) -> MarkdownWriter:
        """The blocks of a note, comment or text box."""
        return self.read(span.start, span.end) if self._depth < _MAX_DEPTH else MarkdownWriter()

    def decode(self, run: Run) -> str:
        font = self._fonts.names.get(run.characters.font or 0, "") if run.characters.font is not None else ""
        if run.width == 2:
            text = run.data.decode("utf-16-le", "replace")
        elif self._codec is None:
            text = decoded(run.data, "cp1252")
        elif symbol_fonts.is_symbol_font(font):
            text = run.data.decode("latin-1")
        else:
            text = decoded(run.data, self._fonts.codecs.get(run.characters.font or 0) or self._codec)
        return text

    def shown(self, text: str, found: Characters) -> str:
        """A text without control characters in the font of its run."""
        font = self._fonts.names.get(found.font, "") if found.font is not None else ""
        return symbol_fonts.text_in(font, text)

    def symbol(self, found: Characters) -> str:
        if found.symbol is None:
            return ""
        font, code = found.symbol
        return symbol_fonts.character(code, self._fonts.names.get(font, ""))

    def is_hidden(self, found: Characters, paragraph: Style) -> bool:
        if found.deleted:
            return True
        by_style = paragraph.hidden
        if found.style is not None and found.style in self._styles:
            by_style = by_style or self._styles[found.style].hidden
        if found.hidden is None or found.hidden == 128:
            return by_style
        return not by_style if found.hidden == 129 else bool(found.hidden)

    def style(self, paragraph: Paragraph) -> Style:
        return self._styles.get(paragraph.style, Style())

    def paragraph_at(self, position: int) -> Paragraph:
        return self._runs.paragraph_at(position)

    def format(self, paragraph: Paragraph) -> tuple[ParagraphFormat, str]:
        """The format of a paragraph, and the number or bullet that it shows."""
        style = self.style(paragraph)
        level = style.level
        if paragraph.outline is not None:
            level = paragraph.outline + 1 if paragraph.outline < 9 else None
        use = paragraph.list_use if paragraph.list_use is not None else style.list_use
        list_level = paragraph.list_level if paragraph.list_level is not None else style.list_level
        marker = ""
        if use and use < 0x7FF:
            marker = self._numbering.label(str(use), list_level or 0) or ""
        in_table = paragraph.in_table or paragraph.depth > 0
        return ParagraphFormat(level, in_table, list_level or 0), marker

    def beside(self, position: int, mark: str, sink: ParagraphSink) -> str:
        """What a special character stands for: the mark of a note in the text; all else goes to the sink."""
        if mark == "\x05":
            if comment := self._marks.comments.get(position):
                sink.after.comment(comment.author, self.text_of(comment).text())
        elif mark == "\x08":
            if box := self._marks.boxes.get(position):
                sink.after.extend(self.text_of(box))
        elif note := self._marks.notes.get(position):
            sink.after.note(note.mark, self.text_of(note).text())
            return note_mark(note.mark) if note.mark else ""
        return ""

    def has_note(self, position: int) -> bool:
        return position in self._marks.notes


class _Story:
    """One story while it is being read."""

    def __init__(self, reader: StoryReader) -> None:
        self._reader = reader
        self._sink = ParagraphSink()
        self._fields = Fields()
        self._pending: list[
            tuple[int, str, Characters]
        ] = []  # text of the paragraph, whose style is at its end

    def take(self, run: Run) -> None:
        """Add a run; at the mark of a paragraph all its text is put down."""
        text = self._reader.decode(run)
        begin = 0
        for found in _CONTROL.finditer(text):
            mark = found[0]
            if mark == "(" and run.characters.symbol is None:
                continue
            self._add(run, text, begin, found.start())
            begin = found.end()
            self._add(run, text, found.start(), begin)
            if mark in _ENDS:
                self._end(run.start + found.start(), mark, run.characters)
        self._add(run, text, begin, len(text))

    def close(self) -> MarkdownWriter:
        self._put_down(Style())
        return self._sink.close(ParagraphFormat())

    def _add(self, run: Run, text: str, begin: int, end: int) -> None:
        if begin < end:
            self._pending.append((run.start + begin, text[begin:end], run.characters))

    def _end(self, position: int, mark: str, found: Characters) -> None:
        paragraph = self._reader.paragraph_at(position)
        self._put_down(self._reader.style(paragraph))
        self._fields.end_of_paragraph()
        if mark == "\x07" and paragraph.row_end:
            self._sink.pieces.clear()
            self._sink.end_row()
            return
        if paragraph.inner_row_end:
            self._sink.pieces.clear()
            self._sink.end_inner_row()
            return
        if found.deleted and mark == "\x0d" and not paragraph.inner_cell_end:
            return  # its end is deleted, so the next paragraph joins it
        form, marker = ParagraphFormat(in_table=mark == "\x07" or paragraph.in_table), ""
        if any(piece.strip() for piece in self._sink.pieces):
            form, marker = self._reader.format(paragraph)
        self._sink.marker = marker
        if paragraph.inner_cell_end:
            self._sink.end_inner_cell(form)
        elif mark == "\x07":
            self._sink.end_cell(form)
        else:
            self._sink.end_paragraph(form)

    def _field(self, mark: str) -> str:
        if mark == "\x13":
            self._fields.begin()
        elif mark == "\x14":
            self._fields.separate()
        else:
            return self._fields.end()
        return ""

    def _put_down(self, style: Style) -> None:
        for position, text, found in self._pending:
            piece = self._piece(position, text, found, style)
            if piece:
                self._sink.pieces.append(marked(piece, found.position))
        self._pending.clear()

    def _piece(self, position: int, text: str, found: Characters, style: Style) -> str:
        if text in _FIELD_MARKS:
            return self._field(text)
        if not self._fields.shown:
            return self._fields.code(text)
        if self._reader.is_hidden(found, style):
            return ""
        if text in ("\x02", "\x05", "\x08"):
            return self._reader.beside(position, text, self._sink)
        if self._reader.has_note(position):  # one with a mark of its own
            return text[:1] + self._reader.beside(position, "\x02", self._sink) + text[1:]
        if found.symbol is not None:
            return self._reader.symbol(found)
        if text in _LITERAL:
            return _LITERAL[text]
        return "" if text < " " and len(text) == 1 and text != "\t" else self._reader.shown(text, found)
