"""Half-open ranges of seqs [start, end) as int64 arrays (n, 2). Pure functions, called in threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import Invalid

Ranges = NDArray[np.int64]
EMPTY: Ranges = np.empty((0, 2), np.int64)
EMPTY.setflags(write=False)

# Python objects are converted in pieces of this size, so that other threads run in between.
_PIECE = 8192


def normalize(seqs: Sequence[tuple[int, int]] | Ranges) -> Ranges:
    """The same seqs as sorted, disjoint, non-empty ranges. Raises Invalid for anything that is not ranges."""
    try:
        pieces = [np.asarray(seqs[at : at + _PIECE]) for at in range(0, len(seqs), _PIECE)]
        ranges = np.concatenate(pieces) if pieces else EMPTY
    except ValueError as error:
        raise Invalid("Seq ranges must be pairs (start, end) of whole numbers.") from error
    if ranges.ndim != 2 or ranges.shape[1] != 2 or ranges.dtype.kind not in "iu":
        raise Invalid("Seq ranges must be pairs (start, end) of whole numbers.")
    ranges = ranges.astype(np.int64, copy=False)
    if (ranges[:, 0] > ranges[:, 1]).any():
        raise Invalid("A seq range must not end before it starts.")
    return union(ranges)


def union(*several: Ranges) -> Ranges:
    """All seqs of the ranges, which may overlap and be in any order, as sorted disjoint ranges."""
    ranges = np.concatenate(several)
    ranges = ranges[ranges[:, 0] < ranges[:, 1]]
    if not len(ranges):
        return EMPTY
    ranges = ranges[np.argsort(ranges[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ranges[:, 1])
    opens = np.concatenate(([True], ranges[1:, 0] > reach[:-1]))
    closes = np.concatenate((opens[1:], [True]))
    return np.column_stack((ranges[opens, 0], reach[closes]))


def from_seqs(seqs: NDArray[np.int64]) -> Ranges:
    """Exactly these ascending seqs, as ranges."""
    if not len(seqs):
        return EMPTY
    breaks = np.flatnonzero(np.diff(seqs) != 1)
    starts = seqs[np.concatenate(([0], breaks + 1))]
    ends = seqs[np.concatenate((breaks, [len(seqs) - 1]))] + 1
    return np.column_stack((starts, ends))


def above(ranges: Ranges, seq: int) -> Ranges:
    """The part of sorted ranges that lies above `seq`."""
    return union(np.maximum(ranges, seq + 1))


def rows_within(seqs: NDArray[Any], ranges: Ranges) -> NDArray[np.int64]:
    """The row numbers, ascending, at which ascending `seqs` lie within sorted disjoint ranges."""
    if not len(seqs):
        return np.empty(0, np.int64)
    first = np.searchsorted(ranges[:, 1], seqs[0], side="right")
    last = np.searchsorted(ranges[:, 0], seqs[-1], side="right")
    spans = np.searchsorted(seqs, ranges[first:last])
    lengths = spans[:, 1] - spans[:, 0]
    offsets = np.cumsum(lengths) - lengths
    return np.repeat(spans[:, 0] - offsets, lengths) + np.arange(lengths.sum())


def intersection(one: Ranges, other: Ranges) -> Ranges:
    """The seqs of both, each sorted and disjoint."""
    first = np.searchsorted(other[:, 1], one[:, 0], side="right")
    counts = np.maximum(np.searchsorted(other[:, 0], one[:, 1]) - first, 0)
    rows = np.repeat(np.arange(len(one)), counts)
    offsets = np.cumsum(counts) - counts
    others = np.repeat(first - offsets, counts) + np.arange(counts.sum())
    starts = np.maximum(one[rows, 0], other[others, 0])
    return np.column_stack((starts, np.minimum(one[rows, 1], other[others, 1])))


def difference(one: Ranges, other: Ranges) -> Ranges:
    """The seqs of `one` that `other` lacks, each sorted and disjoint."""
    bounds = np.iinfo(np.int64)
    between = np.column_stack((np.r_[bounds.min, other[:, 1]], np.r_[other[:, 0], bounds.max]))
    return intersection(one, between)


def count(ranges: Ranges) -> int:
    """How many seqs disjoint ranges hold."""
    return int((ranges[:, 1] - ranges[:, 0]).sum())


def is_within(seqs: NDArray[np.int64], ranges: Ranges) -> NDArray[np.bool_]:
    """Which of the seqs (m), in any order, lie within sorted disjoint ranges: a mask (m)."""
    if not len(ranges):
        return np.zeros(len(seqs), np.bool_)
    at = np.maximum(np.searchsorted(ranges[:, 0], seqs, side="right") - 1, 0)
    inside: NDArray[np.bool_] = (ranges[at, 0] <= seqs) & (seqs < ranges[at, 1])
    return inside


def expand(ranges: Ranges) -> NDArray[np.int64]:
    """All seqs of sorted disjoint ranges, ascending."""
    lengths = ranges[:, 1] - ranges[:, 0]
    offsets = np.cumsum(lengths) - lengths
    return np.repeat(ranges[:, 0] - offsets, lengths) + np.arange(lengths.sum())
