"""The life of a command's process: a signal ends it within one deadline, whatever hangs, and all it started with it.

Must not know what is run. The guard is a thread of its own, because the loop may be among what stands still.
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

STOP_S = 8.0  # for the whole way down; what the parts may take on it by themselves adds up to less
_TELL_S = 1.0
_BY_ITSELF = 0  # no signal has this number
_IDLE = ("_worker", "select")  # the functions in which an executor's thread and the loop wait for work
_MAX_TITLE, _MAX_DEPTH = 60, 5
log = logging.getLogger("semantik")


class Lifecycle:
    """`Lifetime().run(main)` is `asyncio.run(main)` for a process that has no other purpose.

    SIGTERM or Ctrl-C cancels `main`, which has 8 s from there to leave all that it has entered, its threads
    included. After that, or at a second signal, all processes below this one are killed and it exits.
    SIGHUP sets `hung_up`, if one is given; when its terminal was closed, it ends it all the same.
    """

    def __init__(self, hung_up: asyncio.Event | None = None) -> None:
        self._hung_up = hung_up
        self._had_terminal = _has_terminal()
        self._heard, self._wake = socket.socketpair()
        self._wake.setblocking(False)  # the interpreter asks for it
        self._strangers = set(psutil.Process().children(recursive=True))

    def run(self, main: Coroutine[Any, Any, int]) -> int:
        """The status that `main` returns; 0 when a signal ended it. Nothing that it started is left then."""
        hangup = () if self._hung_up is None else (signal.SIGHUP,)
        for number in (signal.SIGTERM, signal.SIGINT, *hangup):
            signal.signal(number, _noted)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        try:
            return asyncio.run(self._guarded(main))
        except asyncio.CancelledError:
            return 0
        finally:
            _kill(self._below())

    def leave(self) -> None:
        """`main` ends by itself from here on: the deadline counts as it does from a signal."""
        self._wake.send(bytes([_BY_ITSELF]))

    async def _guarded(self, main: Coroutine[Any, Any, int]) -> int:
        task = asyncio.current_task()
        assert task is not None
        on_loop = asyncio.get_running_loop().call_soon_threadsafe
        guard = partial(self._guard, partial(on_loop, task.cancel), on_loop)
        threading.Thread(target=guard, name="lifetime", daemon=True).start()
        return await main

    def _guard(self, cancel: Callable[[], object], on_loop: Callable[..., object]) -> None:
        by_signal = self._hear(None, on_loop) != _BY_ITSELF
        if by_signal:
            with suppress(RuntimeError):  # the loop is closed: it was about to end anyway
                cancel()
        again = self._hear(STOP_S, on_loop) is not None
        why = "A second signal came" if again else f"Not everything stopped within {STOP_S:g} s"
        try:
            below = self._below()
            # The log may hang too, and so may asking a process for its name.
            telling = threading.Thread(target=_tell, args=(why, below), daemon=True)
            telling.start()
            telling.join(_TELL_S)
            _kill(below)
        finally:
            os._exit(0 if by_signal else 1)

    def _hear(self, within_s: float | None, on_loop: Callable[..., object]) -> int | None:
        """The next number that means an end; None when none comes in time."""
        deadline = None if within_s is None else time.monotonic() + within_s
        while select.select([self._heard], [], [], deadline and max(0.0, deadline - time.monotonic()))[0]:
            number = self._heard.recv(1)[0]
            if number != signal.SIGHUP or self._hung_up is None:
                return number
            if self._had_terminal and not _has_terminal():
                return number
            with suppress(RuntimeError):
                on_loop(self._hung_up.set)
        return None

    def _below(self) -> list[psutil.Process]:
        below = psutil.Process().children(recursive=True)
        return [process for process in below if process not in self._strangers]


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _noted(number: int, frame: FrameType | None) -> None:
    """The interpreter has written the signal's number to the wake-up socket."""


def _tell(why: str, below: list[psutil.Process]) -> None:
    busy = [
        f"the thread {thread.name} in {' < '.join(functions[:_MAX_DEPTH])}"
        for thread in threading.enumerate()
        if not thread.daemon and (functions := _functions(thread)) and functions[0] not in _IDLE
    ]
    titles = [title for process in below if (title := _title(process))]
    log.warning("%s; ending at once, with %s", why, ", ".join(titles + busy) or "nothing left")


def _functions(thread: threading.Thread) -> list[str]:
    """What the thread executes at the moment, innermost first; empty when it has ended."""
    frame = sys._current_frames().get(thread.ident or 0)
    names = []
    while frame is not None:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names


def _title(process: psutil.Process) -> str:
    """The process as a person knows it; empty when it has ended."""
    try:
        words = [Path(word).name if word.startswith("/") else word for word in process.cmdline()]
    except psutil.NoSuchProcess:
        return ""
    return f"{' '.join(words)[:_MAX_TITLE]} ({process.pid})" if words else ""


def _kill(processes: list[psutil.Process]) -> None:
    """SIGKILL ends a stopped process too. multiprocessing's tracker ends by itself, when it has tidied up after us."""
    tracker = multiprocessing.resource_tracker._resource_tracker._pid  # type: ignore[attr-defined]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.pid == tracker:
                process.resume()
            else:
                process.kill()
