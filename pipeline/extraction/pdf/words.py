"""The words of a PDF page with their places, as PDFium finds them. Runs in the worker processes.

Knows nothing of lines, columns or documents.
"""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.extraction.pdf.symbols import with_signs

MAX_CHARACTERS = 400_000  # of a page; the densest printed page has some 20 000
_SAMPLE = 16  # words of a page
_MANY = 20  # a page of which this part is unreadable may be so altogether
SKEWED = -1  # the direction of text that runs at an angle

_WORD = re.compile(r"[^\s\x02\ufffe\x00]+")
RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
# Characters of scripts that are written without spaces.
SOLID = re.compile(r"[\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_FIRST_SOLID = "\u2e80"  # a comparison takes less time than the expression
_HYPHENS = "\x02\ufffe"  # PDFium's characters for a hyphen at the end of a line
_SPECIAL = re.compile(
    r"[\u0590-\u08ff\u6600\u7400\ufb00-\ufdff\ufe70-\ufefc\ud800-\uf8ff\ufffd\x01\x03-\x08\x0e-\x1f\x7f-\x9f]"
)
_COMPATIBLE = re.compile(r"[\ufb00-\ufb06\ufb1d-\ufdff\ufe70-\ufefc\U0001d400-\U0001d7ff]")
# Ligatures as Ghostscript 10.00 names them: the bytes of their letters are turned round, and those of the second and
# the third letter are added up.
_SWAPPED = {
    "\u6600\u6600": "ff", "\u6600\u6900": "fi", "\u6600\u6c00": "fl", "\u6600\ucf00": "ffi", "\u6600\ud200": "ffl",
    "\u6600\u7400": "ft", "\u7400\u7400": "tt", "\u7400\u6900": "ti",
}  # fmt: skip
_LATIN = re.compile(r"[A-Za-z]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")  # half of a character beyond the first 65,536
# What a glyph without a known character becomes: private use, replacement, control characters.
_UNREADABLE = re.compile(r"[\ue000-\uf8ff\ufffd\x01-\x08\x0e-\x1f\x7f-\x9f\U000f0000-\U0010ffff]")

_Spans = list[tuple[int, int]]
_Boxes = NDArray[np.float32]


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
    """The words in the order in which they are drawn; how many characters are readable, and how many are not.

    boxes: of each word its left, bottom, right and top.
    """

    words: list[Word]
    boxes: list[tuple[float, float, float, float]]
    readable: int
    unreadable: int


def page_words(raw: Any, text_page: Any, bounds: tuple[float, float, float, float]) -> PageWords:
    """The words inside `bounds` (left, bottom, right, top); `raw` is pypdfium2.raw."""
    count = min(raw.FPDFText_CountChars(text_page), MAX_CHARACTERS)
    if count <= 0:
        return PageWords([], [], 0, 0)
    text = with_signs(raw, text_page, _text(raw, text_page, count))
    spans, ends = _parted(raw, text_page, [found.span() for found in _WORD.finditer(text)])
    left, bottom, right, top = bounds
    plain = _SPECIAL.search(text) is None
    words: list[Word] = []
    boxes: list[tuple[float, float, float, float]] = []
    readable = unreadable = end_before = 0
    for order, ((start, end), place) in enumerate(
        zip(spans, _places(raw, text_page, spans, ends), strict=True)
    ):
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
        if spaced and words and (_touch(words[-1], word) or are_solid(words[-1], word)):
            word.spaced = not raw.FPDFText_IsGenerated(text_page, start - 1)
        words.append(word)
        boxes.append((x0, y0, x1, y1))
    if unreadable * _MANY >= readable > 0 and _is_guessed(raw, text_page, words):
        readable, unreadable = 0, readable + unreadable
    return PageWords(words, boxes, readable, unreadable)


def _touch(before: Word, word: Word) -> bool:
    """Whether there is no room for a space between two words of a line."""
    return (
        before.direction == word.direction
        and abs(before.y - word.y) < 0.5 * word.height
        and -0.3 * word.height < word.x0 - before.x1 < 0.05 * word.height
    )


def are_solid(before: Word, word: Word) -> bool:
    """Whether two words are of a script without spaces, where a gap is none."""
    return (
        before.text[-1] >= _FIRST_SOLID <= word.text[0]
        and SOLID.match(word.text) is not None
        and SOLID.match(before.text[-1]) is not None
    )


def _is_guessed(raw: Any, text_page: Any, words: list[Word]) -> bool:
    """Whether the fonts of most words do not say which characters their glyphs are: PDFium gives others then."""
    some = words[:: max(len(words) // _SAMPLE, 1)]
    guessed = [word for word in some if raw.FPDFText_HasUnicodeMapError(text_page, word.start) == 1]
    return len(guessed) * 2 > len(some)


def _cleaned(text: str) -> tuple[str, bool, int]:
    """A word without unreadable characters and ligatures, whether it runs from right to left, and how many are bad."""
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    bad = len(_UNREADABLE.findall(text))
    if bad:
        text = _UNREADABLE.sub("\ufffd", text)
    if ("\u6600" in text or "\u7400" in text) and _LATIN.search(text):
        for swapped, letters in _SWAPPED.items():
            text = text.replace(swapped, letters)
    rtl = RTL.search(text) is not None
    if _COMPATIBLE.search(text):
        text = _COMPATIBLE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return text, rtl, bad


def _text(raw: Any, text_page: Any, count: int) -> str:
    """The characters of the page, each at its index; one beyond the first 65,536 has two, for its surrogates."""
    buffer = (ctypes.c_ushort * (2 * count + 2))()
    written = raw.FPDFText_GetText(text_page, 0, count, buffer)
    text = bytes(buffer)[: max(written - 1, 0) * 2].decode("utf-16-le", "replace")
    if len(text) == count:
        return text
    codes = map(raw.FPDFText_GetUnicode, repeat(text_page), range(count))
    return "".join(chr(code) if 0 < code < 0x110000 else "\ufffd" for code in codes)


def _ends(raw: Any, text_page: Any, spans: _Spans) -> tuple[_Boxes, _Boxes]:
    """The boxes (left, top, right, bottom) of the first and the last character of each span."""
    count = len(spans)
    firsts, lasts = (raw.FS_RECTF * count)(), (raw.FS_RECTF * count)()
    box = raw.FPDFText_GetLooseCharBox
    for (start, end), first, last in zip(spans, firsts, lasts, strict=True):
        box(text_page, start, first)
        box(text_page, end - 1, last)
    return (
        np.frombuffer(firsts, np.float32).reshape(count, 4), np.frombuffer(lasts, np.float32).reshape(count, 4)
    )  # fmt: skip


def _parted(raw: Any, text_page: Any, spans: _Spans) -> tuple[_Spans, tuple[_Boxes, _Boxes]]:
    """The spans and the boxes of their ends, where letters of very different sizes are in spans of their own.

    PDFium joins the letters of a watermark to those of the word that is drawn before them.
    """
    ends = _ends(raw, text_page, spans)
    first, last = (np.abs(boxes[:, 1] - boxes[:, 3]) for boxes in ends)
    if not (_differ(first, last)).any():
        return spans, ends
    parts: _Spans = []
    for (start, end), one, other in zip(spans, first, last, strict=True):
        cuts: list[int] = []
        if _differ(one, other):
            boxes, _ = _ends(raw, text_page, [(at, at + 1) for at in range(start, end)])
            heights = np.abs(boxes[:, 1] - boxes[:, 3])
            cuts = [start + 1 + int(at) for at in np.flatnonzero(_differ(heights[:-1], heights[1:]))]
        parts += pairwise([start, *cuts, end])
    return parts, _ends(raw, text_page, parts)


def _differ(one: Any, other: Any) -> Any:
    """Whether of two heights, or which of many, one is more than twice the other."""
    return np.maximum(one, other) > 2 * np.minimum(one, other) + 0.1


def _places(raw: Any, text_page: Any, spans: _Spans, ends: tuple[_Boxes, _Boxes]) -> list[list[float]]:
    """For each span its box (left, bottom, right, top), and a, b, e and f of the matrix that it is drawn with.

    The library is called as rarely as possible: a call takes as long as several lines of Python.
    """
    first_boxes, last_boxes = ends
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
        if not 0x20 <= code < 0x110000 or 0xDC00 <= code < 0xE000:
            continue
        if 0xD800 <= code < 0xDC00:  # the other half follows, and has no place of its own
            low = raw.FPDFText_GetUnicode(text_page, index + 1)
            code = 0x10000 + ((code - 0xD800) << 10) + (low & 0x3FF)
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
