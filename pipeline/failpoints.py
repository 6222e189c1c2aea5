"""Where a test makes things go wrong: SEMANTIK_FAILPOINT=stage[:nth[:stop]] in a server, place:action:substring in a
worker.

A server dies with SIGKILL when it comes by its stage for the nth time, or (`stop`) stands still there until it gets
SIGCONT. Workers keep the environment they began with, so
the server hands the variable's present value to each task.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections import Counter

VARIABLE = "SEMANTIK_FAILPOINT"

STAGES = frozenset(
    {
        "scanning.registered",
        "scanning.renamed",
        "scanning.completed",
        "storing.taken",
        "storing.chunks",
        "storing.published",
        "storing.indexed",
        "storing.finished",
        "storing.settled",
        "storing.forgotten",
        "storing.counted",
        "removal.marked",
        "removal.forgotten",
        "reindex.preflight",
        "reindex.staged",
        "reindex.registered",
        "reindex.reprocessed",
        "reindex.validated",
        "reindex.switched",
        "reindex.discarded",
        "retired.chunks",
        "watched.claimed",
        "remove_source.source",
        "ending.saved",
        "ending.told",
    }
)
_passed: Counter[str] = Counter()


def armed() -> str:
    """The failpoint that the server's environment asks for, or an empty text."""
    return os.environ.get(VARIABLE, "")


def die_at(stage: str) -> None:
    """Kill or stop the server itself, when SEMANTIK_FAILPOINT says so."""
    if not armed():
        return
    assert stage in STAGES, stage
    wanted, nth, action = (*armed().split(":"), "", "")[:3]
    if wanted == stage:
        _passed[stage] += 1
        if _passed[stage] == int(nth or 1):
            os.kill(os.getpid(), signal.SIGSTOP if action == "stop" else signal.SIGKILL)


def reach(failpoint: str, place: str, subject: str) -> None:
    """Do what `failpoint` says when it means this place and a part of `subject`: crash, hang or memory."""
    if not failpoint:
        return
    where, *rest = failpoint.split(":", 2)
    if where != place or rest[1] not in subject:
        return
    action = rest[0]
    if action == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "hang":
        # PyDLL keeps the interpreter's lock: like native code that hangs, no Python handler ever runs.
        ctypes.PyDLL(None).pause()
    elif action == "memory":
        hoard = []
        while True:
            hoard.append(bytearray(1 << 26))
    else:
        raise ValueError(f"{VARIABLE}={failpoint!r}: the action is crash, hang or memory")
