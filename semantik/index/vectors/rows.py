"""Vectors in rows: seqs, vectors, and which rows are deleted. Pure NumPy, for threads and the pool's processes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semantik.index.ranges import Ranges, rows_within


@dataclass(frozen=True)
class Rows:
    """Ascending seqs (n), their float16 vectors (n, dimension), and a mask (n): `live` are not deleted."""

    seqs: NDArray[np.int64]
    vectors: NDArray[np.float16]
    live: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.seqs)

    @property
    def live_count(self) -> int:
        return int(np.count_nonzero(self.live))

    def usable(self, allowed: Ranges | None) -> NDArray[np.bool_]:
        """The mask (n) of the rows that are live and within the sorted ranges `allowed` (None: all). Read-only."""
        if allowed is None:
            return self.live
        within = rows_within(self.seqs, allowed)
        usable = np.zeros(len(self), np.bool_)
        usable[within] = self.live[within]
        return usable

    def mark_deleted(self, ranges: Ranges) -> None:
        """Mark the rows within the sorted ranges as deleted."""
        self.live[rows_within(self.seqs, ranges)] = False
