"""The engines, which find rows of a large segment quickly, and their protocol. Runs in threads and in the pool.

An engine writes one file beside a segment's vectors and later proposes rows by it; exact scoring is not its task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semantik.config.settings import IndexSettings
from semantik.index.engines import annoy_trees, binary_quantization
from semantik.index.vectors.rows import Rows


class CandidateFinder(Protocol):
    """The mapped file of one segment. Several threads search it at once; it is freed with its last reference."""

    def propose(
        self, query: NDArray[np.float64], k: int, effort: int, usable: NDArray[np.bool_]
    ) -> NDArray[np.int64] | None:
        """Row numbers, in no order, that probably include the k nearest of the rows in the mask `usable` (n).

        `effort` is the one that was calibrated for ten results. None where a scan of the usable rows is as fast.
        """


class Engine(Protocol):
    """A module. `FILE` is the name of its file in a segment; `EFFORTS`, ascending, are what calibration tries."""

    @property
    def FILE(self) -> str: ...  # noqa: N802

    @property
    def EFFORTS(self) -> Sequence[int]: ...  # noqa: N802

    def build(self, path: Path, vectors: NDArray[np.float16], settings: IndexSettings) -> None:
        """Write the file of the vectors (n, dimension) and wait until it is on disk. Deterministic.

        Raises OSError when the disk is full.
        """

    def load(self, path: Path, rows: Rows) -> CandidateFinder:
        """Map the file of these rows, whose checksum was verified. Raises Damaged when it is of other rows."""


ENGINES: Mapping[str, Engine] = {"codes": binary_quantization, "annoy": annoy_trees}
