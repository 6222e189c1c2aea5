"""Files that survive a crash whole, and the word for those that did not. Runs in threads and in children."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class Damaged(Exception):
    """A file of the cache is not what its manifest says: which, and why. Never leaves this room."""


def failpoint(step: str) -> None:
    """Die as by `kill -9` when the environment names this step, so that tests can stop a write anywhere."""
    if os.environ.get("SEMANTIK_INDEX_FAILPOINT") == step:
        os.kill(os.getpid(), signal.SIGKILL)


def write_synced(path: Path, pieces: Iterable[Any]) -> None:
    """Write the pieces (bytes or contiguous arrays) to a new file, and wait until the disk has them."""
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Wait until the disk has what is at `path`: a file's bytes, or a folder's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove whatever stands at `path`, of which nothing is needed: a file, a folder, a link, or nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def replace_synced(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a crash leaves the old file or the new one.

    What is no file and stands in the way is removed.
    """
    beside = path.with_name(path.name + ".new")
    remove(beside)
    write_synced(beside, [content])
    failpoint("manifest-written")
    if path.is_dir():
        remove(path)
    beside.replace(path)
    failpoint("manifest-renamed")
    sync(path.parent)
