"""Files of an index mapped into memory, and their release. Runs in threads and in the pool's processes."""

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

# Released at a time: half a millisecond.
_PIECE = 8 << 20


class MappedArray:
    """The mapping of a file that is not empty. It lives as long as this object or an array of it."""

    def __init__(self, path: Path) -> None:
        """Raises Damaged when the file cannot be read."""
        with checksums.damaged_if_unreadable(path), path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._path = path

    def array(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """The content of the file as an array (n,)."""
        return np.frombuffer(self._bytes, dtype)

    def release(self) -> None:
        """Prepare for the removal of the file; readers of the mapping can continue.

        When the last reference goes, the system would free memory and disk while all threads wait: a tenth of a
        second for some hundred megabytes. So the memory is released here, piece by piece, and the disk space in a
        thread after the last reference has gone.
        """
        with suppress(OSError):  # then it only takes longer
            descriptor = os.open(self._path, os.O_RDONLY)
            weakref.finalize(self._bytes, _close_in_thread, descriptor).atexit = False
            for start in range(0, len(self._bytes), _PIECE):
                self._bytes.madvise(mmap.MADV_DONTNEED, start, min(_PIECE, len(self._bytes) - start))


def _close_in_thread(descriptor: int) -> None:
    try:
        threading.Thread(target=os.close, args=(descriptor,), name="index-closer", daemon=True).start()
    except RuntimeError:  # there are too many threads
        os.close(descriptor)
