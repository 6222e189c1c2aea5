"""The connection to one worker process: tasks out, responses in, over a socket on the loop.

Runs on the loop; knows neither files nor models. A message is a pickle after its length in four bytes.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_EXIT_TIMEOUT_S = 1.0
_LENGTH = struct.Struct("!I")


class ConnectionLost(Exception):
    """The worker process has ended."""


class WorkerConnection:
    """A worker process and the socket to it; one call at a time."""

    def __init__(
        self, process: BaseProcess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self.has_responded = False
        self.closed = False
        self.started_s = time.monotonic()
        self._inherited_bytes = _anonymous_bytes(process.pid)
        self._model_bytes = 0
        self._reader = reader
        self._writer = writer
        self._response: asyncio.Future[tuple[bool, Any]] | None = None

    async def call(self, function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[bool, Any]:
        """(True, result) or (False, error). Raises ConnectionLost when the process ends first."""
        if self.closed:
            raise ConnectionLost
        task = pickle.dumps((function, args))
        self._response = asyncio.get_running_loop().create_future()
        self._writer.write(_LENGTH.pack(len(task)) + task)
        del task  # it may be large, and the response may take long
        try:
            return await self._response
        finally:
            self._response = None  # it may be large

    async def read_responses(self) -> bool:
        """Deliver responses until the process has ended; returns whether it ended by itself and without a task."""
        try:
            while True:
                (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
                self._deliver(await self._reader.readexactly(length))
        except (OSError, EOFError):
            return not self.closed and (self._response is None or self._response.done())
        finally:
            self.kill()
            if self._response is not None and not self._response.done():
                self._response.set_exception(ConnectionLost())

    def _deliver(self, response: bytes) -> None:
        self.has_responded = True
        if self._response is not None and not self._response.done():
            succeeded, result, self._model_bytes = pickle.loads(response)
            self._response.set_result((succeeded, result))

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
