"""Annoy: proposes rows of a segment that are probably near a query. Built in the pool's children, read in
threads.

Item ids are row numbers. Nothing ever unloads a forest: its last reader's going frees it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from annoy import AnnoyIndex
from numpy.typing import NDArray

from semantik.index.durable import Damaged, sync

_SEED = 20_260_115
_COPY_ROWS = 4096


class Forest:
    """The Annoy file of one segment."""

    def __init__(self, path: Path, dimension: int) -> None:
        """Map the file, which must be sound: Annoy believes it. Raises Damaged where Annoy cannot."""
        self._index = AnnoyIndex(dimension, "angular")
        try:
            self._index.load(str(path))
        except OSError as error:
            raise Damaged(f"Annoy cannot load {path} ({error.strerror or error})") from error

    def __len__(self) -> int:
        return int(self._index.get_n_items())

    def propose(self, query: NDArray[np.floating], count: int, search_k: int) -> NDArray[np.int64]:
        """Up to `count` rows, the probably nearest first; `search_k` is the number of rows Annoy looks at."""
        return np.array(self._index.get_nns_by_vector(query.tolist(), count, search_k), np.int64)


def build(path: Path, vectors: NDArray[np.float16], trees: int) -> None:
    """Write the Annoy file of the vectors, the same for the same vectors, without holding it in memory.

    Raises OSError when the disk has too little room: Annoy itself would be killed by the missing page.
    """
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
    index.build(trees, 1)
    index.unload()
    sync(path)
