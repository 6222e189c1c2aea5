"""Waiting for the end of processes that are not the tests' own children, and for their suspension."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil
from support.patience import patience


def still_running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Wait until all have ended; those that have not in time.

    A process has ended when the kernel says so: whether somebody has buried it is another matter, and in a container
    the process that buries orphans may take seconds to come by.
    """
    deadline = time.monotonic() + patience()
    return [process for process in processes if not _ended(process, deadline)]


def suspend(pid: int) -> None:
    """Suspend a process until SIGCONT; returns when none of its threads runs any more.

    The signal reaches each of them when it is scheduled next, and until then they may still answer.
    """
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + patience()
    while not _states(pid) <= set("TtZX"):
        assert time.monotonic() < deadline, f"the process {pid} is not suspended"
        time.sleep(0.002)


def _states(pid: int) -> set[str]:
    states = set()
    for task in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended
            states.add(task.read_text().rpartition(") ")[2][0])
    return states


def _ended(process: psutil.Process, deadline: float) -> bool:
    try:
        ending = os.pidfd_open(process.pid)
    except (
        ProcessLookupError,
        FileNotFoundError,
    ):  # Linux 6.15: ENOENT while it is removed, or for a thread's number
        return True
    try:
        if not process.is_running():  # the number is another's by now
            return True
        waiting = select.poll()
        waiting.register(ending, select.POLLIN)
        return bool(waiting.poll(max(0.0, deadline - time.monotonic()) * 1000))
    finally:
        os.close(ending)


def command_line(process: psutil.Process) -> list[str]:
    """The process's command; empty when it has ended. A test process is also the parent of ended orphans of servers."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie, too
        return []
