"""The process that a worker runs in: when it ends, how much memory it may take, and at what priority it runs.

Runs in the worker processes and in the fork servers. Knows neither files nor models.
"""

from __future__ import annotations

import ctypes
import fcntl
import multiprocessing
import os
import resource
import select
import signal
from pathlib import Path

NICENESS = 10
OUT_OF_MEMORY = 80  # the exit status of a worker that could not get the memory it asked for
_PR_SET_PDEATHSIG = 1
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 32 << 20  # the most that glibc allows


def set_up(nice: bool, memory_bytes: int) -> None:
    """Called once in each new worker, which may allocate `memory_bytes` beyond what it shares at its start."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    die_with_server()
    keep_freed_memory()
    if nice:
        os.nice(NICENESS)
        os.sched_setscheduler(
            0, os.SCHED_BATCH, os.sched_param(0)
        )  # it may not preempt a query when it wakes up
    Path("/proc/self/oom_score_adj").write_text(
        "500"
    )  # a machine out of memory ends a worker, not the server
    used = data_bytes()
    resource.setrlimit(resource.RLIMIT_DATA, (used + memory_bytes, used + memory_bytes))


def die_with_server() -> None:
    """Have the kernel end this process with the one it was forked from, and when the server's end of their pipe
    closes, even during native code."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    server = multiprocessing.parent_process()
    assert server is not None
    pipe = server.sentinel
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:
        os._exit(1)


def data_bytes() -> int:
    """What this process has of the memory that RLIMIT_DATA limits."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


def keep_freed_memory() -> None:
    """Have glibc keep freed memory for the next pass through the model, and not fetch it from the system again page by
    page: that is a fifth of the time of embedding."""
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
    libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def return_freed_memory() -> None:
    """Files of many sizes leave glibc hundreds of megabytes in pieces; a trim takes 10 to 30 ms per task."""
    ctypes.CDLL(None).malloc_trim(0)
