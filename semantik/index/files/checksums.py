"""Checks that a file of the index is still what was written: a regular file of a known size and CRC-32.

Nothing here blocks on a FIFO, and long checks run in steps. Runs in threads and in the pool's processes.
"""

from __future__ import annotations

import asyncio
import errno
import stat
import zlib
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from semantik.index.files.durable import Damaged

# One step: some milliseconds from memory, a tenth of a second from a slow disk.
_PIECE = 4 << 20
# These mean that the server lacks a resource; they say nothing about the file.
_SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_END: Any = object()


@contextmanager
def damaged_if_unreadable(path: Path) -> Iterator[None]:
    """Raise an OSError as Damaged, unless it is a shortage."""
    try:
        yield
    except OSError as error:
        if error.errno in _SHORTAGES:
            raise
        raise Damaged(f"{path} cannot be read ({error.strerror or error})") from error


def regular_file_size(path: Path) -> int:
    """The size in bytes of a regular file; raises Damaged when it is not one."""
    with damaged_if_unreadable(path):
        status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Damaged(f"{path} is not a file")
    return status.st_size


def check_size(path: Path, size: int) -> None:
    """Raise Damaged unless `path` is a regular file of `size` bytes."""
    if (actual := regular_file_size(path)) != size:
        raise Damaged(f"{path} has {actual} bytes instead of {size}")


def read_regular_file(path: Path) -> bytes:
    """The content of a small file; raises Damaged when it cannot be read."""
    regular_file_size(path)
    with damaged_if_unreadable(path):
        return path.read_bytes()


def verify(path: Path, size: int, crc: int) -> Iterator[None]:
    """Read the file through, one step at a time. Raises Damaged unless it has this size and CRC-32."""
    check_size(path, size)
    actual = 0
    for piece in _pieces(path):
        actual = zlib.crc32(piece, actual)
        yield
    if actual != crc:
        raise Damaged(f"{path} is not what was written")


def file_crc(path: Path) -> int:
    """The CRC-32 of a file, read through without a pause."""
    crc = 0
    for piece in _pieces(path):
        crc = zlib.crc32(piece, crc)
    return crc


def _pieces(path: Path) -> Iterator[bytes]:
    """Read, not mapped: a bad disk sector is an error here, where in a mapping it would kill the process."""
    with damaged_if_unreadable(path), path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            yield piece


async def run_step(steps: Iterator[None], executor: Executor) -> bool:
    """Run one step in a thread of the executor; False when there are no more."""
    return await asyncio.get_running_loop().run_in_executor(executor, next, steps, _END) is not _END
