"""Binary quantization: a code with one bit for each element of a vector, set where it is above the mean.

Near vectors differ in few bits, so `code_search` proposes the rows with the smallest Hamming distance to the query's
code. The file holds the codes as words of 64 bits, the first word of all rows first, so that each step of the count
reads adjacent memory; then the means (dimension, float32). In a large segment the rows are in the order of their cells,
and the file goes on with the centres (cells, dimension, float32), the starts of the cells (cells + 1, int64) and the
row numbers (n, uint32). Written in the pool, read in threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantik.config.settings import IndexSettings
from semantik.index.engines import cells as cells_module
from semantik.index.engines.cells import Cells
from semantik.index.engines.code_search import propose as propose
from semantik.index.files.durable import Damaged, fsync
from semantik.index.files.mapped_array import MappedArray
from semantik.index.vectors.rows import Rows

FILE = "codes.u64"
# How many of the nearest codes are scored exactly for ten results. Fewer would save no time.
EFFORTS = (200, 300, 400, 600, 800, 1200, 1600, 2400, 3200, 4800, 6400, 9600, 12_800)

# Real queries are farther from all cells than what lies between two chunks, and the effort for all segments is less
# than the sum of theirs: measured in bench/NOTES.md.
SAMPLE_WEIGHTS = (1.0, 0.9, 0.8)
MISSES = 0.6

_WORD = 64
# Rows compared in one call: few calls, since each may wait for the interpreter lock; still within the cache.
_BLOCK = 1 << 14
_COPY_ROWS = 4096
_PAGE_BYTES = 4096


class BinaryCodes:
    """The codes of one segment."""

    def __init__(
        self, means: NDArray[np.float32], words: NDArray[np.uint64], cells: Cells | None = None
    ) -> None:
        """`words` is (ceil(dimension / 64), n), in the order of the rows or that of the cells."""
        self._means = means
        self._words = words
        self.cells = cells

    @property
    def shared(self) -> NDArray[np.float32]:
        """The means."""
        return self._means

    def distances(
        self, query: NDArray[np.float32], places: Iterable[slice], count: int
    ) -> NDArray[np.uint16]:
        """The number of bits in which the `count` codes at the places differ from the query's."""
        query_code = _encode(query[np.newaxis], self._means)
        distances = np.empty(count, np.uint16)
        buffer = np.empty((len(self._words), _BLOCK), np.uint64)
        counts = np.empty(buffer.shape, np.uint8)
        done = 0
        for block, size in _blocks(places):
            bits = codes = buffer[:, :size]
            if len(block) == 1:
                codes = self._words[:, block[0]]
            else:
                np.concatenate([self._words[:, place] for place in block], axis=1, out=codes)
            np.bitwise_xor(codes, query_code, out=bits)
            np.bitwise_count(bits, out=counts[:, :size])
            np.add.reduce(counts[:, :size], axis=0, dtype=np.uint16, out=distances[done : done + size])
            done += size
        return distances


def _blocks(places: Iterable[slice]) -> Iterator[tuple[list[slice], int]]:
    """The same places in blocks of `_BLOCK` rows, and how many the block has: less in the last one."""
    block: list[slice] = []
    size = 0
    for place in places:
        start = place.start
        while start < place.stop:
            end = min(place.stop, start + _BLOCK - size)
            block.append(slice(start, end))
            size += end - start
            start = end
            if size == _BLOCK:
                yield block, size
                block, size = [], 0
    if block:
        yield block, size


def build(
    path: Path,
    vectors: NDArray[np.float16],
    settings: IndexSettings,
    shared: NDArray[np.float32] | None = None,
) -> None:
    """`shared` are the means of another segment; None: those of the vectors."""
    rows, dimension = vectors.shape
    starts = range(0, rows, _COPY_ROWS)
    if shared is None:
        sums = [np.sum(vectors[at : at + _COPY_ROWS], axis=0, dtype=np.float64) for at in starts]
        shared = np.sum(sums, axis=0) / rows
    means = shared.astype("<f4")
    cells = cells_module.build(vectors) if cells_module.count_for(rows) else None
    words = np.empty((_words_per_code(dimension), rows), "<u8")
    for at in starts:
        copied = slice(at, at + _COPY_ROWS) if cells is None else cells.order[at : at + _COPY_ROWS]
        words[:, at : at + _COPY_ROWS] = _encode(vectors[copied], means)
    with path.open("wb") as file:
        file.write(words.data)
        file.write(means.tobytes())
        if cells is not None:
            file.write(np.ascontiguousarray(cells.centres, "<f4").data)
            file.write(np.ascontiguousarray(cells.starts, "<i8").data)
            file.write(np.ascontiguousarray(cells.order, "<u4").data)
    fsync(path)


def load(path: Path, rows: Rows) -> BinaryCodes:
    """Earlier versions wrote no cells, or fewer of more rows: the size of the file says how many there are."""
    dimension = rows.vectors.shape[1]
    raw = MappedArray(path).array(np.dtype(np.uint8))
    np.max(raw[::_PAGE_BYTES], initial=0)  # page faults happen here, not within the first search
    sizes = [8 * _words_per_code(dimension) * len(rows), 4 * dimension]
    beyond, cells = len(raw) - sum(sizes), None
    count, left = divmod(beyond - 8 - 4 * len(rows), 4 * dimension + 8)
    if beyond and (left or count < 1):
        raise Damaged(f"{path} is of other vectors")
    if beyond:
        sizes += [4 * count * dimension, 8 * (count + 1)]
    words, means, *rest = np.split(raw, np.cumsum(sizes)[: None if beyond else -1])
    if beyond:
        centres, starts, order = rest
        cells = Cells(centres.view("<f4").reshape(count, dimension), order.view("<u4"), starts.view("<i8"))
    return BinaryCodes(
        means.view("<f4"), words.view("<u8").reshape(_words_per_code(dimension), len(rows)), cells
    )


def _words_per_code(dimension: int) -> int:
    return -(-dimension // _WORD)


def _encode(vectors: NDArray[np.floating], means: NDArray[np.float32]) -> NDArray[np.uint64]:
    """The codes (words, n) of the vectors (n, dimension)."""
    bits = np.zeros((len(vectors), _words_per_code(len(means)) * _WORD), np.bool_)
    np.greater(vectors, means, out=bits[:, : len(means)])
    return np.packbits(bits, axis=1).view("<u8").T
