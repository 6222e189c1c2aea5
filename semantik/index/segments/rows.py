"""Vectors in rows, and their exact scoring: pure NumPy, for search threads and the pool's children."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantik.index.segments.ranges import Ranges, rows_within

# Elements converted at a time: 3.2 MB of float32 stay near the processor.
_BLOCK = 800_000
# A float16's bits, moved into a float32, mean a number 2**112 times too small; the query makes up for it.
UNSCALE = np.float32(2.0**112)
# Vectors made in half precision are up to 0.4 % off length 1: what scores this close to the k-th is scored again.
_MARGIN = 1e-2


@dataclass(frozen=True)
class Scored:
    """A chunk's seq and the cosine, in [-1, 1], of its vector to the question's."""

    seq: int
    score: float


@dataclass(frozen=True)
class FoundRows:
    """Candidates of one part of an index: cosines (float64) and seqs (int64), in no order."""

    scores: NDArray[np.float64]
    seqs: NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Ascending seqs (n), their vectors (n, dimension) in float16, and which of them are not deleted (n)."""

    seqs: NDArray[np.int64]
    vectors: NDArray[np.float16]
    live: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.seqs)

    @property
    def alive(self) -> int:
        return int(np.count_nonzero(self.live))

    def usable(self, allowed: Ranges | None) -> NDArray[np.bool_]:
        """Which rows (n) are live and, unless it is None, within the sorted ranges `allowed`. Not to be changed."""
        if allowed is None:
            return self.live
        within = rows_within(self.seqs, allowed)
        usable = np.zeros(len(self), np.bool_)
        usable[within] = self.live[within]
        return usable

    def bury(self, ranges: Ranges) -> None:
        """Mark what lies within the sorted ranges as deleted."""
        self.live[rows_within(self.seqs, ranges)] = False


class MemTable:
    """The newest rows, in memory. One thread appends; each `rows` is a stable view for any thread."""

    def __init__(self, dimension: int) -> None:
        self._arrays = Rows(
            np.empty(0, np.int64), np.empty((0, dimension), np.float16), np.empty(0, np.bool_)
        )
        self.rows = self._arrays

    def append(self, added: Rows) -> None:
        held, total = len(self.rows), len(self.rows) + len(added)
        if total > len(self._arrays):
            room = max(total, 2 * held, 256)
            grown = Rows(
                np.empty(room, np.int64),
                np.empty((room, added.vectors.shape[1]), np.float16),
                np.empty(room, np.bool_),
            )
            _copy(self.rows, grown, 0)
            self._arrays = grown
        _copy(added, self._arrays, held)
        full = self._arrays
        self.rows = Rows(full.seqs[:total], full.vectors[:total], full.live[:total])


def _copy(source: Rows, target: Rows, at: int) -> None:
    end = at + len(source)
    target.seqs[at:end] = source.seqs
    target.vectors[at:end] = source.vectors
    target.live[at:end] = source.live


def blocks(
    vectors: NDArray[np.float16], picked: NDArray[np.int64] | None = None
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield (first row, float32 rows that are `UNSCALE` times too small) for all rows, or the picked ones.

    The array yielded is used again for the next block. Moving the bits takes a fifth of the time of `astype`.
    """
    height = max(1, _BLOCK // vectors.shape[1])
    room = np.empty((height, vectors.shape[1]), np.int32)
    for start in range(0, len(vectors if picked is None else picked), height):
        end = start + height
        block = vectors[start:end] if picked is None else vectors[picked[start:end]]
        bits = room[: len(block)]
        np.copyto(bits, block.view(np.int16))
        np.left_shift(bits, 13, out=bits)
        np.bitwise_and(bits, ~0x70000000, out=bits)
        yield start, bits.view(np.float32)


def exact(rows: Rows, query: NDArray[np.float64], k: int, usable: NDArray[np.bool_]) -> FoundRows:
    """The k best usable rows (more, where it is close) by scanning them all."""
    # Picking costs about as much as scoring: from half of the rows on it is quicker to scan all.
    if 2 * np.count_nonzero(usable) < len(rows):
        return among(rows, np.flatnonzero(usable), query, k)
    scores = _scores(rows, None, query)
    scores[~usable] = -np.inf
    return score(rows, _best(scores, k), query)


def among(rows: Rows, picked: NDArray[np.int64], query: NDArray[np.float64], k: int) -> FoundRows:
    """The k best of the picked rows (more, where it is close)."""
    return score(rows, picked[_best(_scores(rows, picked, query), k)], query)


def _scores(rows: Rows, picked: NDArray[np.int64] | None, query: NDArray[np.float64]) -> NDArray[np.float32]:
    scores = np.empty(len(rows) if picked is None else len(picked), np.float32)
    scaled = query.astype(np.float32) * UNSCALE
    for start, block in blocks(rows.vectors, picked):
        # Not np.dot: BLAS would start threads, which cost more than they bring and starve the loop.
        np.vecdot(block, scaled, out=scores[start : start + len(block)])
    return scores


def _best(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    least = np.float32(-np.inf)
    if len(scores) > k:
        least = np.partition(scores, len(scores) - k)[len(scores) - k] - np.float32(_MARGIN)
    return np.flatnonzero((scores >= least) & (scores > -np.inf))


def score(rows: Rows, picked: NDArray[Any], query: NDArray[np.float64]) -> FoundRows:
    """The true cosines of the picked rows to a unit query; equal vectors get equal scores, wherever they are."""
    scores = np.empty(len(picked), np.float64)
    height = max(1, _BLOCK // len(query))
    with np.errstate(invalid="ignore", divide="ignore"):
        for start in range(0, len(picked), height):
            block = rows.vectors[picked[start : start + height]].astype(np.float64)
            lengths = np.sqrt((block * block).sum(axis=1))
            scores[start : start + height] = (block * query).sum(axis=1) / lengths
    sound = np.isfinite(scores)
    return FoundRows(np.clip(scores[sound], -1.0, 1.0), rows.seqs[picked[sound]])


def ranked(parts: list[FoundRows], k: int, threshold: float | None) -> list[Scored]:
    """The k best of all parts, best first, ties by lower seq, none below the threshold."""
    if not parts:
        return []
    scores = np.concatenate([part.scores for part in parts])
    seqs = np.concatenate([part.seqs for part in parts])
    order = np.lexsort((seqs, -scores))[:k]
    if threshold is not None:
        order = order[scores[order] >= threshold]
    return [
        Scored(seq, value) for seq, value in zip(seqs[order].tolist(), scores[order].tolist(), strict=True)
    ]
