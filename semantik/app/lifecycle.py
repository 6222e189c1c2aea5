"""The life cycle of a command's process: after a signal it ends within one deadline, and its child processes with it.

Must not know what is run. The guard runs in a thread of its own, because the loop itself may hang.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing.resource_tracker
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

STOP_S = 8.0  # to stop everything; the deadlines of the parts add up to less
_LOG_S = 1.0
_MAIN_ENDS = 0  # no signal has this number
_IDLE = ("_worker", "select")  # functions in which an executor's thread and the loop wait for work
_MAX_TITLE, _MAX_DEPTH = 60, 5
log = logging.getLogger("semantik")


class Lifecycle:
    """`Lifecycle().run(main)` is `asyncio.run(main)` for a process that does nothing else.

    SIGTERM or Ctrl-C cancels `main`, which then has 8 s to stop, threads included. After that, or at a second
    signal, all its child processes are killed and the process exits. SIGHUP sets the event `hangup`, if given;
    a SIGHUP because the terminal was closed ends the process like SIGTERM.
    """

    def __init__(self, hangup: asyncio.Event | None = None) -> None:
        self._hangup = hangup
        self._had_terminal = _has_terminal()
        self._signals, self._wakeup = socket.socketpair()
        self._wakeup.setblocking(False)  # set_wakeup_fd requires it
        self._earlier_children = set(psutil.Process().children(recursive=True))

    def run(self, main: Coroutine[Any, Any, int]) -> int:
        """Return the status of `main`; 0 when a signal ended it. No process that it started is left then."""
        reload = () if self._hangup is None else (signal.SIGHUP,)
        for number in (signal.SIGTERM, signal.SIGINT, *reload):
            signal.signal(number, _ignore)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        try:
            return asyncio.run(self._guarded(main))
        except asyncio.CancelledError:
            return 0
        finally:
            _kill(self._child_processes())

    def start_deadline(self) -> None:
        """`main` is about to return: start the same deadline as after a signal."""
        self._wakeup.send(bytes([_MAIN_ENDS]))

    async def _guarded(self, main: Coroutine[Any, Any, int]) -> int:
        task = asyncio.current_task()
        assert task is not None
        on_loop = asyncio.get_running_loop().call_soon_threadsafe
        guard = partial(self._guard, partial(on_loop, task.cancel), on_loop)
        threading.Thread(target=guard, name="lifecycle", daemon=True).start()
        return await main

    def _guard(self, cancel: Callable[[], object], on_loop: Callable[..., object]) -> None:
        by_signal = self._wait_for_end(None, on_loop) != _MAIN_ENDS
        if by_signal:
            with suppress(RuntimeError):  # the loop is closed already
                cancel()
        again = self._wait_for_end(STOP_S, on_loop) is not None
        why = "A second signal came" if again else f"Not everything stopped within {STOP_S:g} s"
        try:
            children = self._child_processes()
            # Writing the log may hang too, and so may reading the title of a process.
            logging_thread = threading.Thread(target=_log_remaining, args=(why, children), daemon=True)
            logging_thread.start()
            logging_thread.join(_LOG_S)
            _kill(children)
        finally:
            os._exit(0 if by_signal else 1)

    def _wait_for_end(self, within_s: float | None, on_loop: Callable[..., object]) -> int | None:
        """The next signal that ends the process, or _MAIN_ENDS; None when none comes within the time."""
        deadline = None if within_s is None else time.monotonic() + within_s
        while select.select([self._signals], [], [], deadline and max(0.0, deadline - time.monotonic()))[0]:
            number = self._signals.recv(1)[0]
            if number != signal.SIGHUP or self._hangup is None:
                return number
            if self._had_terminal and not _has_terminal():
                return number
            with suppress(RuntimeError):
                on_loop(self._hangup.set)
        return None

    def _child_processes(self) -> list[psutil.Process]:
        children = psutil.Process().children(recursive=True)
        return [process for process in children if process not in self._earlier_children]


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing: the interpreter has written the signal's number to the wake-up socket."""


def _log_remaining(why: str, children: list[psutil.Process]) -> None:
    busy = [
        f"the thread {thread.name} in {' < '.join(functions[:_MAX_DEPTH])}"
        for thread in threading.enumerate()
        if not thread.daemon and (functions := _functions(thread)) and functions[0] not in _IDLE
    ]
    titles = [title for process in children if (title := _title(process))]
    log.warning("%s; ending at once, with %s", why, ", ".join(titles + busy) or "nothing left")


def _functions(thread: threading.Thread) -> list[str]:
    """The thread's current call stack, innermost function first; empty when it has ended."""
    frame = sys._current_frames().get(thread.ident or 0)
    names = []
    while frame is not None:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names


def _title(process: psutil.Process) -> str:
    """The command line without folders, and the pid; empty when the process has ended."""
    try:
        words = [Path(word).name if word.startswith("/") else word for word in process.cmdline()]
    except psutil.NoSuchProcess:
        return ""
    return f"{' '.join(words)[:_MAX_TITLE]} ({process.pid})" if words else ""


def _kill(processes: list[psutil.Process]) -> None:
    """SIGKILL also ends stopped processes. multiprocessing's resource tracker ends by itself after its clean-up."""
    tracker = multiprocessing.resource_tracker._resource_tracker._pid  # type: ignore[attr-defined]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.pid == tracker:
                process.resume()
            else:
                process.kill()
