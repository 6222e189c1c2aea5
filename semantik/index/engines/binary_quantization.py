"""Codes: one bit for each number of a vector, whether it lies above the mean. Near vectors differ in few bits.

A question is compared with all codes of a segment, by counting the bits that differ; the nearest are proposed.
The file holds the codes as words of 64 bits, the first word of all rows first, so that each step of the count is one
pass over numbers that lie side by side; then the means (dimension, float32). Written in the pool, read in threads.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantik.config.settings import IndexSettings
from semantik.index.files.durable import Damaged, sync
from semantik.index.files.mapped_array import MappedArray
from semantik.index.segments.rows import Rows

FILE = "codes.u64"
# How many of the nearest codes are scored exactly, for ten results; fewer would save nothing.
EFFORTS = (200, 300, 400, 600, 800, 1200, 1600, 2400, 3200, 4800, 6400, 9600, 12_800)

_CALIBRATED_FOR = 10
_WORD = 64
# Scoring a row exactly takes as long as comparing so many codes.
_COST = 30
# Rows compared in one call: few calls, because each may have to wait for the interpreter, in memory near the processor.
_BLOCK = 1 << 16
_COPY_ROWS = 4096
_PAGE = 4096
_FAR = np.uint16(0xFFFF)


class BinaryCodes:
    """The codes of one segment."""

    def __init__(self, means: NDArray[np.float32], words: NDArray[np.uint64]) -> None:
        """`words` is (ceil(dimension / 64), n)."""
        self._means = means
        self._words = words

    def propose(
        self, query: NDArray[np.float64], k: int, effort: int, usable: NDArray[np.bool_]
    ) -> NDArray[np.int64] | None:
        wanted = max(k, effort * max(k, _CALIBRATED_FOR) // _CALIBRATED_FOR)
        count = int(np.count_nonzero(usable))
        if (count - wanted) * _COST <= len(usable):
            return None
        differ = self._differing(query)
        if count < len(usable):
            np.copyto(differ, _FAR, where=~usable)
        farthest = np.partition(differ, wanted - 1)[wanted - 1]
        # A row that was deleted meanwhile is nobody's answer.
        return np.flatnonzero(differ <= min(farthest, _FAR - 1))

    def _differing(self, query: NDArray[np.float64]) -> NDArray[np.uint16]:
        """In how many bits each row's code differs from the query's."""
        code = _encode(query[np.newaxis].astype(np.float32), self._means)[:, 0]
        rows = self._words.shape[1]
        differ = np.zeros(rows, np.uint16)
        bits = np.empty(min(rows, _BLOCK), np.uint64)
        ones = np.empty(len(bits), np.uint8)
        for start in range(0, rows, _BLOCK):
            total = differ[start : start + _BLOCK]
            for word, own in zip(self._words, code, strict=True):
                np.bitwise_xor(word[start : start + _BLOCK], own, out=bits[: len(total)])
                np.bitwise_count(bits[: len(total)], out=ones[: len(total)])
                np.add(total, ones[: len(total)], out=total)
        return differ


def build(path: Path, vectors: NDArray[np.float16], settings: IndexSettings) -> None:
    rows, dimension = vectors.shape
    starts = range(0, rows, _COPY_ROWS)
    sums = [np.sum(vectors[at : at + _COPY_ROWS], axis=0, dtype=np.float64) for at in starts]
    means = (np.sum(sums, axis=0) / rows).astype("<f4")
    words = np.empty((_words(dimension), rows), "<u8")
    for at in starts:
        words[:, at : at + _COPY_ROWS] = _encode(vectors[at : at + _COPY_ROWS], means)
    with path.open("wb") as file:
        file.write(words.data)
        file.write(means.tobytes())
    sync(path)


def load(path: Path, rows: Rows) -> BinaryCodes:
    dimension = rows.vectors.shape[1]
    end = 8 * _words(dimension) * len(rows)
    raw = MappedArray(path).array(np.dtype(np.uint8))
    np.max(raw[::_PAGE], initial=0)  # the system maps its pages here, and not within the first search
    if len(raw) != end + 4 * dimension:
        raise Damaged(f"{path} is of other vectors")
    return BinaryCodes(raw[end:].view("<f4"), raw[:end].view("<u8").reshape(_words(dimension), len(rows)))


def _words(dimension: int) -> int:
    return -(-dimension // _WORD)


def _encode(vectors: NDArray[np.floating], means: NDArray[np.float32]) -> NDArray[np.uint64]:
    """The codes (words, n) of the vectors (n, dimension)."""
    bits = np.zeros((len(vectors), _words(len(means)) * _WORD), np.bool_)
    np.greater(vectors, means, out=bits[:, : len(means)])
    return np.packbits(bits, axis=1).view("<u8").T
