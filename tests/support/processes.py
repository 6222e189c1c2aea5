"""Waiting for the end of processes that are not the tests' own children."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable

import psutil
from support.patience import patience


def still_running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Wait until all have ended; those that have not in time.

    A process has ended when the kernel says so: whether somebody has buried it is another matter, and in a container
    the process that buries orphans may take seconds to come by.
    """
    deadline = time.monotonic() + patience()
    return [process for process in processes if not _ended(process, deadline)]


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
