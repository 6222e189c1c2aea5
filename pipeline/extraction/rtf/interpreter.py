"""Runs through the tokens of an RTF file and collects its text. Pure; runs in the worker processes.

What single control words do is in `words.py`; where the text goes, in `paragraph_sink.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pipeline.extraction import list_numbers, symbol_fonts
from pipeline.extraction.content import ExtractError
from pipeline.extraction.markdown_writer import MarkdownWriter, note_mark
from pipeline.extraction.paragraph_sink import ParagraphFormat, ParagraphSink
from pipeline.extraction.raised_text import marked, plain
from pipeline.extraction.rtf.state import FONTS, IGNORED, INFO, SKIP, STYLES, State
from pipeline.extraction.rtf.tables import Tables
from pipeline.extraction.rtf.tokens import Token, tokens
from pipeline.extraction.windows_charsets import decoded

_Key = TypeVar("_Key")
_MAX_DEPTH = 5_000  # groups inside one another
_MAX_SINKS = 20  # text boxes and notes inside one another
_MAX_FIELD = 10_000  # characters of a field's code, a title, a name


@dataclass
class Group:
    """An open group: the state around it, and what is to be done at its end."""

    outer: State
    at_end: Callable[[], None] | None = None


@dataclass
class Note:
    """A footnote or endnote that is being read; `place` is that of its mark among the pieces of its paragraph."""

    place: int | None
    endnote: bool = False
    auto: bool = False  # shows its own number again


@dataclass
class Numbers:
    """How the notes of a kind are numbered."""

    style: str
    start: int = 1
    count: int = 0

    def next(self) -> str:
        self.count += 1
        return list_numbers.shown(self.start + self.count - 1, self.style)


class Words(Protocol):
    def __call__(self, interpreter: Interpreter, name: str, number: int | None, /) -> None:
        """Do what a control word says."""


class Interpreter:
    """One RTF document. After `run`, `body` is its text, `headers` and `footers` those of its pages."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.state = State()
        self.groups: list[Group] = []
        self.sink = ParagraphSink()
        self.note: Note | None = None
        self.headers: dict[str, None] = {}
        self.footers: dict[str, None] = {}
        self.info: dict[str, str] = {}
        self.numbers = {False: Numbers("decimal"), True: Numbers("decimal")}  # of endnotes: True
        self.caught: dict[int, str] = {}  # text of targets that are no sink: CODE, MARKER, ...
        self.place_of_mark: int | None = None
        self.unicode_target: int | None = None  # where the text of a \\ud goes
        self.checked = False  # the state of the last check box
        self.starred = False  # the next word begins a group that old readers skip
        self._bytes = bytearray()
        self._sinks = 0  # that are open
        self._skip = 0  # characters that stand for one in Unicode, for readers without it
        self._units: list[int] = []  # UTF-16 code units

    def run(self, data: bytes, words: Words) -> MarkdownWriter:
        """Read everything; a file that is cut off gives what it has. Raises ExtractError."""
        for token in tokens(data):
            kind = token.kind
            if kind in ("bytes", "hex"):
                self._take_bytes(token.text)
            elif kind == "word":
                self._word(token, words)
            elif kind == "symbol":
                self._symbol(token.text)
            elif kind == "{":
                self._open()
            else:
                self._close()
        while self.groups:
            self._close()
        self.flush()
        return self.sink.close(self.form())

    def form(self) -> ParagraphFormat:
        """The format of the current paragraph."""
        state = self.state
        style = self.tables.styles.get(state.style)
        level = style.level if style is not None else None
        if state.outline is not None:
            level = state.outline + 1 if 0 <= state.outline <= 8 else None
        return ParagraphFormat(level, state.in_table, state.depth)

    def put(self, text: str) -> None:
        """Text that is not in a code page."""
        self.flush()
        self._emit(text)

    def flush(self) -> None:
        """Decode what has been collected; its font or group ends."""
        if self._units:
            units = b"".join(unit.to_bytes(2, "little") for unit in self._units)
            self._units.clear()
            self._emit(units.decode("utf-16-le", "replace"))
        if self._bytes:
            data = bytes(self._bytes)
            self._bytes.clear()
            codec = self.tables.codec_of(self.state.font)
            if self.state.target == FONTS:
                codec = self.tables.codec
            if codec == "symbol":
                name = self.tables.font_name(self.state.font)
                known = name if symbol_fonts.is_symbol_font(name) else "symbol"
                self._emit(symbol_fonts.text_in(known, data.decode("latin-1")))
            else:
                self._emit(decoded(data, codec))

    def unicode(self, number: int) -> None:
        """A \\u: one UTF-16 code unit."""
        if self._bytes:
            self.flush()
        self._units.append(number & 0xFFFF)
        self._skip = self.state.skipped_after_unicode

    def begin(self, at_end: Callable[[], None] | None = None, target: int = 0) -> None:
        """The group that has just been opened has a meaning of its own."""
        self.state.target = target
        if at_end is not None and self.groups:
            self.groups[-1].at_end = at_end

    def begin_sink(self, done: Callable[[MarkdownWriter], None]) -> None:
        """The text of the group is apart from that around it."""
        if self._sinks >= _MAX_SINKS:
            self.begin(target=SKIP)
            return
        self._sinks += 1
        outer, self.sink = self.sink, ParagraphSink()
        place, self.place_of_mark = self.place_of_mark, None
        state = self.state
        state.hidden = state.deleted = state.in_table = False
        state.style, state.outline, state.depth = 0, None, 0

        def end() -> None:
            collected = self.sink.close(self.form())
            self.sink, self.place_of_mark = outer, place
            self._sinks -= 1
            done(collected)

        self.begin(end)

    def begin_note(self) -> None:
        """A \\footnote, which is an endnote if it says so."""
        if self.note is not None:  # none has notes of its own
            self.begin(target=SKIP)
            return
        self.note = Note(self.place_of_mark)
        pieces, state = self.sink.pieces, self.state.copy()
        after = self.sink.after

        def done(text: MarkdownWriter) -> None:
            note, self.note = self.note, None
            if note is None or not state.shown:
                return
            words = text.text()
            custom = note.place is None and not note.auto and _ends_with_mark(pieces, words)
            mark = "" if custom else self.numbers[note.endnote].next()
            if note.place is not None and note.place < len(pieces):
                pieces[note.place] = note_mark(mark)
            elif mark:
                pieces.append(note_mark(mark))
            after.note(mark, words)

        self.place_of_mark = None  # it has its note now
        self.begin_sink(done)

    def _emit(self, text: str) -> None:
        target = self.state.target
        if target in IGNORED or not text:
            return
        if target:
            self._catch(target, text)
        elif self.state.shown:
            self.sink.pieces.append(marked(text, self.state.position))

    def _catch(self, target: int, text: str) -> None:
        if target == INFO:
            _append(self.info, self.state.key, text)
        elif target in (FONTS, STYLES):
            self._name(target, text)
        else:
            _append(self.caught, target, text)

    def _name(self, target: int, text: str) -> None:
        """The name of a font or style, which ends with a semicolon."""
        name = text.partition(";")[0].strip()
        font = self.tables.fonts.get(self.state.font or 0)
        style = self.tables.styles.get(self.state.style)
        if target == FONTS and font is not None and not font.name:
            font.name = name
        elif target == STYLES and style is not None and not style.name:
            style.name = name

    def _take_bytes(self, data: bytes) -> None:
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        if data and self.state.target not in IGNORED:
            if self._units:
                self.flush()
            self._bytes += data

    def _word(self, token: Token, words: Words) -> None:
        name = token.text.decode("ascii")
        if name == "u":
            self.unicode(token.number or 0)
            return
        if self._skip:  # a control word counts as one character
            self._skip -= 1
            return
        words(self, name, token.number)
        self.starred = False

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self.starred = True
        elif self._skip:
            self._skip -= 1
        elif symbol in (b"\\", b"{", b"}"):
            self._take_bytes(symbol)
        elif symbol == b"~":
            self.put("\xa0")
        elif symbol == b"_":
            self.put("-")
        elif symbol in (b"\r", b"\n"):
            self.end_paragraph()
        elif symbol == b"\t":
            self.put("\t")

    def end_paragraph(self) -> None:
        self.flush()
        if not self.state.target:
            if self.state.deleted:
                return  # its end is deleted, so the next paragraph joins it
            self.sink.end_paragraph(self.form())
            self.place_of_mark = None

    def _open(self) -> None:
        self.flush()
        self._skip = 0
        if len(self.groups) >= _MAX_DEPTH:
            raise ExtractError("too_large", "The RTF document nests its groups too deeply to be read.")
        self.groups.append(Group(self.state))
        self.state = self.state.copy()
        self.starred = False

    def _close(self) -> None:
        self.flush()
        self._skip = 0
        if not self.groups:
            return  # one brace too many
        group = self.groups.pop()
        if group.at_end is not None:
            group.at_end()
        self.state = group.outer


def _append(texts: dict[_Key, str], key: _Key, text: str) -> None:
    known = texts.get(key, "")
    if len(known) < _MAX_FIELD:
        texts[key] = (known + text)[:_MAX_FIELD]


def _ends_with_mark(pieces: list[str], note: str) -> bool:
    """Whether the text before a note ends with the mark that the note begins with, which is none of its own numbers."""
    mark = plain(note.split(maxsplit=1)[0]) if note.split() else ""
    return bool(mark) and len(mark) <= 5 and plain("".join(pieces[-3:])).rstrip().endswith(mark)
