"""What is filled in, typed and noted on a PDF page. Runs in the worker processes.

Form values and typed text become words at their places; notes are given apart, with their authors.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.extraction.pdf.words import RTL, Word

MAX_ANNOTATIONS = 5_000  # of a page
_MAX_VALUE = 100_000  # characters
_HIDDEN = 2 | 32  # flags: hidden, no view
_PASSWORD = 1 << 13  # flag of a text field
_TAG = re.compile(r"<[^>]{0,500}>")


@dataclass(frozen=True)
class Note:
    """A comment; `quotes` where it may only repeat the text that it marks."""

    text: str
    author: str
    quotes: bool


@dataclass(frozen=True)
class _Typed:
    """Text at a place, for which the page may show a label."""

    text: str
    box: tuple[float, float, float, float]
    label: str


class Annotations:
    """The annotations of a page, read once; `form` is the handle of the document's form, or None."""

    def __init__(self, raw: Any, page: Any, form: Any) -> None:
        self._raw = raw
        self._form = form
        self.notes: list[Note] = []
        self.attachments: list[int] = []  # indexes of annotations that hold a file
        self._typed: list[_Typed] = []
        count = min(raw.FPDFPage_GetAnnotCount(page), MAX_ANNOTATIONS)
        if count and form is not None:
            raw.FORM_OnAfterLoadPage(page, form)  # without it, no box is checked
        for at in range(count):
            annotation = raw.FPDFPage_GetAnnot(page, at)
            if annotation:
                try:
                    self._read(annotation, at)
                finally:
                    raw.FPDFPage_CloseAnnot(annotation)
        if count and form is not None:
            raw.FORM_OnBeforeClosePage(page, form)

    def words(self, words: Sequence[Word]) -> list[Word]:
        """Form values and typed text as words, with the names of fields that have no label among `words`."""
        result: list[Word] = []
        for typed in self._typed:
            x0, y0, x1, y1 = typed.box
            rows = [row for row in typed.text.replace("\r", "\n").split("\n") if row.strip()]
            label = typed.label if typed.label and not _labelled(typed.box, words) else ""
            level = _level(typed.box, words)
            for at, row in enumerate(rows):
                height = min((y1 - y0) / max(len(rows), 1), 14.0) or 10.0
                y = level if level is not None and len(rows) == 1 else y1 - height * (at + 0.8)
                text = f"{label}: {row.strip()}" if label and at == 0 else row.strip()
                result.append(_typed_word(text, x0, x1, y, height, 1_000_000 + len(result)))
        return result

    def _read(self, annotation: Any, at: int) -> None:
        raw = self._raw
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
            return
        if kind == raw.FPDF_ANNOT_WIDGET:
            self._read_field(annotation)
            return
        if kind in (raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_LINK):
            return
        if kind == raw.FPDF_ANNOT_FILEATTACHMENT:
            self.attachments.append(at)
        text = self._string(annotation, b"Contents") or _TAG.sub(" ", self._string(annotation, b"RC")).strip()
        if not text:
            return
        author = " ".join(self._string(annotation, b"T").split())[:200]
        if kind == raw.FPDF_ANNOT_FREETEXT:
            typewriter = "typewriter" in self._string(annotation, b"IT").lower()
            signed = f"{text} (note by {author})" if author and not typewriter else text
            self._typed.append(_Typed(signed, self._box(annotation), ""))
        else:
            marks = (
                raw.FPDF_ANNOT_HIGHLIGHT,
                raw.FPDF_ANNOT_UNDERLINE,
                raw.FPDF_ANNOT_SQUIGGLY,
                raw.FPDF_ANNOT_STRIKEOUT,
            )
            self.notes.append(Note(text, author, kind in marks))

    def _read_field(self, annotation: Any) -> None:
        raw, form = self._raw, self._form
        if form is None:
            return
        kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
        flags = raw.FPDFAnnot_GetFormFieldFlags(form, annotation)
        if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
            if not raw.FPDFAnnot_IsChecked(form, annotation):
                return
            value = self._call(raw.FPDFAnnot_GetFormFieldExportValue, form, annotation)
        elif kind in (raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
            if kind == raw.FPDF_FORMFIELD_TEXTFIELD and flags & _PASSWORD:
                return
            value = self._options(annotation) or self._call(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
        else:
            return
        if not value.strip():
            return
        name = self._call(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation)
        name = name or self._call(raw.FPDFAnnot_GetFormFieldName, form, annotation).rpartition(".")[2]
        self._typed.append(_Typed(value, self._box(annotation), " ".join(name.split())[:200]))

    def _options(self, annotation: Any) -> str:
        """The labels of the options that are chosen; the value of a field may be a code for one."""
        raw, form = self._raw, self._form
        chosen = []
        for at in range(min(raw.FPDFAnnot_GetOptionCount(form, annotation), 2_000)):
            if raw.FPDFAnnot_IsOptionSelected(form, annotation, at):
                chosen.append(self._call(raw.FPDFAnnot_GetOptionLabel, form, annotation, at))
        return ", ".join(each for each in chosen if each)

    def _string(self, annotation: Any, key: bytes) -> str:
        return self._call(self._raw.FPDFAnnot_GetStringValue, annotation, key)

    def _call(self, function: Callable[..., int], *arguments: Any) -> str:
        return utf16(function, *arguments)

    def _box(self, annotation: Any) -> tuple[float, float, float, float]:
        box = self._raw.FS_RECTF()
        self._raw.FPDFAnnot_GetRect(annotation, box)
        return (
            min(box.left, box.right),
            min(box.bottom, box.top),
            max(box.left, box.right),
            max(box.bottom, box.top),
        )


def utf16(function: Callable[..., int], *arguments: Any) -> str:
    """The string that a function of PDFium writes into its last two arguments, a buffer and its size in bytes."""
    size = function(*arguments, None, 0)
    if not 2 < size <= 2 * _MAX_VALUE:
        return ""
    buffer = (ctypes.c_ushort * (size // 2))()
    function(*arguments, buffer, size)
    return bytes(buffer)[:-2].decode("utf-16-le", "replace").strip("\x00").strip()


def _near(box: tuple[float, float, float, float], words: Sequence[Word]) -> Iterator[Word]:
    """The words that stand on the line of a box."""
    _, y0, _, y1 = box
    for word in words:
        if (
            word.direction == 0
            and y0 - 0.3 * word.height <= word.y + 0.3 * word.height <= y1 + 0.1 * word.height
        ):
            yield word


def _level(box: tuple[float, float, float, float], words: Sequence[Word]) -> float | None:
    """The base line of the text beside a box of one line."""
    x0, y0, x1, y1 = box
    if y1 - y0 > 40:
        return None
    beside = sorted(_near(box, words), key=lambda word: min(abs(word.x1 - x0), abs(word.x0 - x1)))
    return beside[0].y if beside else None


def _labelled(box: tuple[float, float, float, float], words: Sequence[Word]) -> bool:
    """Whether the page has text on the line of a field, or closely above it."""
    x0, _, x1, y1 = box
    if next(_near(box, words), None) is not None:
        return True
    return any(
        word.direction == 0 and 0 <= word.y - y1 < 1.2 * word.height and word.x0 < x1 and word.x1 > x0
        for word in words
    )


def _typed_word(text: str, x0: float, x1: float, y: float, height: float, order: int) -> Word:
    rtl = RTL.search(text) is not None
    return Word(text, x0, max(x1, x0 + 1), y, height, 0, True, order, rtl=rtl, typed=True)
