"""The connection to one worker process: tasks out, responses in, over a socket on the loop.

Runs on the loop; knows neither files nor models. `worker.py` describes the messages.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from pipeline.compute.answers import AnswerTooLarge, BadAnswer, decode, result_type
from pipeline.isolation.profile import Profile, Report
from pipeline.workers.file_opener import OpenedFiles

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_EXIT_TIMEOUT_S = 1.0
_LENGTH = struct.Struct("!I")
_MAX_REPORT_BYTES = _ERROR_BYTES = 1 << 18


class ConnectionLost(Exception):
    """The worker process has ended."""


@dataclass(frozen=True)
class Task:
    """A function with its arguments, and the files that it reads; its answer may have `max_answer_bytes`."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    max_answer_bytes: int


class WorkerConnection:
    """A worker process and the socket to it; one call at a time."""

    def __init__(
        self,
        process: BaseProcess,
        profile: Profile | None,
        connected: socket.socket,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """`profile` is what the process was started with, `connected` the socket of reader and writer."""
        self.process = process
        self.profile = profile
        self.has_responded = False
        self.closed = False
        self.started_s = time.monotonic()
        self._inherited_bytes = _anonymous_bytes(process.pid)
        self._model_bytes = 0
        self._socket = connected
        self._reader = reader
        self._writer = writer
        self._task: Task | None = None
        self._response: asyncio.Future[tuple[bool, Any]] | None = None
        self.report: asyncio.Future[Report | None] = asyncio.get_running_loop().create_future()
        """What the process has given up, once it says so; None where it is not isolated."""

    async def call(self, task: Task, files: OpenedFiles) -> tuple[bool, Any]:
        """(True, result) or (False, error); the files are handed over, and may be closed then.

        Raises ConnectionLost when the process ends first; BadAnswer or AnswerTooLarge, and then the process is killed.
        """
        if self.closed:
            raise ConnectionLost
        listed = tuple(zip(files.paths, files.failures, strict=True))
        message = pickle.dumps((task.function, task.args, listed, task.max_answer_bytes))
        self._response = asyncio.get_running_loop().create_future()
        self._task = task
        try:
            # The process waits, so the socket takes these bytes at once.
            socket.send_fds(self._socket, [_LENGTH.pack(len(message))], files.descriptors)
        except OSError as error:
            raise ConnectionLost from error
        self._writer.write(message)
        del message  # it may be large, and the response may take long
        try:
            return await self._response
        finally:
            self._task = self._response = None  # they may be large

    async def read_responses(self) -> bool:
        """Deliver responses until the process has ended; returns whether it ended by itself and without a task."""
        try:
            self.report.set_result(_report(await self._read(_MAX_REPORT_BYTES)))
            while True:
                self._deliver(await self._read())
        except (OSError, EOFError, BadAnswer, AnswerTooLarge) as error:
            was_idle = not self.closed and (self._response is None or self._response.done())
            self._fail(error)
            return was_idle
        finally:
            self.kill()
            self._fail(ConnectionLost())
            if not self.report.done():
                self.report.set_exception(EOFError())
                self.report.exception()  # perhaps nobody waits for it any more

    async def _read(self, limit: int | None = None) -> bytes:
        (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
        if limit is None:  # a response that nobody waits for can only be one to a task that was cancelled
            limit = self._task.max_answer_bytes + _ERROR_BYTES if self._task else 0
        if length > limit:
            raise AnswerTooLarge
        return await self._reader.readexactly(length)

    def _deliver(self, response: bytes) -> None:
        self.has_responded = True
        if self._task is not None and self._response is not None and not self._response.done():
            expected = result_type(self._task.function)
            succeeded, result, self._model_bytes = decode(response, expected)
            self._response.set_result((succeeded, result))

    def _fail(self, error: Exception) -> None:
        """The task that is waited for gets the error, unless it has an answer or the error is of a closed socket."""
        if isinstance(error, OSError | EOFError):
            return
        if self._response is not None and not self._response.done():
            self._response.set_exception(error)

    def taken_bytes(self) -> int:
        """The memory that the process has taken, and not returned, since it was forked. Takes some 50 µs.

        What it shares with its fork server does not count, nor do the models that it has loaded.
        """
        return _anonymous_bytes(self.process.pid) - self._inherited_bytes - self._model_bytes

    def kill(self) -> None:
        """Kill the process and close the connection; nobody waits for the process.

        If its fork server died unnoticed, the process cannot be distinguished from another with the same id. Such a
        process is not killed; it ends because its socket closes.
        """
        self.closed = True
        self._writer.transport.abort()
        if self.process.pid is not None and self.process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)

    async def exit_code(self) -> int:
        """The exit code of the process; waits for its end, a second at most."""
        await asyncio.to_thread(self.process.join, _EXIT_TIMEOUT_S)
        return self.process.exitcode or 0


def _anonymous_bytes(pid: int | None) -> int:
    """The memory of a process that is no file's; 0 when it has ended."""
    try:
        resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * _PAGE_BYTES


def _report(answer: bytes) -> Report | None:
    succeeded, report, _ = decode(answer, Report | None)
    if not succeeded:
        raise report
    return report  # type: ignore[no-any-return]
