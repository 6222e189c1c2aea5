"""One worker process that waits for short tasks, over a socket of its own on the loop: no thread stands in between.

Runs on the loop; knows neither models nor questions. A new one comes up as soon as the process is gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess
from typing import Any

from pipeline import worker
from pipeline.crew import AGAIN_S, START_S, WorkerDied, end_forkserver, forkserver
from semantik.errors import Unavailable

_ATTEMPTS = 3
_EXIT_S = 1.0
_LENGTH = struct.Struct("!I")
_log = logging.getLogger(__name__)


class _Gone(Exception):
    """The process has ended."""


class Attendant:
    """Takes tasks one at a time, in the order in which they came; the rest wait on the loop."""

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._turn = asyncio.Lock()
        self._starting: asyncio.Task[_Line] | None = None
        self._watching: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """The function's result from the worker.

        Raises what the function raises; WorkerDied when it takes longer than `timeout_s`, or has ended worker after
        worker; Unavailable when none can be started, or the attendant is closing.
        """
        async with self._turn:
            for _ in range(_ATTEMPTS):
                line = await self._line()
                with suppress(_Gone):
                    good, result = await self._answer(line, function, args, timeout_s)
                    if good:
                        return result
                    raise result
            raise WorkerDied(await line.exit_code())

    @staticmethod
    async def _answer(
        line: _Line, function: Callable[..., Any], args: tuple[Any, ...], timeout_s: float
    ) -> tuple[bool, Any]:
        try:
            async with asyncio.timeout(timeout_s):
                return await line.call(function, args)
        except TimeoutError as error:
            line.end()
            raise WorkerDied(-signal.SIGALRM) from error
        except asyncio.CancelledError:
            line.end()  # its answer would come to the wrong question
            raise

    def pids(self) -> list[int]:
        """The process, when there is one at the moment."""
        starting = self._starting
        if starting is None or not starting.done() or starting.cancelled() or starting.exception():
            return []
        return [pid for pid in [starting.result().process.pid] if pid is not None]

    async def close(self) -> None:
        """End the worker, whatever it does; tasks under way raise Unavailable."""
        self._closed = True
        if self._starting is None:
            return
        while not self._starting.done():  # again and again: the thread may be just about to launch it
            end_forkserver()
            await asyncio.wait({self._starting}, timeout=AGAIN_S)
        if not self._starting.exception():
            line = self._starting.result()
            line.end()
            await line.exit_code()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _line(self) -> _Line:
        if self._closed:
            raise Unavailable("The server is shutting down.")
        starting = self._starting
        if starting is None or (starting.done() and (starting.exception() or starting.result().ended)):
            starting = self._start()
        try:
            async with asyncio.timeout(START_S):
                return await asyncio.shield(starting)
        except TimeoutError as error:
            raise Unavailable(f"The worker process is not up after {START_S:.0f} seconds.", 10) from error
        except (OSError, EOFError) as error:  # the fork server died, and again
            raise Unavailable("No worker process can be started; the server's log tells more.", 10) from error

    def _start(self) -> asyncio.Task[_Line]:
        starting = self._starting = asyncio.create_task(self._started())
        starting.add_done_callback(lambda done: done.cancelled() or done.exception())
        return starting

    async def _started(self) -> _Line:
        for left in reversed(range(_ATTEMPTS)):
            try:
                process, ours = await asyncio.to_thread(_launch, self._memory_bytes)
                break
            except (OSError, EOFError):
                if not left or self._closed:
                    raise
        reader, writer = await asyncio.open_connection(sock=ours)
        line = _Line(process, reader, writer)
        watching = asyncio.create_task(self._watch(line))
        self._watching.add(watching)
        watching.add_done_callback(self._watching.discard)
        return line

    async def _watch(self, line: _Line) -> None:
        """Have another come up when this one is gone, unless it was of no use, or there is another already."""
        await line.listen()
        if not self._closed and line.answered and self._is(line):
            _log.warning("the worker for questions is gone and is started again")
            self._start()

    def _is(self, line: _Line) -> bool:
        now = self._starting
        return now is not None and now.done() and not now.exception() and now.result() is line


class _Line:
    """A worker and the socket to it; one call at a time."""

    def __init__(
        self, process: BaseProcess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self.answered = False
        self.ended = False
        self._reader = reader
        self._writer = writer
        self._answer: asyncio.Future[tuple[bool, Any]] | None = None

    async def call(self, function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[bool, Any]:
        """Whether it went well, and the result or the error. Raises _Gone when the process ends first."""
        if self.ended:
            raise _Gone
        self._answer = asyncio.get_running_loop().create_future()
        task = pickle.dumps((function, args))
        self._writer.write(_LENGTH.pack(len(task)) + task)
        return await self._answer

    async def listen(self) -> None:
        """Hand over the answers; returns when the process is gone."""
        try:
            while True:
                (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
                answer = pickle.loads(await self._reader.readexactly(length))
                self.answered = True
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(answer)
        except (OSError, EOFError):
            return
        finally:
            self.end()
            self._writer.close()
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(_Gone())

    def end(self) -> None:
        """Kill the process; nobody waits for it any more."""
        self.ended = True
        if self.process.pid is not None and self.process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)

    async def exit_code(self) -> int:
        """How the process ended, once it has; a moment is waited for that."""
        await asyncio.to_thread(self.process.join, _EXIT_S)
        return self.process.exitcode or 0


def _launch(memory_bytes: int) -> tuple[BaseProcess, socket.socket]:
    """A worker that listens; blocks until the fork server has loaded what it preloads. Raises OSError, EOFError."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = forkserver().Process(target=worker.attend, args=(theirs, memory_bytes), daemon=True)
        try:
            process.start()
        except BaseException:
            ours.close()
            raise
    ours.setblocking(False)
    return process, ours
