"""Whether a file of the cache is still what was written: a regular file of a known size and CRC-32.

Nothing here blocks on a FIFO, and what is long comes in steps. Runs in threads and in the pool's children.
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
# These say that the server is short of something, and nothing about the file.
_SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_END: Any = object()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the system says of the file into Damaged; a shortage stays an OSError."""
    try:
        yield
    except OSError as error:
        if error.errno in _SHORTAGES:
            raise
        raise Damaged(f"{path} cannot be read ({error.strerror or error})") from error


def size_of(path: Path) -> int:
    """The size in bytes of what must be a regular file; raises Damaged when it is none."""
    with reading(path):
        status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Damaged(f"{path} is not a file")
    return status.st_size


def check_size(path: Path, size: int) -> None:
    """Raise Damaged unless a regular file of `size` bytes is there."""
    if (actual := size_of(path)) != size:
        raise Damaged(f"{path} has {actual} bytes instead of {size}")


def content(path: Path) -> bytes:
    """The whole of a small file; raises Damaged when it cannot be had."""
    size_of(path)
    with reading(path):
        return path.read_bytes()


def compare(path: Path, size: int, crc: int) -> Iterator[None]:
    """Read the file through, one step at a time; raises Damaged unless it has this size and CRC-32."""
    check_size(path, size)
    found = 0
    for piece in _pieces(path):
        found = zlib.crc32(piece, found)
        yield
    if found != crc:
        raise Damaged(f"{path} is not what was written")


def crc_of(path: Path) -> int:
    """The CRC-32 of a file, which is read through at once."""
    crc = 0
    for piece in _pieces(path):
        crc = zlib.crc32(piece, crc)
    return crc


def _pieces(path: Path) -> Iterator[bytes]:
    """Read, not mapped: a bad spot of the disk is an error here, where it would kill who touches the map."""
    with reading(path), path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            yield piece


async def step(steps: Iterator[None], executor: Executor) -> bool:
    """Take one step in a thread of the executor; False when there are no more."""
    return await asyncio.get_running_loop().run_in_executor(executor, next, steps, _END) is not _END
