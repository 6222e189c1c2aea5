"""Which files the scans of an operation have met, in eight bytes each. Pure."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray


class SeenFiles:
    """Files of folders that are as the last finished scan saw them, and files that were compared one by one.

    Of the latter only a hash is kept, good for this process alone: at worst, once in a few million years, a file that
    is gone is taken for one that is there.
    """

    def __init__(self) -> None:
        self.unchanged: set[str] = set()  # folders
        self._hashes = array("q")
        self._sorted: NDArray[np.int64] | None = None

    def add(self, path: str) -> None:
        self._hashes.append(hash(path))
        self._sorted = None

    def __contains__(self, path: str) -> bool:
        if folder_of(path) in self.unchanged:
            return True
        if self._sorted is None:
            self._sorted = (
                np.sort(np.frombuffer(self._hashes, np.int64)) if self._hashes else np.empty(0, np.int64)
            )
        key = hash(path)
        at = int(np.searchsorted(self._sorted, key))
        return at < len(self._sorted) and int(self._sorted[at]) == key


def folder_of(path: str) -> str:
    """The folder that a file lies in, as a walk names it."""
    return path.rpartition("/")[0] or "/"
