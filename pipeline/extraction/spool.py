"""Temporary files for what readers unpack. A worker that cannot make files takes those that it made beforehand."""

from __future__ import annotations

import os
import tempfile
import weakref
from typing import BinaryIO

_reserved: list[int] | None = None


def reserve(count: int) -> None:
    """Make files without a name now; from now on `temporary_file` uses these, as many at a time."""
    global _reserved
    _reserved = []
    for _ in range(count):
        with tempfile.TemporaryFile() as file:
            _reserved.append(os.dup(file.fileno()))


def temporary_file() -> BinaryIO:
    """An empty file without a name, so that a killed worker leaves nothing behind. Raises OSError."""
    if _reserved is None:
        return tempfile.TemporaryFile()
    if not _reserved:
        raise OSError("too many files are unpacked at the same time")
    descriptor = _reserved.pop()
    os.lseek(descriptor, 0, os.SEEK_SET)
    file = os.fdopen(descriptor, "w+b", closefd=False)
    weakref.finalize(file, _give_back, descriptor)
    return file


def _give_back(descriptor: int) -> None:
    assert _reserved is not None
    os.ftruncate(descriptor, 0)
    _reserved.append(descriptor)
