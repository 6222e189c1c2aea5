"""Where a test makes things go wrong: SEMANTIK_FAILPOINT=place:action:substring in a worker, server:place in a server.

The server hands the variable's present value to each task, because workers keep the environment they began with.
"""

from __future__ import annotations

import ctypes
import os
import signal

VARIABLE = "SEMANTIK_FAILPOINT"


def armed() -> str:
    """The failpoint that the server's environment asks for, or an empty text."""
    return os.environ.get(VARIABLE, "")


def die_at(place: str) -> None:
    """Kill the server itself at `place`, when SEMANTIK_FAILPOINT is `server:<place>`."""
    if armed() == f"server:{place}":
        os.kill(os.getpid(), signal.SIGKILL)


def reach(failpoint: str, place: str, subject: str) -> None:
    """Do what `failpoint` says when it means this place and a part of `subject`: crash, hang or memory."""
    if not failpoint:
        return
    where, action, part = failpoint.split(":", 2)
    if where != place or part not in subject:
        return
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
