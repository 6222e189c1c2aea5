"""Annoy: trees of hyperplanes that find the rows of a segment near a query.

Built in the pool's processes, read in threads. Item ids are row numbers. Nothing unloads a mapped file: it is freed
with its last reference.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from annoy import AnnoyIndex
from numpy.typing import NDArray

from semantik.config.settings import IndexSettings
from semantik.index.engines.protocol import EngineSegment
from semantik.index.files.durable import Damaged, fsync
from semantik.index.vectors.rows import Rows

FILE = "forest.annoy"
# Values of `search_k`, the number of nodes that Annoy inspects.
EFFORTS = (
    *(100, 250, 500, 1000, 2000, 3000, 5000, 7500, 10_000),
    *(15_000, 20_000, 30_000, 50_000, 75_000, 100_000),
)

SAMPLE_WEIGHTS = (1.0, 0.9)
MISSES = 1.0

_CALIBRATED_FOR = 10
_SEED = 20_260_115
_COPY_ROWS = 4096
# Annoy ranks by the cosine; a few more results allow equal scores to be ordered by seq.
_EXTRA = 16
# The effort for n results finds so many times n nearly as well.
_SLACK = 1.5
# To inspect this share of the rows through Annoy costs as much as a scan of all.
_EFFORT_LIMIT = 0.75


class AnnoyTrees:
    """The Annoy file of one segment."""

    shared = None

    def __init__(self, path: Path, dimension: int) -> None:
        """Map a file whose checksum was verified: Annoy does not check it. Raises Damaged when Annoy cannot load it."""
        self._index = AnnoyIndex(dimension, "angular")
        try:
            self._index.load(str(path))
        except OSError as error:
            raise Damaged(f"Annoy cannot load {path} ({error.strerror or error})") from error

    def __len__(self) -> int:
        return int(self._index.get_n_items())

    def propose(
        self, query: NDArray[np.float64], k: int, effort: int, usable: NDArray[np.bool_]
    ) -> NDArray[np.int64] | None:
        """See `Engine.propose`, for this segment."""
        count = int(np.count_nonzero(usable))
        wanted = min(k, count)
        elements = query.tolist()
        # How many of the nearest rows, unusable ones included, the effort must cover; it was calibrated for ten.
        reach = max(k, _CALIBRATED_FOR) * len(usable) / max(1, count)
        while wanted and (search_k := effort * reach / _CALIBRATED_FOR) <= _EFFORT_LIMIT * count:
            found = self._index.get_nns_by_vector(elements, int(_SLACK * reach) + _EXTRA, int(search_k))
            proposed = np.array(found, np.int64)
            good = np.flatnonzero(usable[proposed])
            if len(good) < wanted:
                reach *= 2
            elif good[wanted - 1] < _SLACK * reach:
                return proposed[good]
            else:
                reach = 2.0 * good[wanted - 1]
        return None


def build(
    path: Path,
    vectors: NDArray[np.float16],
    settings: IndexSettings,
    shared: NDArray[np.float32] | None = None,
) -> None:
    """Build on disk, not in memory. The free space is checked first: on a full disk Annoy would kill the process."""
    rows, dimension = vectors.shape
    needed = rows * (4 * dimension + 32) * 2
    if shutil.disk_usage(path.parent).free < needed:
        raise OSError(f"an Annoy file of {rows} vectors needs {needed >> 20} MiB of free disk")
    index = AnnoyIndex(dimension, "angular")
    index.set_seed(_SEED)
    index.on_disk_build(str(path))
    for start in range(0, rows, _COPY_ROWS):
        for row, vector in enumerate(vectors[start : start + _COPY_ROWS].astype(np.float32), start):
            index.add_item(row, vector)
    index.build(settings.trees, 1)
    index.unload()
    fsync(path)


def load(path: Path, rows: Rows) -> AnnoyTrees:
    trees = AnnoyTrees(path, rows.vectors.shape[1])
    if len(trees) != len(rows):
        raise Damaged(f"{path} is of other vectors")
    return trees


def propose(
    segments: Sequence[EngineSegment], query: NDArray[np.float64], k: int
) -> list[NDArray[np.int64] | None]:
    """See `Engine.propose`: each on its own, since the trees of one say nothing about another."""
    return [each.finder.propose(query, k, each.effort, each.usable) for each in segments]
