"""The engines that find rows of a large segment quickly, and what each must do. Runs in threads and in the pool.

An engine writes one file beside a segment's vectors, and later proposes rows by it; exact scoring is not its task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semantik.config.settings import IndexSettings
from semantik.index.engines import annoy_trees, binary_quantization
from semantik.index.segments.rows import Rows


class CandidateFinder(Protocol):
    """The file of one segment, mapped. Searched in several threads at once; its last reader's going frees it."""

    def propose(
        self, query: NDArray[np.float64], k: int, effort: int, usable: NDArray[np.bool_]
    ) -> NDArray[np.int64] | None:
        """Row numbers, in no order, that probably hold the k nearest of the rows that are `usable` (n).

        `effort` was found good enough for ten results. None where a scan of the usable rows is as quick.
        """


class Engine(Protocol):
    """A module: the name of the file that it writes, and what calibration tries, the smallest effort first."""

    @property
    def FILE(self) -> str: ...  # noqa: N802

    @property
    def EFFORTS(self) -> Sequence[int]: ...  # noqa: N802

    def build(self, path: Path, vectors: NDArray[np.float16], settings: IndexSettings) -> None:
        """Write the file of the vectors (n, dimension) and wait for the disk; the same for the same vectors.

        Raises OSError when the disk has too little room.
        """

    def load(self, path: Path, rows: Rows) -> CandidateFinder:
        """Map the file of these rows, which was found sound. Raises Damaged where it cannot be theirs."""


ENGINES: Mapping[str, Engine] = {"codes": binary_quantization, "annoy": annoy_trees}
