"""What the control words of RTF do: notes, fields, shapes and other groups with a meaning of their own. Pure.

Runs in the worker processes.
"""

from __future__ import annotations

from pipeline.extraction.docx.fields import shown_by_code
from pipeline.extraction.markdown_writer import MarkdownWriter
from pipeline.extraction.rtf.formatting_words import FORMATTING, Word
from pipeline.extraction.rtf.interpreter import Interpreter
from pipeline.extraction.rtf.state import (
    AUTHOR,
    CODE,
    FONTS,
    INFO,
    MARKER,
    NAME,
    SHAPE,
    SKIP,
    STYLES,
    VALUE,
)  # fmt: skip

_CHARACTERS = {
    "tab": "\t", "line": "\n", "page": "\n", "column": "\n", "emdash": "—", "endash": "–", "lquote": "‘",
    "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•", "enspace": " ", "emspace": " ",
    "qmspace": " ", "lbr": "\n",
}  # fmt: skip
_SKIPPED = {
    "colortbl", "nonshppict", "shprslt", "xe", "tc", "tcn", "rxe", "filetbl", "revtbl", "objdata", "nonesttables",
    "atnid", "atnref", "atndate", "atntime", "atnicn", "atnparent", "template", "falt", "panose", "mmathPict",
    "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn", "listtable", "listoverridetable", "themedata",
    "pnseclvl", "bkmkstart", "bkmkend", "datafield", "generator", "latentstyles", "datastore", "objclass", "objname",
}  # fmt: skip
_TRANSPARENT = {
    "shppict",
    "nesttableprops",
    "moMath",
    "moMathPara",
    "oMath",
    "shp",
    "shpgrp",
    "flddirty",
    "fldedit",
}
_SHAPES = {"pict", "shpinst", "do", "picprop", "info", "formfield", "mnaryPr", "mmathPr"}
_NOTE_STYLES = {
    "nar": "decimal", "nalc": "lowerLetter", "nauc": "upperLetter", "nrlc": "lowerRoman", "nruc": "upperRoman",
    "nchi": "chicago",
}  # fmt: skip
_MATH = {"msup": "^", "msub": "_", "mrad": "√"}


def do(interpreter: Interpreter, name: str, number: int | None) -> None:
    """Do what a control word says."""
    state = interpreter.state
    starred, interpreter.starred = interpreter.starred, False
    if state.target == SKIP:
        if name == "ud" and interpreter.unicode_target is not None:
            interpreter.begin(target=interpreter.unicode_target)
    elif name in _CHARACTERS:
        interpreter.put(_CHARACTERS[name])
    elif word := _WORDS.get(name):
        word(interpreter, number)
    elif name in _SHAPES:
        interpreter.begin(target=SHAPE)
    elif (
        name in _SKIPPED
        or (starred and name not in _TRANSPARENT)
        or (name.startswith("m") and name.endswith("Pr"))
    ):
        interpreter.begin(target=SKIP)
    elif name in _MATH:
        interpreter.put(_MATH[name])
    elif name.startswith(("ftnn", "aftnn")):
        _note_style(interpreter, name)


def _note_style(interpreter: Interpreter, name: str) -> None:
    endnote = name.startswith("a")
    style = _NOTE_STYLES.get(name.removeprefix("a").removeprefix("ftn"))
    if style:
        interpreter.numbers[endnote].style = style


def _mark(interpreter: Interpreter, number: int | None) -> None:
    """The automatic number of a note: at its place in the text, or once more in front of the note."""
    interpreter.flush()
    if interpreter.note is not None:
        interpreter.note.auto = True
    elif interpreter.state.shown:
        interpreter.place_of_mark = len(interpreter.sink.pieces)
        interpreter.sink.pieces.append("")


def _note(interpreter: Interpreter, number: int | None) -> None:
    interpreter.begin_note()


def _endnote(interpreter: Interpreter, number: int | None) -> None:
    if interpreter.note is not None:
        interpreter.note.endnote = True


def _note_start(endnote: bool) -> Word:
    def set_start(interpreter: Interpreter, number: int | None) -> None:
        interpreter.numbers[endnote].start = 1 if number is None else number

    return set_start


def _header(interpreter: Interpreter, number: int | None) -> None:
    interpreter.begin_sink(lambda text: interpreter.headers.setdefault(text.text()))


def _footer(interpreter: Interpreter, number: int | None) -> None:
    interpreter.begin_sink(lambda text: interpreter.footers.setdefault(text.text()))


def _annotation(interpreter: Interpreter, number: int | None) -> None:
    after, shown = interpreter.sink.after, interpreter.state.shown
    author = interpreter.caught.pop(AUTHOR, "")

    def done(text: MarkdownWriter) -> None:
        if shown:
            after.comment(author, text.text())

    interpreter.begin_sink(done)


