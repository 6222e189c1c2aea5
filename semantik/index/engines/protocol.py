"""What an engine is: it finds rows of large segments quickly. Runs in threads and in the pool.

An engine writes one file beside a segment's vectors and later proposes rows by it; exact scoring is not its task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from semantik.config.settings import IndexSettings
from semantik.index.vectors.rows import Rows


class CandidateFinder(Protocol):
    """The mapped file of one segment. Several threads search it at once; it is freed with its last reference."""

    @property
    def shared(self) -> NDArray[np.float32] | None:
        """What the files of other segments are built with, so that all are searched as one; None where nothing is."""


@dataclass(frozen=True)
class EngineSegment:
    """A segment to be searched: its `effort` was calibrated for ten results; `usable` (n) masks the rows."""

    finder: Any
    effort: int
    usable: NDArray[np.bool_]


class Engine(Protocol):
    """A module. `FILE` is the name of its file in a segment; `EFFORTS`, ascending, are what calibration tries."""

    @property
    def FILE(self) -> str: ...  # noqa: N802

    @property
    def EFFORTS(self) -> Sequence[int]: ...  # noqa: N802

    @property
    def SAMPLE_WEIGHTS(self) -> Sequence[float]:  # noqa: N802
        """How a query for the calibration is added up from so many chunks' vectors, to be as hard as real ones.

        Below 1 after the first, so that opposite vectors do not cancel.
        """

    @property
    def MISSES(self) -> float:  # noqa: N802
        """The share of the misses that the wanted recall allows which the calibration may have."""

    def build(
        self,
        path: Path,
        vectors: NDArray[np.float16],
        settings: IndexSettings,
        shared: NDArray[np.float32] | None = None,
    ) -> None:
        """Write the file of the vectors (n, dimension) and wait until it is on disk. Deterministic.

        `shared` is that of another segment's finder. Raises OSError when the disk is full.
        """

    def load(self, path: Path, rows: Rows) -> CandidateFinder:
        """Map the file of these rows, whose checksum was verified. Raises Damaged when it is of other rows."""

    def propose(
        self, segments: Sequence[EngineSegment], query: NDArray[np.float64], k: int
    ) -> list[NDArray[np.int64] | None]:
        """For each segment row numbers, in no order, which together probably include the k nearest usable rows.

        None for a segment where a scan of the usable rows is as fast.
        """
