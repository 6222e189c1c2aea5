"""Which files the scans of an operation have seen, in eight bytes each. Pure."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray


class SeenFiles:
    """Files in unchanged folders, and files that were compared one by one; `path in seen` asks for either.

    Of a compared file only a hash is stored, which is valid in this process alone. A collision would take a file that
    is gone for one that exists: once in a few million years.
    """

    def __init__(self) -> None:
        self.unchanged_folders: set[str] = set()  # exactly as the last complete scan saw them
        self._hashes = array("q")
        self._sorted: NDArray[np.int64] | None = None

    def add(self, path: str) -> None:
        self._hashes.append(hash(path))
        self._sorted = None

    def __contains__(self, path: str) -> bool:
        if folder_of(path) in self.unchanged_folders:
            return True
        if self._sorted is None:
            self._sorted = (
                np.sort(np.frombuffer(self._hashes, np.int64)) if self._hashes else np.empty(0, np.int64)
            )
        key = hash(path)
        at = int(np.searchsorted(self._sorted, key))
        return at < len(self._sorted) and int(self._sorted[at]) == key


def folder_of(path: str) -> str:
    """The folder of a file, as a walk names it."""
    return path.rpartition("/")[0] or "/"
