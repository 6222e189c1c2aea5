"""Files of an index, mapped into memory, and how they are let go. Runs in threads and in the pool's children."""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantik.index.files import checksums

# Given back at a time: half a millisecond.
_PIECE = 8 << 20


class MappedArray:
    """A file that may not be empty. Its memory is there for as long as this, or an array of it, is."""

    def __init__(self, path: Path) -> None:
        """Raises Damaged when the file cannot be read."""
        with checksums.reading(path), path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._path = path

    def array(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """All that is in the file."""
        return np.frombuffer(self._bytes, dtype)

    def let_go(self) -> None:
        """Prepare for the end of a file that is about to be removed; who still reads it does so undisturbed.

        The last to go would have the system give back memory and disk, with all threads waiting: a tenth of a second
        for some hundred megabytes. So the memory goes now, piece by piece, and the disk in a thread when all are gone.
        """
        with suppress(OSError):  # it only takes longer then
            held = os.open(self._path, os.O_RDONLY)
            weakref.finalize(self._bytes, _close_aside, held).atexit = False
            for start in range(0, len(self._bytes), _PIECE):
                self._bytes.madvise(mmap.MADV_DONTNEED, start, min(_PIECE, len(self._bytes) - start))


def _close_aside(descriptor: int) -> None:
    try:
        threading.Thread(target=os.close, args=(descriptor,), name="index-closer", daemon=True).start()
    except RuntimeError:  # there are too many threads
        os.close(descriptor)
