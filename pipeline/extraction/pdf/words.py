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

import numpy as np

from pipeline.extraction.pdf.symbols import with_signs

MAX_CHARACTERS = 400_000  # of a page; the densest printed page has some 20 000
_SAMPLE = 16  # words of a page
_MANY = 20  # a page of which this part is unreadable may be so altogether
SKEWED = -1  # the direction of text that runs at an angle

_WORD = re.compile(r"[^\s\x02\ufffe\x00]+")
RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_HYPHENS = "\x02\ufffe"  # PDFium's characters for a hyphen at the end of a line
_SPECIAL = re.compile(
    r"[\u0590-\u08ff\ufb00-\ufdff\ufe70-\ufefc\ue000-\uf8ff\ufffd\x01\x03-\x08\x0e-\x1f\x7f-\x9f\U000f0000-\U0010ffff]"
)
_COMPATIBLE = re.compile(r"[\ufb00-\ufb06\ufb1d-\ufdff\ufe70-\ufefc]")
# What a glyph without a known character becomes: private use, replacement, control characters.
_UNREADABLE = re.compile(r"[\ue000-\uf8ff\ufffd\x01-\x08\x0e-\x1f\x7f-\x9f\U000f0000-\U0010ffff]")


@dataclass(slots=True)
class Word:
    """A word in the direction in which it runs: x goes along the text and y upwards, in points.

    x0, x1: its ends. y: its base line. height: of its font, about 1.2 times the font's size.
    direction: quarter turns counterclockwise, or SKEWED. spaced: whether a space or more stands before it.
    order: its place among the words of the page as they are drawn. start, end: of its characters
    in the page's text. rtl: whether it has a letter of a right-to-left script. typed: whether it is filled in.
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
    rtl: bool = False
    typed: bool = False


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
    text = with_signs(raw, text_page, _text(raw, text_page, count))
    spans = [found.span() for found in _WORD.finditer(text)]
    left, bottom, right, top = bounds
    plain = _SPECIAL.search(text) is None
    words: list[Word] = []
    readable = unreadable = end_before = 0
    for order, ((start, end), place) in enumerate(zip(spans, _places(raw, text_page, spans), strict=True)):
        x0, y0, x1, y1, a, b, e, f = place
        spaced, end_before = start > end_before, end
        if not (left <= (x0 + x1) / 2 <= right and bottom <= (y0 + y1) / 2 <= top):
            continue
        written, rtl, bad = (text[start:end], False, 0) if plain else _cleaned(text[start:end])
        unreadable += bad
        readable += end - start - bad
        if end < count and text[end] in _HYPHENS:
            written += _hyphen(raw, text_page, end)
        if b == 0 and a > 0:
            word = Word(written, x0, x1, f, max(y1 - y0, 1.0), 0, spaced, order, start, end, rtl)
        else:
            turned = _turned((x0, y0, x1, y1), a, b, e, f)
            word = Word(written, *turned, spaced, order, start, end, rtl)
        words.append(word)
    if unreadable * _MANY >= readable > 0 and _is_guessed(raw, text_page, words):
        readable, unreadable = 0, readable + unreadable
    return PageWords(words, readable, unreadable)


def _is_guessed(raw: Any, text_page: Any, words: list[Word]) -> bool:
    """Whether the fonts of most words do not say which characters their glyphs are: PDFium gives others then."""
    some = words[:: max(len(words) // _SAMPLE, 1)]
    guessed = [word for word in some if raw.FPDFText_HasUnicodeMapError(text_page, word.start) == 1]
    return len(guessed) * 2 > len(some)


def _cleaned(text: str) -> tuple[str, bool, int]:
    """A word without unreadable characters and ligatures, whether it runs from right to left, and how many are bad."""
    bad = len(_UNREADABLE.findall(text))
    if bad:
        text = _UNREADABLE.sub("\ufffd", text)
    rtl = RTL.search(text) is not None
    if _COMPATIBLE.search(text):
        text = _COMPATIBLE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return text, rtl, bad


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


def _places(raw: Any, text_page: Any, spans: list[tuple[int, int]]) -> list[list[float]]:
    """For each span its box (left, bottom, right, top), and a, b, e and f of the matrix that it is drawn with.

    The library is called as rarely as possible: a call takes as long as several lines of Python.
    """
    count = len(spans)
    firsts, lasts = (raw.FS_RECTF * count)(), (raw.FS_RECTF * count)()
    box = raw.FPDFText_GetLooseCharBox
    for (start, end), first, last in zip(spans, firsts, lasts, strict=True):
        box(text_page, start, first)
        box(text_page, end - 1, last)
    # The members of a box are left, top, right and bottom.
    first_boxes = np.frombuffer(firsts, np.float32).reshape(count, 4)
    last_boxes = np.frombuffer(lasts, np.float32).reshape(count, 4)
    low, high = np.minimum(first_boxes, last_boxes), np.maximum(first_boxes, last_boxes)
    boxes: list[list[float]] = np.column_stack([low[:, 0], low[:, 3], high[:, 2], high[:, 1]]).tolist()
    edges = first_boxes[:, 1::2].tolist()
    matrix = raw.FS_MATRIX()
    drawn: tuple[float, ...] = ()
    before: list[float] = []
    for (start, _), place, edge in zip(spans, boxes, edges, strict=True):
        if edge != before or drawn[1] != 0:  # else it is on the line of the word before
            raw.FPDFText_GetMatrix(text_page, start, matrix)
            drawn = (matrix.a, matrix.b, matrix.e, matrix.f)
            before = edge
        place += drawn
    return boxes


def _turned(
    box: tuple[float, float, float, float], a: float, b: float, e: float, f: float
) -> tuple[float, float, float, float, int]:
    """x0, x1, y, height and direction of a word that does not run straight from left to right."""
    x0, y0, x1, y1 = box
    turns = math.atan2(b, a) / (math.pi / 2)
    direction = round(turns) % 4 if abs(turns - round(turns)) < 0.12 else SKEWED
    wide, high = max(x1 - x0, 1.0), max(y1 - y0, 1.0)
    return {
        1: (y0, y1, -e, wide, 1),
        2: (-x1, -x0, -f, high, 2),
        3: (-y1, -y0, e, wide, 3),
    }.get(direction, (x0, x1, f, high, direction))


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
