"""Failpoints for tests: SEMANTIK_FAILPOINT=stage[:nth[:stop]] in a server, place:action:substring in a worker.

A server kills itself with SIGKILL when it reaches the stage for the nth time, or with `stop` stops there until it gets
SIGCONT. Workers keep the environment that they started with, so the server passes the variable's value with each task.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections import Counter

VARIABLE = "SEMANTIK_FAILPOINT"

STAGES = frozenset(
    {
        "fetching.kept",
        "fetching.finished",
        "scanning.registered",
        "scanning.renamed",
        "scanning.completed",
        "storing.parts",
        "storing.taken",
        "storing.chunks",
        "storing.published",
        "storing.vectors",
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
        "recognition.recognised",
        "recognition.marked",
        "retired.chunks",
        "watched.claimed",
        "remove_source.source",
        "ending.saved",
        "ending.told",
        "ending.notified",
        "alerts.added",
        "alerts.queued",
        "alerts.saved",
    }
)
_reached: Counter[str] = Counter()


def armed() -> str:
    """The failpoint in the server's environment, or an empty string."""
    return os.environ.get(VARIABLE, "")


def die_at(stage: str) -> None:
    """Kill or stop this server if SEMANTIK_FAILPOINT names the stage."""
    if not armed():
        return
    assert stage in STAGES, stage
    wanted, nth, action = (*armed().split(":"), "", "")[:3]
    if wanted == stage:
        _reached[stage] += 1
        if _reached[stage] == int(nth or 1):
            os.kill(os.getpid(), signal.SIGSTOP if action == "stop" else signal.SIGKILL)


def reach(failpoint: str, place: str, subject: str) -> None:
    """Crash, hang or use up the memory, if `failpoint` names this place and a substring of `subject`."""
    if not failpoint:
        return
    where, *rest = failpoint.split(":", 2)
    if where != place or rest[1] not in subject:
        return
    action = rest[0]
    if action == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "hang":
        # PyDLL keeps the interpreter's lock: as with native code that hangs, no Python signal handler ever runs.
        ctypes.PyDLL(None).pause()
    elif action == "memory":
        blocks = []
        while True:
            blocks.append(bytearray(1 << 26))
    else:
        raise ValueError(f"{VARIABLE}={failpoint!r}: the action is crash, hang or memory")
