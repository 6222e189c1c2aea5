"""Finds the rows of tables on a PDF page whose cells have several lines. Pure; runs in the worker processes.

Such a row is drawn cell by cell. Read line by line, the sentences of its cells would be mixed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pipeline.extraction.pdf.pieces import Piece
from pipeline.extraction.pdf.words import SOLID

_MAX_LINES = 20  # of a cell: longer texts side by side are columns
_MAX_CELLS = 40
_LONG = 12  # characters: lines of a single shorter word are not those of a sentence
_NEAR = 0.4  # of a line's height, between parts of a line of one cell
_MARGIN = 0.3  # of a line's height, which its text takes above and below the base line

_Run = list[Piece]  # the lines of a paragraph of a cell


def with_rows(pieces: Sequence[Piece], rtl: bool) -> list[Piece]:
    """The pieces, with one in place of those of each such row; `rtl` is the direction of the page."""
    drawn = sorted(pieces, key=lambda piece: piece.order)
    result: list[Piece] = []
    for group in _side_by_side(_runs(drawn), {piece.order: at for at, piece in enumerate(drawn)}):
        cells = _cells(group)
        if cells is None:
            result += [piece for run in group for piece in run]
        else:
            result.append(_row(cells, rtl))
    return result


def _runs(drawn: Sequence[Piece]) -> list[_Run]:
    """Lines that are drawn one after the other and go on below one another, as a paragraph does."""
    stacks: list[_Run] = []
    for piece in drawn:
        if stacks and _is_below(piece, stacks[-1]):
            stacks[-1].append(piece)
        else:
            stacks.append([piece])
    return [run for stack in stacks for run in _paragraphs(stack)]


def _is_below(piece: Piece, stack: _Run) -> bool:
    before = stack[-1]
    if piece.cells or before.cells or abs(piece.height - before.height) > 0.15 * before.height:
        return False
    step, near = before.y - piece.y, 0.3 * piece.height
    if not 0.6 * piece.height < step < 1.9 * piece.height:
        return False
    if len(stack) > 1 and abs(stack[-2].y - before.y - step) > 0.2 * piece.height:
        return False
    shifts = (
        piece.x0 - before.x0, piece.x1 - before.x1, (piece.x0 + piece.x1 - before.x0 - before.x1) / 2
    )  # fmt: skip
    return any(abs(shift) < near for shift in shifts)


def _paragraphs(stack: _Run) -> Iterator[_Run]:
    """Parts of a stack: a line goes on in the next one if the first word of that had no room on it."""
    width = max(piece.x1 - piece.x0 for piece in stack)
    run = [stack[0]]
    for before, piece in pairwise(stack):
        word = piece.words[0]
        first = piece.height if SOLID.match(word.text) else word.x1 - word.x0
        if width - (before.x1 - before.x0) < first + 0.4 * piece.height:
            run.append(piece)
        else:
            yield run
            run = [piece]
    yield run


def _side_by_side(runs: Sequence[_Run], places: dict[int, int]) -> Iterator[list[_Run]]:
    """Groups of runs whose heights on the page overlap, each in drawn order."""
    group: list[_Run] = []
    lowest = 0.0
    for run in sorted(runs, key=lambda run: -run[0].y):
        if group and run[0].y + _MARGIN * run[0].height >= lowest:
            group.append(run)
        else:
            if group:
                yield from _contiguous(group, places)
            group, lowest = [run], run[-1].y
        lowest = min(lowest, run[-1].y - _MARGIN * run[-1].height)
    if group:
        yield from _contiguous(group, places)


def _contiguous(group: list[_Run], places: dict[int, int]) -> Iterator[list[_Run]]:
    """The group, or each of its runs alone if something else of the page is drawn between them."""
    ordered = sorted((run for run in group), key=lambda run: run[0].order)
    count = sum(map(len, ordered))
    if count == 1 + places[ordered[-1][-1].order] - places[ordered[0][0].order]:
        yield ordered
    else:
        yield from ([run] for run in ordered)


def _cells(group: Sequence[_Run]) -> list[list[_Run]] | None:
    """The cells of a row, each a list of paragraphs; None if the group is no row with cells of several lines."""
    if len(group) < 2 or max(map(len, group)) < 2 or any(run[0].cells for run in group):
        return None
    cells: list[list[_Run]] = []
    edges: list[tuple[float, float]] = []
    for run in group:
        x0, x1 = min(piece.x0 for piece in run), max(piece.x1 for piece in run)
        near = _NEAR * run[0].height
        if cells and x0 < edges[-1][1] + near and x1 > edges[-1][0] - near:
            cells[-1].append(run)
            edges[-1] = (min(x0, edges[-1][0]), max(x1, edges[-1][1]))
        else:
            cells.append([run])
            edges.append((x0, x1))
    if not 2 <= len(cells) <= _MAX_CELLS or any(sum(map(len, cell)) > _MAX_LINES for cell in cells):
        return None
    if any(left[1] > right[0] for left, right in pairwise(sorted(edges))):
        return None
    return cells if _are_wrapped(group) else None


def _are_wrapped(group: Sequence[_Run]) -> bool:
    """Whether the lines of the runs are those of sentences, not of columns that are drawn one after the other."""
    longest = max(group, key=len)
    if any(1 < len(run) < len(longest) for run in group) or not _are_level(group, longest):
        return True
    starts = [
        piece.words[0].text[0]
        for run in group
        for before, piece in pairwise(run)
        if len(before.words) > 1 or before.characters > _LONG
    ]
    letters = [start for start in starts if start.isalpha()]
    return bool(letters) and sum(not start.isupper() for start in letters) * 2 >= len(letters)


def _are_level(group: Sequence[_Run], longest: _Run) -> bool:
    near = 0.2 * longest[0].height
    heights = [piece.y for piece in longest]
    return all(any(abs(piece.y - y) < near for y in heights) for run in group for piece in run)


def _row(cells: list[list[_Run]], rtl: bool) -> Piece:
    lines = [tuple(piece for run in cell for piece in run) for cell in cells]
    pieces = [piece for cell in lines for piece in cell]
    lines.sort(key=lambda cell: min(piece.x0 for piece in cell), reverse=rtl)
    first = max(pieces, key=lambda piece: piece.y)
    x0, x1 = min(piece.x0 for piece in pieces), max(piece.x1 for piece in pieces)
    return Piece([], x0, x1, first.y, first.height, min(piece.order for piece in pieces), tuple(lines))
