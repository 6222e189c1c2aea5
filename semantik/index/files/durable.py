"""Files that a crash leaves complete, and the error for those that are damaged. Runs in threads and in the pool."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class Damaged(Exception):
    """A file of the index is not what its manifest says: which file, and why. Never leaves this package."""


def failpoint(name: str) -> None:
    """Die as by `kill -9` when the environment names this failpoint, so that tests can stop a write anywhere."""
    if os.environ.get("SEMANTIK_INDEX_FAILPOINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)


def write_synced(path: Path, pieces: Iterable[Any]) -> None:
    """Write the pieces (bytes or contiguous arrays) to a new file, and wait until they are on disk."""
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def fsync(path: Path) -> None:
    """Wait until the bytes of a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove what is at `path`: a file, a folder with its content, a link, or nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def replace_synced(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a crash leaves the old file or the new one.

    A folder at `path` is removed.
    """
    new = path.with_name(path.name + ".new")
    remove(new)
    write_synced(new, [content])
    failpoint("manifest-written")
    if path.is_dir():
        remove(path)
    new.replace(path)
    failpoint("manifest-renamed")
    fsync(path.parent)
