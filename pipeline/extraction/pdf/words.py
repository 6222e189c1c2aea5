"""The words of a PDF page with their places, as PDFium finds them. Runs in the worker processes.

Knows nothing of lines, columns or documents.
"""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

MAX_CHARACTERS = 400_000  # of a page; the densest printed page has some 20 000
SKEWED = -1  # the direction of text that runs at an angle

_WORD = re.compile(r"[^\s\x02\ufffe\x00]+")
_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_COMPATIBLE = re.compile(r"[\ufb00-\ufb06\ufb1d-\ufdff\ufe70-\ufefc]")
# What a glyph without a known character becomes: private use, replacement, control characters.
_UNREADABLE = re.compile(r"[\ue000-\uf8ff\ufffd\x01-\x08\x0e-\x1f\x7f-\x9f\U000f0000-\U0010ffff]")


@dataclass(slots=True)
class Word:
    """A word in the direction in which it runs: x goes along the text and y upwards, in points.

    x0, x1: its ends. y: its base line. height: of its font, about 1.2 times the font's size.
    direction: quarter turns counterclockwise, or SKEWED. spaced: whether a space or more stands before it.
    order: its place among the words of the page as they are drawn. start, end: of its characters
    in the page's text. typed: whether it is filled in.
    """

    text: str
    x0: float
    x1: float
    y: float
    height: float
    direction: int
    spaced: bool
    order: int
    start: int = 0
    end: int = 0
    typed: bool = False

    @property
    def rtl(self) -> bool:
        return _RTL.search(self.text) is not None


class Glyph(NamedTuple):
    """A character from x0 to x1 along the direction of its word."""

    text: str
    x0: float
    x1: float


@dataclass(frozen=True, slots=True)
class PageWords:
    """The words in the order in which they are drawn; how many characters are readable, and how many are not."""

    words: list[Word]
    readable: int
    unreadable: int


def page_words(raw: Any, text_page: Any, bounds: tuple[float, float, float, float]) -> PageWords:
    """The words inside `bounds` (left, bottom, right, top); `raw` is pypdfium2.raw."""
    count = min(raw.FPDFText_CountChars(text_page), MAX_CHARACTERS)
    if count <= 0:
        return PageWords([], 0, 0)
    text = _text(raw, text_page, count)
    spans = [found.span() for found in _WORD.finditer(text)]
    firsts, lasts, matrices = _geometry(raw, text_page, spans)
    left, bottom, right, top = bounds
    words: list[Word] = []
    readable = unreadable = end_before = 0
    for at, (start, end) in enumerate(spans):
        first, last, matrix = firsts[at], lasts[at], matrices[at]
        x0, x1 = min(first.left, last.left), max(first.right, last.right)
        y0, y1 = min(first.bottom, last.bottom), max(first.top, last.top)
        spaced, end_before = start > end_before, end
        if not (left <= (x0 + x1) / 2 <= right and bottom <= (y0 + y1) / 2 <= top):
            continue
        written = text[start:end]
        if _UNREADABLE.search(written):
            bad = len(_UNREADABLE.findall(written))
            unreadable += bad
            readable -= bad
            written = _UNREADABLE.sub("\ufffd", written)
        readable += end - start
        if _COMPATIBLE.search(written):
            written = _COMPATIBLE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), written)
        if end < len(text) and text[end] in "\x02\ufffe":
            written += _hyphen(raw, text_page, end)
        word = _word(written, (x0, y0, x1, y1), first, matrix, spaced, at)
        word.start, word.end = start, end
        words.append(word)
    return PageWords(words, readable, unreadable)


def _text(raw: Any, text_page: Any, count: int) -> str:
    """The characters of the page, each at its index."""
    buffer = (ctypes.c_ushort * (2 * count + 2))()
    written = raw.FPDFText_GetText(text_page, 0, count, buffer)
    text = bytes(buffer)[: max(written - 1, 0) * 2].decode("utf-16-le", "replace")
    if len(text) == count:
        return text
    codes = map(raw.FPDFText_GetUnicode, repeat(text_page), range(count))
    return "".join(
        chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd" for code in codes
    )


def _geometry(raw: Any, text_page: Any, spans: list[tuple[int, int]]) -> tuple[Any, Any, Any]:
    """The boxes of the first and last character of each span, and the matrices of the first one.

    The library is called for the ends of words only: a call takes as long as several lines of Python.
    """
    count = len(spans)
    firsts, lasts = (raw.FS_RECTF * count)(), (raw.FS_RECTF * count)()
    matrices = (raw.FS_MATRIX * count)()
    box, matrix = raw.FPDFText_GetLooseCharBox, raw.FPDFText_GetMatrix
    for at, (start, end) in enumerate(spans):
        box(text_page, start, firsts[at])
        matrix(text_page, start, matrices[at])
        if end - start > 1:
            box(text_page, end - 1, lasts[at])
        else:
            lasts[at] = firsts[at]
    return firsts, lasts, matrices


def _word(
    text: str, box: tuple[float, float, float, float], first: Any, matrix: Any, spaced: bool, order: int
) -> Word:
    """The word in the coordinates of its own direction."""
    x0, y0, x1, y1 = box
    turns = math.atan2(matrix.b, matrix.a) / (math.pi / 2)
    direction = round(turns) % 4 if abs(turns - round(turns)) < 0.12 else SKEWED
    if direction in (0, SKEWED):
        return Word(text, x0, x1, matrix.f, max(first.top - first.bottom, 1.0), direction, spaced, order)
    if direction == 1:
        return Word(text, y0, y1, -matrix.e, max(first.right - first.left, 1.0), 1, spaced, order)
    if direction == 2:
        return Word(text, -x1, -x0, -matrix.f, max(first.top - first.bottom, 1.0), 2, spaced, order)
    return Word(text, -y1, -y0, matrix.e, max(first.right - first.left, 1.0), 3, spaced, order)


def glyphs(raw: Any, text_page: Any, word: Word) -> list[Glyph]:
    """The characters of a word with the space before it, if one is written, in the order in which PDFium finds them."""
    result = []
    box = raw.FS_RECTF()
    for index in range(word.start - word.spaced, word.end):
        code = raw.FPDFText_GetUnicode(text_page, index)
        raw.FPDFText_GetLooseCharBox(text_page, index, box)
        if index < word.start and not (code in (0x20, 0xA0) and box.right - box.left > 0.3):
            continue
        if not 0x20 <= code < 0x110000 or 0xD800 <= code < 0xE000:
            continue
        text = chr(code) if code != 0xA0 else " "
        if _COMPATIBLE.match(text):
            text = unicodedata.normalize("NFKC", text)
        along = (
            (box.left, box.right), (box.bottom, box.top), (-box.right, -box.left), (-box.top, -box.bottom)
        )  # fmt: skip
        result.append(Glyph(text, *along[word.direction % 4]))
    return result


def _hyphen(raw: Any, text_page: Any, index: int) -> str:
    """The hyphen at the end of a line: PDFium replaces it, and so hides whether it is a soft one."""
    piece = raw.FPDFText_GetTextObject(text_page, index)
    if piece:
        size = raw.FPDFTextObj_GetText(piece, text_page, None, 0)
        if 2 < size < 4096:
            buffer = (ctypes.c_ushort * (size // 2))()
            raw.FPDFTextObj_GetText(piece, text_page, buffer, size)
            if 0xAD in buffer:
                return "\xad"
    return "-"