def _text_box(interpreter: Interpreter, number: int | None) -> None:
    after, state = interpreter.sink.after, interpreter.state

    def done(text: MarkdownWriter) -> None:
        if not (state.hidden or state.deleted):
            after.extend(text)

    interpreter.begin_sink(done)


def _caught(target: int) -> Word:
    def begin(interpreter: Interpreter, number: int | None) -> None:
        interpreter.caught.pop(target, None)
        interpreter.begin(target=target)

    return begin


def _target(target: int) -> Word:
    return lambda interpreter, number: interpreter.begin(target=target)


def _info(key: str) -> Word:
    def begin(interpreter: Interpreter, number: int | None) -> None:
        if interpreter.state.target == SHAPE:  # in \info; elsewhere these words mean something else
            interpreter.begin(target=INFO)
            interpreter.state.key = key

    return begin


def _date(key: str) -> Word:
    def set_key(interpreter: Interpreter, number: int | None) -> None:
        interpreter.state.key = key

    return set_key


def _date_part(part: str) -> Word:
    def set_part(interpreter: Interpreter, number: int | None) -> None:
        if interpreter.state.key in ("creatim", "revtim"):
            interpreter.info[f"{interpreter.state.key} {part}"] = str(number or 0)

    return set_part


def _marker(interpreter: Interpreter, number: int | None) -> None:
    shown = interpreter.state.shown
    interpreter.caught.pop(MARKER, None)

    def end() -> None:
        marker = " ".join(interpreter.caught.pop(MARKER, "").split())
        if shown and marker:
            interpreter.sink.marker = marker if any(map(str.isalnum, marker)) else "-"

    interpreter.begin(end, MARKER)


def _field(interpreter: Interpreter, number: int | None) -> None:
    outer = interpreter.state.copy()
    sink, before = interpreter.sink, len(interpreter.sink.pieces)

    def end() -> None:
        code = interpreter.caught.pop(CODE, "")
        has_result = interpreter.sink is not sink or any(piece.strip() for piece in sink.pieces[before:])
        if code and outer.shown and not has_result:
            box = {True: "☒", False: "☐"}[interpreter.checked] if "FORMCHECKBOX" in code else ""
            interpreter.sink.pieces.append(box or shown_by_code(code))

    interpreter.caught.pop(CODE, None)
    interpreter.begin(end, interpreter.state.target)


def _check(interpreter: Interpreter, number: int | None) -> None:
    if number in (0, 1):
        interpreter.checked = number == 1


def _property(interpreter: Interpreter, number: int | None) -> None:
    """A property of a shape; those that are read say what it shows."""

    def end() -> None:
        name, text = interpreter.caught.pop(NAME, "").strip(), interpreter.caught.pop(VALUE, "").strip()
        state = interpreter.state
        if not text or state.hidden or state.deleted:
            return
        if name == "wzDescription":
            interpreter.sink.pieces.append(f" [Picture: {' '.join(text.split())}] ")
        elif name == "gtextUNICODE":
            interpreter.sink.pieces.append(f" {text} ")

    interpreter.begin(end, SHAPE)


def _both_encodings(interpreter: Interpreter, number: int | None) -> None:
    interpreter.unicode_target = interpreter.state.target
    interpreter.begin(target=SKIP)


def _brackets(interpreter: Interpreter, number: int | None) -> None:
    interpreter.put("(")
    interpreter.begin(lambda: interpreter.sink.pieces.append(")"), interpreter.state.target)


def _denominator(interpreter: Interpreter, number: int | None) -> None:
    interpreter.put("/")
    _brackets(interpreter, number)


def _sign(interpreter: Interpreter, number: int | None) -> None:
    interpreter.begin(target=0)


_WORDS: dict[str, Word] = {
    **FORMATTING,
    "chftn": _mark, "footnote": _note, "ftnalt": _endnote, "ftnstart": _note_start(False),
    "aftnstart": _note_start(True), "header": _header, "headerl": _header, "headerr": _header, "headerf": _header,
    "footer": _footer, "footerl": _footer, "footerr": _footer, "footerf": _footer, "annotation": _annotation,
    "atnauthor": _caught(AUTHOR), "shptxt": _text_box, "dptxbxtext": _text_box, "fonttbl": _target(FONTS),
    "stylesheet": _target(STYLES), "title": _info("title"), "author": _info("author"), "creatim": _date("creatim"),
    "keywords": _info("keywords"),
    "revtim": _date("revtim"), "yr": _date_part("yr"), "mo": _date_part("mo"), "dy": _date_part("dy"),
    "hr": _date_part("hr"), "min": _date_part("min"), "listtext": _marker, "pntext": _marker, "field": _field,
    "fldinst": _target(CODE), "ffres": _check, "ffdefres": _check, "sp": _property,
    "sn": _target(NAME), "sv": _target(VALUE), "upr": _both_encodings, "mnum": _brackets, "mden": _denominator,
    "md": _brackets, "mchr": _sign,
}  # fmt: skip
