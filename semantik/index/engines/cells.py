"""Cells: the rows of a large segment grouped by the nearest of some centres, so that a search compares few of them.

The centres are those of k-means on a sample. Written in the pool, read in threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_ROWS = 1 << 14  # a scan of fewer codes takes as long as the choice of cells and theirs
_ROWS_PER_CELL = 512
_SAMPLED_PER_CELL = 48
_ROUNDS = 6
_SEED = 20_261_130
_COPY_ROWS = 4096


@dataclass(frozen=True)
class Cells:
    """`centres` (c, dimension); cell i has the rows `order[starts[i]:starts[i + 1]]`, ascending."""

    centres: NDArray[np.float32]
    order: NDArray[np.uint32]
    starts: NDArray[np.int64]


def nearest(segments: Sequence[Cells], query: NDArray[np.float32], rows: int) -> Iterator[list[list[slice]]]:
    """Where in the `order` of each segment the rows of the cells nearest to the query stand, nearest first.

    In parts of at least `rows` rows of all segments, each twice as large as the one before, until all are covered. A
    segment's share grows with the square root of its rows: the cells of a small one are wide, so that their centres
    are farther from the query than those of a large one, and still hold what is near.
    """
    if not segments:
        return
    ranked = [_Ranked(each, query) for each in segments]
    shares = np.sqrt([each.order.size for each in segments])
    shares /= shares.sum()
    reached = 0
    while any(each.left for each in ranked):
        part = [each.take(rows * share) for each, share in zip(ranked, shares, strict=True)]
        yield part
        reached += sum(place.stop - place.start for places in part for place in places)
        rows = 2 * reached


class _Ranked:
    """The cells of one segment, those nearest to a query first, of which some were taken."""

    def __init__(self, cells: Cells, query: NDArray[np.float32]) -> None:
        order = np.argsort(-np.vecdot(cells.centres, query), kind="stable")
        self._starts, self._ends = cells.starts[order], cells.starts[order + 1]
        self._reached = np.cumsum(self._ends - self._starts)
        self._taken = 0

    @property
    def left(self) -> bool:
        return self._taken < len(self._starts)

    def take(self, rows: float) -> list[slice]:
        """The places of the next cells with at least so many rows."""
        taken = self._taken
        before = int(self._reached[taken - 1]) if taken else 0
        last = min(int(np.searchsorted(self._reached, before + rows)) + 1, len(self._starts))
        self._taken = last
        return list(map(slice, self._starts[taken:last].tolist(), self._ends[taken:last].tolist()))


def count_for(rows: int) -> int:
    """The number of cells for so many rows; 0 where a scan of all codes is as fast."""
    return 0 if rows < MIN_ROWS else rows // _ROWS_PER_CELL


def build(vectors: NDArray[np.float16]) -> Cells:
    """The cells of the unit vectors (n, dimension), n at least MIN_ROWS. Deterministic."""
    rng = np.random.default_rng(_SEED)
    count = count_for(len(vectors))
    sampled = np.sort(rng.choice(len(vectors), min(len(vectors), count * _SAMPLED_PER_CELL), replace=False))
    sample = vectors[sampled].astype(np.float32)
    centres = sample[rng.choice(len(sample), count, replace=False)]
    for _ in range(_ROUNDS):
        centres = _means(sample, _assign(sample, centres), centres)
    cell_of_row = _assign(vectors, centres)
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(cell_of_row, minlength=count), out=starts[1:])
    return Cells(centres, np.argsort(cell_of_row, kind="stable").astype(np.uint32), starts)


def _assign(vectors: NDArray[np.floating], centres: NDArray[np.float32]) -> NDArray[np.int32]:
    """The nearest centre of each vector (n)."""
    nearest = np.empty(len(vectors), np.int32)
    for at in range(0, len(vectors), _COPY_ROWS):
        block = vectors[at : at + _COPY_ROWS].astype(np.float32)
        nearest[at : at + _COPY_ROWS] = (block @ centres.T).argmax(axis=1)
    return nearest


def _means(
    vectors: NDArray[np.float32], cell_of_row: NDArray[np.int32], centres: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The unit mean of each cell's vectors; a cell without any keeps its centre."""
    filled, first = np.unique(np.sort(cell_of_row), return_index=True)
    sums = np.add.reduceat(vectors[np.argsort(cell_of_row, kind="stable")], first, axis=0)
    moved = centres.copy()
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    moved[filled] = np.where(lengths > 0, sums / np.maximum(lengths, np.float32(1e-12)), centres[filled])
    return moved
