"""One worker process that waits for tasks, over a socket of its own on the loop: no thread stands in between.

Runs on the loop; knows neither files nor models. A new one comes up as soon as the process is gone. The death of the
fork server costs everybody a few seconds, and nobody a task.
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

from pipeline.compute import env
from pipeline.workers import worker
from pipeline.workers.fork_server import GONE, START_S, ForkServer
from semantik.core.errors import Unavailable

_ATTEMPTS = 5
_AGAIN_S = 0.2
_EXIT_S = 1.0
_READ_AHEAD = 1 << 20  # bytes of an answer; a long document is many megabytes
_LENGTH = struct.Struct("!I")
_log = logging.getLogger(__name__)


class WorkerDied(Exception):
    """The worker that had the task ended: `timed_out`, `out_of_memory`, or for what `exitcode` tells."""

    def __init__(self, exitcode: int) -> None:
        self.exitcode = exitcode
        self.timed_out = exitcode == -signal.SIGALRM
        self.out_of_memory = exitcode == env.OUT_OF_MEMORY
        name = signal.Signals(-exitcode).name if exitcode < 0 else f"status {exitcode}"
        reason = f"its worker process ended with {name}"
        if self.timed_out or self.out_of_memory:
            reason = "it took too long" if self.timed_out else "it needs more memory than a worker may take"
        super().__init__(reason)


class _ConnectionLost(Exception):
    """The process has ended."""


class WorkerClient:
    """Takes tasks one at a time, in the order in which they came; the rest wait on the loop.

    Its process is forked from `server`. A task that ends its worker is given to so many others as are to `spare`.
    """

    def __init__(self, server: ForkServer, *, nice: bool, memory_bytes: int, spare: int = 0) -> None:
        self._server = server
        self._role = (nice, memory_bytes)
        self._spare = spare
        self._turn = asyncio.Lock()
        self._starting: asyncio.Task[WorkerConnection] | None = None
        self._watching: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """The function's result from the worker; cancelling ends the worker.

        Raises what the function raises; WorkerDied when it takes longer than `timeout_s`, or ends its worker;
        Unavailable when none can be started, or the attendant is closing.
        """
        async with self._turn:
            spare = self._spare
            for _ in range(_ATTEMPTS):
                line = await self._line()
                with suppress(_ConnectionLost):
                    good, result = await self._answer(line, function, args, timeout_s)
                    if good:
                        return result
                    raise result
                code = await line.exit_code()
                if self._closed:
                    continue  # where it is refused
                if code != GONE:
                    if not spare:
                        raise WorkerDied(code)
                    spare -= 1
                _log.warning("a worker process is gone, and another gets its task")
            raise Unavailable("The worker processes end again and again; the server's log tells more.", 10)

    @staticmethod
    async def _answer(
        line: WorkerConnection, function: Callable[..., Any], args: tuple[Any, ...], timeout_s: float
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

    def begin(self) -> None:
        """Have the worker come up before it is needed."""
        if self._starting is None and not self._closed:
            self._start()

    @property
    def is_up(self) -> bool:
        """Whether the process is there, as far as is known."""
        return self._present() is not None

    @property
    def is_starting(self) -> bool:
        """Whether the process is about to come up."""
        return self._starting is not None and not self._starting.done()

    def retire(self) -> None:
        """End the process, unless it is about to come up; another comes with the next task. There is no task now."""
        assert not self._turn.locked()
        line = self._present()
        if line is not None:
            self._starting = None  # so that nobody starts it again
            line.end()

    def pids(self) -> list[int]:
        """The process, when there is one at the moment. In any thread."""
        line = self._present()
        return [line.process.pid] if line is not None and line.process.pid is not None else []

    def _present(self) -> WorkerConnection | None:
        starting = self._starting
        if starting is None or not starting.done() or starting.cancelled() or starting.exception():
            return None
        return None if starting.result().ended else starting.result()

    async def close(self) -> None:
        """End the worker, whatever it does; tasks under way raise Unavailable."""
        self._closed = True
        if self._starting is None:
            return
        while not self._starting.done():  # again and again: the thread may be just about to launch it
            self._server.kill()
            await asyncio.wait({self._starting}, timeout=_AGAIN_S)
        if not self._starting.exception():
            line = self._starting.result()
            line.end()
            await line.exit_code()
            if line.process.exitcode is None:  # it stands still, and tells of no worker's end
                self._server.kill()
        await asyncio.gather(*self._watching, return_exceptions=True)

    async def _line(self) -> WorkerConnection:
        if self._closed:
            raise Unavailable("The server is shutting down.")
        starting = self._starting
        if starting is None or (starting.done() and not self.is_up):
            starting = self._start()
        try:
            async with asyncio.timeout(START_S):
                return await asyncio.shield(starting)
        except TimeoutError as error:
            raise Unavailable(f"The worker process is not up after {START_S:.0f} seconds.", 10) from error
        except (OSError, EOFError) as error:  # the fork server died, and again
            if self._closed:
                raise Unavailable("The server is shutting down.") from error
            raise Unavailable("No worker process can be started; the server's log tells more.", 10) from error

    def _start(self) -> asyncio.Task[WorkerConnection]:
        starting = self._starting = asyncio.create_task(self._started())
        starting.add_done_callback(lambda done: done.cancelled() or done.exception())
        return starting

    async def _started(self) -> WorkerConnection:
        loop = asyncio.get_running_loop()
        for left in reversed(range(_ATTEMPTS)):
            try:
                process, ours = await loop.run_in_executor(self._server.launcher, self._launch)
                break
            except (OSError, EOFError):
                if not left or self._closed:
                    raise
                await asyncio.sleep(_AGAIN_S)  # one that was just killed may pass for alive for a moment
        reader, writer = await asyncio.open_connection(sock=ours, limit=_READ_AHEAD)
        line = WorkerConnection(process, reader, writer)
        watching = asyncio.create_task(self._watch(line))
        self._watching.add(watching)
        watching.add_done_callback(self._watching.discard)
        return line

    def _launch(self) -> tuple[BaseProcess, socket.socket]:
        """A worker that listens. In the launching thread; blocks until the fork server has loaded what it preloads.

        Raises OSError or EOFError, the latter also when there is nobody any more to launch it for.
        """
        if self._closed:
            raise EOFError
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = self._server.launch(worker.attend, theirs, *self._role)
            except BaseException:
                ours.close()
                raise
        ours.setblocking(False)
        return process, ours

    async def _watch(self, line: WorkerConnection) -> None:
        """Have another come up when this one is gone, unless it was of no use, or there is another already."""
        asleep = await line.listen()
        if not self._closed and line.answered and self._is(line):
            if asleep:  # of what happens to a task, somebody is told
                _log.warning("a worker process is gone and is started again")
            self._start()

    def _is(self, line: WorkerConnection) -> bool:
        now = self._starting
        return now is not None and now.done() and not now.exception() and now.result() is line


class WorkerConnection:
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
            raise _ConnectionLost
        task = pickle.dumps((function, args))
        self._answer = asyncio.get_running_loop().create_future()
        self._writer.write(_LENGTH.pack(len(task)) + task)
        del task  # a text may be large, and its answer take long
        try:
            return await self._answer
        finally:
            self._answer = None  # it may be large

    async def listen(self) -> bool:
        """Hand over the answers; returns when the process is gone, whether it went by itself and had nothing to do."""
        try:
            while True:
                (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
                self._hand_over(await self._reader.readexactly(length))
        except (OSError, EOFError):
            return not self.ended and (self._answer is None or self._answer.done())
        finally:
            self.end()
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(_ConnectionLost())

    def _hand_over(self, answer: bytes) -> None:
        self.answered = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(pickle.loads(answer))

    def end(self) -> None:
        """Kill the process; nobody waits for it any more.

        One whose fork server died before it was noticed can't be told from a stranger: it loses its socket, and ends.
        """
        self.ended = True
        self._writer.transport.abort()
        if self.process.pid is not None and self.process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)

    async def exit_code(self) -> int:
        """How the process ended, once it has; a moment is waited for that."""
        await asyncio.to_thread(self.process.join, _EXIT_S)
        return self.process.exitcode or 0
