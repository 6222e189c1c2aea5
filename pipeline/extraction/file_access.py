"""Reads the bytes of one file, with every check that a scan cannot make. Runs in the worker processes."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pipeline.extraction.content import ExtractError
from semantik.core.document_roots import may_be_read


@dataclass(frozen=True)
class Places:
    """Where files may lie: below `roots`, and not below `forbidden`."""

    roots: tuple[str, ...]
    forbidden: tuple[str, ...]


def read(path: str, size_limit: int, places: Places) -> bytes:
    """The bytes of a file, read once; a file with more than `size_limit` is refused. Raises ExtractError."""
    # Without O_NONBLOCK a FIFO that took the file's place would wait for a writer, perhaps for ever.
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ExtractError("unsupported", "This is not a regular file.")
            real = Path(f"/proc/self/fd/{file.fileno()}").readlink()
            data = file.read(size_limit + 1) if status.st_size <= size_limit else b""
    except FileNotFoundError as error:
        raise ExtractError("unreadable", "The file is no longer there.") from error
    except PermissionError as error:
        raise ExtractError("unreadable", "The server has no permission to read this file.") from error
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.EISDIR):  # a socket, a folder
            raise ExtractError("unsupported", "This is not a regular file.") from error
        raise ExtractError("unreadable", f"The file cannot be read: {error.strerror}.") from error
    if status.st_size > size_limit or len(data) > size_limit:
        size = max(status.st_size, len(data))
        raise ExtractError(
            "too_large",
            f"The file has {size:,} bytes, and at most {size_limit:,} are read (documents.max_file_bytes).",
        )
    # A link may have taken the place of the file, or of a folder above it, since the scan.
    if not may_be_read(real, places.roots, places.forbidden):
        raise ExtractError("unreadable", "The file leads out of the folders that may be read.")
    if not data:
        raise ExtractError("empty", "The file is empty.", skipped=True)
    return data
