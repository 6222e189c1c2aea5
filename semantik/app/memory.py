"""Gives memory that was freed back to the system.

glibc keeps it, in one arena for nearly each thread: after every operation some megabytes more, up to about a hundred.
So the threads share few arenas, and these are trimmed now and then. Runs on the loop, and trims in a thread.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import resource
import time
from pathlib import Path
from typing import NoReturn

log = logging.getLogger("semantik.memory")

_INTERVAL_S = 5.0
_GROWTH_BYTES = 4 << 20  # so much more than after the last trim is worth another, of some milliseconds
_STATM = Path("/proc/self/statm")
_M_ARENA_MAX = -8  # malloc.h
_ARENAS = 2  # most threads run Python, one at a time; the first arena is the main thread's


def share_arenas() -> None:
    """Have all threads take memory from two arenas; before any is started, as an arena stays with its thread.

    Where the C library has no `mallopt`, it does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


async def return_freed_memory() -> NoReturn:
    """Runs for ever; where the C library has no `malloc_trim`, it does nothing."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    least = private_bytes()
    while True:
        await asyncio.sleep(_INTERVAL_S)
        used = private_bytes()
        if malloc_trim is not None and used - least >= _GROWTH_BYTES:
            begun = time.perf_counter()
            await asyncio.to_thread(malloc_trim, 0)
            used, before = private_bytes(), used
            log.debug(
                "Of %d MB, %.1f were returned in %.0f ms",
                before >> 20,
                (before - used) / (1 << 20),
                1000 * (time.perf_counter() - begun),
            )
            least = used
        least = min(least, used)


def private_bytes() -> int:
    """The resident memory of this process that is no file's."""
    _, resident, shared = _STATM.read_text().split()[:3]
    return (int(resident) - int(shared)) * resource.getpagesize()
