"""The process that all workers are forked from, with torch and the model loaded: reached, and ended."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import signal
from multiprocessing.context import ForkServerContext

START_S = 120.0  # it loads torch and a model, on a busy machine
GONE = 255  # what multiprocessing reports of a worker whose fork server is dead


def forkserver() -> ForkServerContext:
    """The context of all workers; to be called in the thread that starts one, which must not be the main thread."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipeline.workers.preload"])
    # Ctrl-C goes to every process of the terminal: the fork server has it blocked before it can ignore it. This thread
    # is no main thread, so it needs none; the tracker is started first because starting it unblocks the signal.
    multiprocessing.resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    return context


def end_forkserver() -> None:
    """Kill it when the thread that waits for it would wait too long: it still loads, or hangs."""
    pid = multiprocessing.forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
