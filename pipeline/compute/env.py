"""Sets up a worker process: when it ends, how much memory it may allocate, its priority.

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
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OUT_OF_MEMORY = 80  # exit status of a worker whose allocation failed
_PR_SET_PDEATHSIG = 1
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_MALLOC_THRESHOLD_BYTES = 32 << 20  # the largest value that glibc accepts


_model_bytes = 0


@contextmanager
def counting_model() -> Iterator[None]:
    """While inside, a model is loaded: the memory that it takes stays in use after the task."""
    global _model_bytes
    before = _anonymous_bytes()
    yield
    _model_bytes += max(0, _anonymous_bytes() - before)


def model_bytes() -> int:
    """The memory of the models that this process has loaded itself, and did not get from its fork server."""
    return _model_bytes


def _anonymous_bytes() -> int:
    resident, shared = Path("/proc/self/statm").read_text().split()[1:3]
    return (int(resident) - int(shared)) * resource.getpagesize()


def set_up(niceness: int, memory_bytes: int | None) -> None:
    """Set up a new worker, which may allocate `memory_bytes` beyond what it shares with its fork server; or any."""
    global _model_bytes
    _model_bytes = 0
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    die_with_server()
    keep_freed_memory()
    if niceness:
        os.nice(niceness)
        # A batch worker that wakes up must not preempt a query.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    # When the machine runs out of memory, the kernel kills a worker, not the server.
    Path("/proc/self/oom_score_adj").write_text("500")
    if memory_bytes is None:
        return
    used = data_bytes()
    resource.setrlimit(resource.RLIMIT_DATA, (used + memory_bytes, used + memory_bytes))


def close_descriptors(kept: Collection[int]) -> None:
    """Close all that this process has inherited and does not need."""
    for path in list(Path("/proc/self/fd").iterdir()):
        if int(path.name) not in kept:
            with suppress(OSError):  # the one of the listing
                os.close(int(path.name))


def die_with_server() -> None:
    """Have the kernel kill this process when its parent dies, and when the server's end of their pipe closes.

    Both work while native code runs.
    """
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
    """The memory of this process that RLIMIT_DATA counts, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


def keep_freed_memory() -> None:
    """Have glibc keep freed memory for the next forward pass, instead of returning it to the system.

    Getting it back page by page takes a fifth of the time of embedding.
    """
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, _MALLOC_THRESHOLD_BYTES)
    libc.mallopt(_M_TRIM_THRESHOLD, _MALLOC_THRESHOLD_BYTES)


def return_freed_memory() -> None:
    """Return unused heap memory to the system; takes 10 to 30 ms.

    After files of many sizes, fragmentation makes glibc keep hundreds of megabytes.
    """
    ctypes.CDLL(None).malloc_trim(0)
