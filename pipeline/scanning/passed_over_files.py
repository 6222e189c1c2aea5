"""Whether a file or folder of a walk is no document, where its name alone does not tell. Runs in a thread."""

from __future__ import annotations

import os
from pathlib import Path

from semantik.core.passed_over import (
    SMALL_BYTES,
    Verdict,
    is_apple_double,
    is_passed_over_folder,
    original,
    verdict,
)

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def is_passed_over_file(entry: os.DirEntry[str]) -> bool:
    """Whether a scan passes over a file; False where that cannot be found out, so that its reading tells why."""
    said = verdict(entry.name)
    if said in (Verdict.DOCUMENT, Verdict.NO_DOCUMENT):
        return said is Verdict.NO_DOCUMENT
    try:
        if said is Verdict.IF_SMALL:
            return entry.stat().st_size <= SMALL_BYTES
        if said is Verdict.IF_APPLE_DOUBLE:
            return entry.is_file() and is_apple_double(_start(entry.path))
        folder = entry.path[: -len(entry.name)]
        return os.path.lexists(folder + (original(entry.name) or ""))
    except OSError:
        return False


def is_passed_over_directory(entry: os.DirEntry[str]) -> bool:
    """Whether a scan never enters a folder; also where a Maildir keeps messages that are not delivered yet."""
    if entry.name != "tmp":
        return is_passed_over_folder(entry.name)
    parent = Path(entry.path).parent
    return (parent / "cur").is_dir() and (parent / "new").is_dir()


def _start(path: str) -> bytes:
    descriptor = os.open(path, _READ)
    try:
        return os.read(descriptor, 4)
    finally:
        os.close(descriptor)
