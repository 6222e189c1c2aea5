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

    In parts of at least `rows` rows of all segments, each twice as large as the one before, until all are covered.
    """
    if not segments:
        return
    order = np.argsort(-np.concatenate([np.vecdot(each.centres, query) for each in segments]), kind="stable")
    segment = np.repeat(np.arange(len(segments)), [len(each.centres) for each in segments])[order]
    starts = np.concatenate([each.starts[:-1] for each in segments])[order]
    ends = np.concatenate([each.starts[1:] for each in segments])[order]
    reached = np.cumsum(ends - starts)
    first = 0
    while first < len(order):
        last = min(int(np.searchsorted(reached, rows)) + 1, len(order))
        part: list[list[slice]] = [[] for _ in segments]
        for at in range(first, last):
            part[segment[at]].append(slice(int(starts[at]), int(ends[at])))
        yield part
        first, rows = last, int(reached[last - 1]) + 2 * rows


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
