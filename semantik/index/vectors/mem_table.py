"""The newest rows of an index, in memory. Pure NumPy, for threads."""

from __future__ import annotations

import numpy as np

from semantik.index.vectors.rows import Rows


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
