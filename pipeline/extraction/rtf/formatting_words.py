"""What the control words of RTF for characters, paragraphs and tables do to an interpreter. Pure.

Runs in the worker processes.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.extraction.rtf.interpreter import Interpreter
from pipeline.extraction.rtf.state import FONTS, STYLES
from pipeline.extraction.rtf.tables import Font, RtfStyle
from pipeline.extraction.windows_charsets import codec_of_page

_PAGES = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}
Word = Callable[[Interpreter, int | None], None]


def _font(interpreter: Interpreter, number: int | None) -> None:
    interpreter.flush()
    interpreter.state.font = number or 0
    if interpreter.state.target == FONTS:
        interpreter.tables.fonts.setdefault(number or 0, Font())


def _default_font(interpreter: Interpreter, number: int | None) -> None:
    interpreter.tables.default_font = number or 0


def _charset(interpreter: Interpreter, number: int | None) -> None:
    font = interpreter.tables.fonts.get(interpreter.state.font or 0)
    if interpreter.state.target == FONTS and font is not None:
        font.charset = number or 0


def _font_page(interpreter: Interpreter, number: int | None) -> None:
    font = interpreter.tables.fonts.get(interpreter.state.font or 0)
    if interpreter.state.target == FONTS and font is not None:
        font.code_page = number


def _page(interpreter: Interpreter, number: int | None) -> None:
    interpreter.tables.codec = codec_of_page(number or 1252) or "cp1252"


def _named_page(codec: str) -> Word:
    def set_codec(interpreter: Interpreter, number: int | None) -> None:
        interpreter.tables.codec = codec

    return set_codec


def _style(interpreter: Interpreter, number: int | None) -> None:
    interpreter.flush()
    interpreter.state.style = number or 0
    if interpreter.state.target == STYLES:
        interpreter.tables.styles.setdefault(number or 0, RtfStyle())


def _character_style(interpreter: Interpreter, number: int | None) -> None:
    """Its formatting stands beside it; only its name in the table is in the way of those of paragraphs."""
    if interpreter.state.target == STYLES:
        _style(interpreter, number)


def _outline(interpreter: Interpreter, number: int | None) -> None:
    if interpreter.state.target == STYLES:
        interpreter.tables.styles.setdefault(interpreter.state.style, RtfStyle()).outline = number
    else:
        interpreter.state.outline = number


def _default_paragraph(interpreter: Interpreter, number: int | None) -> None:
    state = interpreter.state
    state.style, state.outline, state.in_table, state.depth = 0, None, False, 0


def _in_table(interpreter: Interpreter, number: int | None) -> None:
    interpreter.state.in_table = True


def _depth(interpreter: Interpreter, number: int | None) -> None:
    interpreter.state.depth = max(0, number or 0)


def _plain(interpreter: Interpreter, number: int | None) -> None:
    interpreter.flush()
    state = interpreter.state
    state.font, state.hidden, state.deleted, state.position = None, False, False, 0


def _hidden(interpreter: Interpreter, number: int | None) -> None:
    interpreter.flush()
    interpreter.state.hidden = number != 0


def _deleted(interpreter: Interpreter, number: int | None) -> None:
    interpreter.flush()
    interpreter.state.deleted = number != 0


def _positioned(position: int) -> Word:
    def word(interpreter: Interpreter, number: int | None) -> None:
        interpreter.flush()
        interpreter.state.position = 0 if number == 0 else position

    return word


def _markup(interpreter: Interpreter, number: int | None) -> None:
    interpreter.flush()
    interpreter.state.markup = number != 0


def _unicode_skip(interpreter: Interpreter, number: int | None) -> None:
    interpreter.state.skipped_after_unicode = max(0, min(1 if number is None else number, 10))


def _paragraph(interpreter: Interpreter, number: int | None) -> None:
    interpreter.end_paragraph()


def _cell(interpreter: Interpreter, number: int | None) -> None:
    interpreter.flush()
    interpreter.sink.end_cell(interpreter.form())


def _row(interpreter: Interpreter, number: int | None) -> None:
    interpreter.flush()
    interpreter.sink.end_row()


def _inner_cell(interpreter: Interpreter, number: int | None) -> None:
    interpreter.flush()
    interpreter.sink.end_inner_cell(interpreter.form())


def _inner_row(interpreter: Interpreter, number: int | None) -> None:
    interpreter.sink.end_inner_row()


FORMATTING: dict[str, Word] = {
    "par": _paragraph, "sect": _paragraph, "pard": _default_paragraph, "plain": _plain, "f": _font,
    "deff": _default_font, "fcharset": _charset, "cpg": _font_page, "ansicpg": _page, "s": _style,
    "cs": _character_style, "ds": _character_style, "outlinelevel": _outline, "intbl": _in_table, "ilvl": _depth,
    "v": _hidden, "deleted": _deleted, "mvf": _deleted, "htmlrtf": _markup, "uc": _unicode_skip, "cell": _cell,
    "super": _positioned(1), "up": _positioned(1), "sub": _positioned(-1), "dn": _positioned(-1),
    "nosupersub": _positioned(0), "row": _row, "nestcell": _inner_cell, "nestrow": _inner_row,
    **{name: _named_page(codec) for name, codec in _PAGES.items()},
}  # fmt: skip
