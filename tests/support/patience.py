"""How long tests wait before they believe that something hangs. A deadline is a guard: no test asserts on it.

Deadlines are stretched by one factor: SEMANTIK_TEST_PATIENCE, or more where the machine is slow or busy.
"""

from __future__ import annotations

import asyncio
import functools
import os
import time

GUARD_S = 60.0
TEST_S = 240.0  # one test as a whole
_MAX_LOAD = 6.0  # more, and what hangs would hold the whole run
_LOOPS = 1_000_000
_LOOPS_S = 0.04  # that they take on a machine that the deadlines were made for


def patience(seconds: float = GUARD_S) -> float:
    """`seconds`, stretched for this machine and this moment."""
    load = max(os.getloadavg()[:2]) / (os.cpu_count() or 1)
    return seconds * max(_least(), min(load, _MAX_LOAD))


def deadline(seconds: float = GUARD_S) -> asyncio.Timeout:
    """`async with deadline():` ends what hangs in it with TimeoutError."""
    return asyncio.timeout(patience(seconds))


@functools.cache
def _least() -> float:
    """The factor that was asked for, or how much slower than usual this machine computes; at least 1."""
    asked = float(os.environ.get("SEMANTIK_TEST_PATIENCE", "1"))
    begun = time.perf_counter()
    for _ in range(_LOOPS):
        pass
    return max(1.0, asked, (time.perf_counter() - begun) / _LOOPS_S)
