"""Whether a file of a walk is no document, where its name alone does not tell. Runs in a thread, never on the loop."""

from __future__ import annotations

import os

from semantik.core.passed_over import APPLE_DOUBLE, SMALL_BYTES, Verdict, original, verdict

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
            return entry.is_file() and _start(entry.path) in APPLE_DOUBLE
        folder = entry.path[: -len(entry.name)]
        return os.path.lexists(folder + (original(entry.name) or ""))
    except OSError:
        return False


def _start(path: str) -> bytes:
    descriptor = os.open(path, _READ)
    try:
        return os.read(descriptor, len(APPLE_DOUBLE[0]))
    finally:
        os.close(descriptor)
