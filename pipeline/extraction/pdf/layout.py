"""Puts the words of a PDF page into lines, and the lines into reading order. Pure; runs in the worker processes.

A page may have columns, which are read one after the other, and tables, which are read row by row. What tells them
apart is how the text fills its column, whether the rows are level, and the order in which it is drawn.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from pipeline.extraction.pdf import bidi
from pipeline.extraction.pdf.pieces import Piece, pieces_of
from pipeline.extraction.pdf.words import SKEWED, Word, are_solid
from pipeline.extraction.pdf.wrapped_cells import with_rows

_MAX_PIECES = 4_000  # of a page: beyond, its columns are not looked for
_MAX_DEPTH = 8
_BIN = 2.0  # points


@dataclass(slots=True)
class Line:
    """A line of text. x0, x1, y and height as of a Word; `direction`, too.

    cells: the texts of its parts, which wide gaps separate. block: equal for lines that are read together.
    first_word: the width of its first word. row: not 0, and equal for lines of one row of a table whose cells have
    several lines each.
    """

    text: str
    cells: tuple[str, ...]
    x0: float
    x1: float
    y: float
    height: float
    direction: int
    block: int
    first_word: float
    rtl: bool
    row: int = 0


def lines(words: Iterable[Word], glyphs_of: bidi.GlyphsOf) -> list[Line]:
    """The lines of a page in reading order: those of the direction with the most words first."""
    by_direction: dict[int, list[Word]] = {}
    for word in words:
        by_direction.setdefault(word.direction, []).append(word)
    result: list[Line] = []
    for direction, group in sorted(by_direction.items(), key=lambda item: -len(item[1])):
        pieces = pieces_of(group)
        if direction == SKEWED:
            rtl = False
            blocks = [_Block([piece], True) for piece in pieces]
        else:
            rtl = sum(word.rtl for word in group) * 2 > len(group)
            blocks = _blocks(pieces, rtl, 0)
        for block in blocks:
            number = result[-1].block + 1 if result else 0
            for row in _rows(block):
                if row[0].cells:
                    result += _cell_lines(row[0], number, direction, glyphs_of, rtl)
                    number = result[-1].block + 1
                elif (line := _line(row, number, direction, glyphs_of, rtl)).text:
                    result.append(line)
    return result


@dataclass(slots=True)
class _Block:
    """Pieces that are read together: row by row, or in the order in which they are drawn."""

    pieces: list[Piece]
    as_drawn: bool = False


def _blocks(pieces: list[Piece], rtl: bool, depth: int) -> list[_Block]:
    if not 4 <= len(pieces) <= _MAX_PIECES or depth >= _MAX_DEPTH:
        return [_Block(pieces)]
    pieces = with_rows(pieces, rtl)
    height = statistics.median(piece.height for piece in pieces)
    for gutter in _gutters(pieces, height):
        bands = _bands(pieces, gutter)
        verdicts = [_verdict(left, right, height) if left and right else "" for _, left, right in bands]
        if not any(verdicts):
            continue
        result: list[_Block] = []
        rest: list[Piece] = []
        for (across, left, right), verdict in zip(bands, verdicts, strict=True):
            if not verdict:
                rest += across + left + right
                continue
            if rest:
                result += _blocks(rest, rtl, depth + 1)
                rest = []
            if verdict == "drawn":
                result.append(_Block(sorted(left + right, key=lambda piece: piece.order), True))
            else:
                head, *sides, rest = _parted(*(right, left) if rtl else (left, right))
                for side in (head, *sides):
                    result += _blocks(side, rtl, depth + 1) if side else []
        return result + (_blocks(rest, rtl, depth + 1) if rest else [])
    return [_Block(pieces)]


def _gutters(pieces: Sequence[Piece], height: float) -> list[float]:
    """The middles of the vertical strips that few pieces cross, the best ones first."""
    left = min(piece.x0 for piece in pieces)
    count = int((max(piece.x1 for piece in pieces) - left) / _BIN) + 2
    if count > 5_000:
        return []
    changes = [0] * (count + 1)
    for piece in pieces:
        changes[int((piece.x0 - left) / _BIN)] += 1
        changes[int((piece.x1 - left) / _BIN) + 1] -= 1
    covered, now = [], 0
    for change in changes[:count]:
        now += change
        covered.append(now)
    most = max(2, len(pieces) // 5)
    strips, at = [], 0
    for crossed, group in groupby(covered):
        width = len(list(group))
        if crossed <= most and at > 0 and at + width < count:
            strips.append((crossed, width, left + (at + width / 2) * _BIN))
        at += width
    wide = [strip for strip in strips if strip[1] * _BIN >= 0.4 * height]
    return [middle for _, _, middle in sorted(wide, key=lambda strip: (strip[0], -strip[1]))[:6]]


def _bands(pieces: Sequence[Piece], gutter: float) -> list[tuple[list[Piece], list[Piece], list[Piece]]]:
    """From top to bottom (across, left, right): either pieces on lines that cross the gutter, or those on its sides."""
    crossing = [piece for piece in pieces if piece.x0 < gutter < piece.x1]
    bands: list[tuple[list[Piece], list[Piece], list[Piece]]] = []
    for piece in sorted(pieces, key=lambda piece: -piece.y):
        across = any(abs(each.y - piece.y) < 0.3 * piece.height for each in crossing)
        if not bands or across != bool(bands[-1][0]):
            bands.append(([], [], []))
        bands[-1][0 if across else 1 if piece.x1 <= gutter else 2].append(piece)
    return bands


def _parted(first: Sequence[Piece], second: Sequence[Piece]) -> tuple[list[Piece], ...]:
    """What stands above two columns, the columns, and what stands below them.

    A heading above or below columns may be as short as a line of one of them: it is drawn before or after both.
    """
    start, top = min(piece.order for piece in first), max(piece.y for piece in first)
    end, bottom = max(piece.order for piece in second), min(piece.y for piece in second)
    parts: tuple[list[Piece], ...] = ([], [], [], [])
    for piece in second:
        parts[0 if piece.order < start and piece.y > top else 2].append(piece)
    for piece in first:
        parts[3 if piece.order > end and piece.y < bottom else 1].append(piece)
    return parts


def _verdict(left: Sequence[Piece], right: Sequence[Piece], height: float) -> str:
    """ "columns" where the sides are read one after the other, "drawn" for the drawn order, "" for rows."""
    fewer = min(len(left), len(right))
    if fewer < 2 or any(
        sum(piece.all_words[0].typed for piece in side) * 2 > len(side) for side in (left, right)
    ):
        return ""
    on_left = {id(piece) for piece in left}
    sides = [id(piece) in on_left for piece in sorted([*left, *right], key=lambda piece: piece.order)]
    turns = sum(one != other for one, other in pairwise(sides))
    heights = sorted(piece.y for piece in left)
    level = sum(any(abs(piece.y - y) < 0.25 * height for y in heights) for piece in right)
    runs_on = fewer > 5 or (fewer > 2 and level < 0.9 * fewer) or (_runs_on(left) and _runs_on(right))
    if _is_prose(left) and _is_prose(right) and runs_on:
        if turns <= max(3, 0.3 * fewer):
            return "columns"
        if turns >= 1.7 * fewer - 1:
            return "columns" if _runs_on(left) and _runs_on(right) else ""
        return "drawn"
    if level >= 0.6 * fewer:
        return ""
    return "columns" if turns <= max(1, 0.25 * fewer) else ""


def _is_prose(pieces: Sequence[Piece]) -> bool:
    """Whether most pieces are about as wide as the widest: the lines of a column, or of several side by side."""
    width = max(piece.x1 - piece.x0 for piece in pieces)
    full = sum(piece.x1 - piece.x0 >= 0.6 * width for piece in pieces)
    return full * 2 >= len(pieces) and statistics.median(piece.characters for piece in pieces) >= 15


def _runs_on(pieces: Sequence[Piece]) -> bool:
    """Whether most lines go on in the middle of a sentence; a cell of a table rarely does."""
    starts = [piece.all_words[0].text[0] for piece in pieces]
    cased = [each for each in starts if each.islower() or each.isupper()]
    if len(cased) * 2 >= len(starts):
        return sum(each.islower() for each in cased) * 2 >= len(cased)
    width = max(piece.x1 for piece in pieces) - min(piece.x0 for piece in pieces)
    return sum(piece.x1 - piece.x0 >= 0.85 * width for piece in pieces) * 4 >= len(pieces) * 3


def _rows(block: _Block) -> list[list[Piece]]:
    """The pieces of each line, from top to bottom; the order within a line is left to `_line`."""
    if block.as_drawn:
        pieces: Iterable[Piece] = block.pieces
    else:
        pieces = sorted(block.pieces, key=lambda piece: -piece.y)
    rows: list[list[Piece]] = []
    for piece in pieces:
        if rows and _is_level(rows[-1], piece):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return rows


def _is_level(row: list[Piece], piece: Piece) -> bool:
    """Whether a piece stands on the line of a row."""
    # A line is as high as its largest letters: an exponent, which is met first, does not make it.
    level = max(row, key=lambda each: each.height)
    if level.cells or piece.cells:
        return False
    return abs(level.y - piece.y) < 0.38 * max(level.height, piece.height)


def _cell_lines(
    row: Piece, block: int, direction: int, glyphs_of: bidi.GlyphsOf, page_rtl: bool
) -> list[Line]:
    """The lines of a row, cell by cell; each cell is a block."""
    result: list[Line] = []
    for at, cell in enumerate(row.cells, block + 1):
        for pieces in _rows(_Block(list(cell))):
            line = _line(pieces, at, direction, glyphs_of, page_rtl)
            line.row = block + 1
            result.append(line)
    return result


def _line(row: list[Piece], block: int, direction: int, glyphs_of: bidi.GlyphsOf, page_rtl: bool) -> Line:
    row.sort(key=lambda piece: piece.x0)
    words = [word for piece in row for word in piece.words]
    if any(word.rtl for word in words):
        cells, rtl = bidi.cells(words, glyphs_of, page_rtl)
    else:
        cells, rtl = _cells(words), False
    height = (
        max(words, key=lambda word: len(word.text)).height
        if len(words) < 4
        else words[len(words) // 2].height
    )
    y = max(row, key=lambda piece: piece.characters).y
    x0, x1 = min(piece.x0 for piece in row), max(piece.x1 for piece in row)
    first = max(words, key=lambda word: word.x1) if rtl else words[0]
    return Line(" ".join(cells), cells, x0, x1, y, height, direction, block, first.x1 - first.x0, rtl)


def _cells(words: Sequence[Word]) -> tuple[str, ...]:
    """The texts between wide gaps; words that touch are one."""
    cells = [words[0].text]
    for before, word in pairwise(words):
        gap = word.x0 - before.x1
        if gap > 0.9 * before.height and gap > 0.9 * word.height:
            cells.append(word.text)
        elif _space_between(before, word, gap):
            cells[-1] += " " + word.text
        else:
            cells[-1] += word.text
    return tuple(cells)


def _space_between(before: Word, word: Word, gap: float) -> bool:
    if word.direction == SKEWED:
        return word.spaced
    if are_solid(before, word):
        return word.spaced
    if gap > 0.2 * word.height or (word.spaced and gap > -0.3 * word.height):
        return True
    if gap < -0.3 * word.height and (before.order + 1 != word.order or word.x1 < before.x0):
        return True  # one is drawn over the other, or before it
    return before.order > word.order + 1
