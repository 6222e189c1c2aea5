"""The newest rows of an index, in memory. Pure NumPy, for threads."""

from __future__ import annotations

import numpy as np

from semantik.index.vectors.rows import Rows


class MemTable:
    """The rows that are in no segment yet. One thread appends; each `rows` is a stable view for any thread."""

    def __init__(self, dimension: int) -> None:
        self._arrays = Rows(
            np.empty(0, np.int64), np.empty((0, dimension), np.float16), np.empty(0, np.bool_)
        )
        self.rows = self._arrays

    def append(self, added: Rows) -> None:
        old, total = len(self.rows), len(self.rows) + len(added)
        if total > len(self._arrays):
            capacity = max(total, 2 * old, 256)
            grown = Rows(
                np.empty(capacity, np.int64),
                np.empty((capacity, added.vectors.shape[1]), np.float16),
                np.empty(capacity, np.bool_),
            )
            _copy(self.rows, grown, 0)
            self._arrays = grown
        _copy(added, self._arrays, old)
        arrays = self._arrays
        self.rows = Rows(arrays.seqs[:total], arrays.vectors[:total], arrays.live[:total])


def _copy(source: Rows, target: Rows, at: int) -> None:
    end = at + len(source)
    target.seqs[at:end] = source.seqs
    target.vectors[at:end] = source.vectors
    target.live[at:end] = source.live
