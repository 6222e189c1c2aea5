"""One worker process that waits for tasks, connected to the loop by a socket, without a thread in between.

Runs on the loop; knows neither files nor models. When the process dies, a new one starts at once. When the fork server
dies, tasks wait a few seconds, and none is lost.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from multiprocessing.process import BaseProcess
from typing import Any

from pipeline.compute import env
from pipeline.compute.answers import BadAnswer
from pipeline.embedding.device import CPU
from pipeline.workers import worker
from pipeline.workers.connection import ConnectionLost, Task, WorkerConnection
from pipeline.workers.file_opener import OpenedFiles, ToOpen
from pipeline.workers.fork_server import START_TIMEOUT_S, UNKNOWN_EXIT_CODE, ForkServer
from pipeline.workers.isolation import NOT_ISOLATED, WorkerIsolation
from semantik.core.errors import Unavailable

_ATTEMPTS = 5
_RETRY_DELAY_S = 0.2
_MIN_AGE_S = 5.0  # of a worker that is replaced: so a model that always needs more memory costs a hundredth of the time
_READ_BUFFER_BYTES = 1 << 20  # the response for a long document has many megabytes
MAX_ANSWER_BYTES = 256 << 20  # of a task that reads no files
_log = logging.getLogger(__name__)


class WorkerDied(Exception):
    """The worker that had the task ended: `timed_out`, `out_of_memory`, or else as `exitcode` says.

    `bad_answer` completes "it gave …", where the server has ended it for what it answered.
    """

    def __init__(self, exitcode: int, bad_answer: str = "") -> None:
        self.exitcode = exitcode
        self.timed_out = exitcode == -signal.SIGALRM
        self.out_of_memory = exitcode == env.OUT_OF_MEMORY
        name = signal.Signals(-exitcode).name if exitcode < 0 else f"status {exitcode}"
        reason = f"its worker process ended with {name}"
        if self.timed_out or self.out_of_memory:
            reason = "it took too long" if self.timed_out else "it needs more memory than a worker may take"
        if bad_answer:
            reason = f"its worker process gave {bad_answer}"
        super().__init__(reason)


class WorkerClient:
    """Gives tasks to one worker process, one at a time, in the order of the calls; waiting tasks stay on the loop.

    The process is forked from `server`, and its models compute on `device`. A task whose worker ends is given to up to
    `retries` further workers. A worker that keeps more than `rest_bytes` of memory after a task is replaced, unless
    that is 0 or the worker is new, and so is one whose profile is no longer that of `isolation`.
    """

    def __init__(
        self,
        server: ForkServer,
        *,
        niceness: int = 0,
        memory_bytes: int,
        rest_bytes: int = 0,
        retries: int = 0,
        device: str = CPU,
        isolation: WorkerIsolation = NOT_ISOLATED,
    ) -> None:
        self._server = server
        self._setup = worker.WorkerSetup(niceness, memory_bytes, device)
        self._isolation = isolation
        self._rest_bytes = rest_bytes
        self._retries = retries
        self._lock = asyncio.Lock()
        self._starting: asyncio.Task[WorkerConnection] | None = None
        self._watchers: set[asyncio.Task[None]] = set()
        self._closed = False

    async def run(
        self,
        function: Callable[..., Any],
        *args: Any,
        timeout_s: float,
        files: ToOpen | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> Any:
        """The function's result from the worker, which has the `files`, and no others; cancelling kills the worker.

        Raises what the function raises; WorkerDied when it takes longer than `timeout_s`, or ends its worker;
        AnswerTooLarge; Unavailable when no worker can be started, or the client is closing.
        """
        task = Task(function, args, max_answer_bytes)
        async with self._lock:
            retries = self._retries
            for _ in range(_ATTEMPTS):
                connection = await self._connect()
                with suppress(ConnectionLost):
                    succeeded, result = await self._call(connection, task, files, timeout_s)
                    self._replace_if_large(connection)
                    if succeeded:
                        return result
                    raise result
                exit_code = await connection.exit_code()
                if self._closed:
                    continue  # `_connect` raises
                if exit_code != UNKNOWN_EXIT_CODE:
                    if not retries:
                        raise WorkerDied(exit_code)
                    retries -= 1
                _log.warning("a worker process died; another one gets its task")
            raise Unavailable("The worker processes keep dying; the server's log has the details.", 10)

    @staticmethod
    async def _call(
        connection: WorkerConnection, task: Task, files: ToOpen | None, timeout_s: float
    ) -> tuple[bool, Any]:
        try:
            opened = await files.open() if files else OpenedFiles(())
        except TimeoutError as error:
            raise WorkerDied(-signal.SIGALRM) from error
        try:
            async with asyncio.timeout(timeout_s):
                with opened:
                    return await connection.call(task, opened)
        except BadAnswer as error:
            _log.error("a worker process gave a malformed answer to %s: %s", task.function.__name__, error)
            raise WorkerDied(-signal.SIGKILL, "a malformed answer") from error
        except TimeoutError as error:
            connection.kill()
            raise WorkerDied(-signal.SIGALRM) from error
        except asyncio.CancelledError:
            connection.kill()  # its response would be taken for that of the next task
            raise

    def _replace_if_outdated(self) -> None:
        """Start another process if this one may not read what tasks need by now, such as another model's folder."""
        connection = self._connection()
        if connection is not None and connection.profile != self._isolation.profile():
            self._start_process()
            connection.kill()

    def _replace_if_large(self, connection: WorkerConnection) -> None:
        """Free what the heap of a process keeps after a large file, by a new process; that starts in some 50 ms."""
        if self._closed or connection.closed or not self._rest_bytes:
            return
        age_s = time.monotonic() - connection.started_s
        if age_s >= _MIN_AGE_S and (taken := connection.taken_bytes()) > self._rest_bytes:
            _log.info("a worker process kept %d MB after its task and is replaced", taken >> 20)
            self._start_process()
            connection.kill()

    def start(self) -> None:
        """Start the worker before it is needed, unless it was started."""
        if self._starting is None and not self._closed:
            self._start_process()

    @property
    def is_up(self) -> bool:
        """Whether the process is connected."""
        return self._connection() is not None

    @property
    def is_starting(self) -> bool:
        """Whether the process is being started."""
        return self._starting is not None and not self._starting.done()

    def retire(self) -> None:
        """Kill the process, unless it is starting; the next task starts another. No task may be running."""
        assert not self._lock.locked()
        connection = self._connection()
        if connection is not None:
            self._starting = None  # otherwise `_watch` would start another process
            connection.kill()

    def pids(self) -> list[int]:
        """The current process, if there is one. May be called in any thread."""
        connection = self._connection()
        if connection is None or connection.process.pid is None:
            return []
        return [connection.process.pid]

    def _connection(self) -> WorkerConnection | None:
        starting = self._starting
        if starting is None or not starting.done() or starting.cancelled() or starting.exception():
            return None
        return None if starting.result().closed else starting.result()

    async def close(self) -> None:
        """Kill the worker, even during a task; running and waiting tasks raise Unavailable."""
        self._closed = True
        if self._starting is None:
            return
        while (
            not self._starting.done()
        ):  # repeated, because the launcher may be about to start the fork server
            self._server.kill()
            await asyncio.wait({self._starting}, timeout=_RETRY_DELAY_S)
        if not self._starting.exception():
            connection = self._starting.result()
            connection.kill()
            await connection.exit_code()
            if connection.process.exitcode is None:  # a stopped fork server does not report the worker's exit
                self._server.kill()
        await asyncio.gather(*self._watchers, return_exceptions=True)

    async def _connect(self) -> WorkerConnection:
        if self._closed:
            raise Unavailable("The server is shutting down.")
        self._replace_if_outdated()
        starting = self._starting
        if starting is None or (starting.done() and not self.is_up):
            starting = self._start_process()
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                return await asyncio.shield(starting)
        except TimeoutError as error:
            message = f"The worker process has not started within {START_TIMEOUT_S:.0f} seconds."
            raise Unavailable(message, 10) from error
        except (OSError, EOFError) as error:  # the fork server died in every attempt
            if self._closed:
                raise Unavailable("The server is shutting down.") from error
            raise Unavailable(
                "No worker process can be started; the server's log has the details.", 10
            ) from error

    def _start_process(self) -> asyncio.Task[WorkerConnection]:
        starting = self._starting = asyncio.create_task(self._launch_and_connect())
        starting.add_done_callback(lambda done: done.cancelled() or done.exception())
        return starting

    async def _launch_and_connect(self) -> WorkerConnection:
        loop = asyncio.get_running_loop()
        setup = replace(self._setup, profile=self._isolation.profile())
        for attempts_left in reversed(range(_ATTEMPTS)):
            try:
                process, client_socket = await loop.run_in_executor(
                    self._server.launcher, self._launch, setup
                )
                break
            except (OSError, EOFError):
                if not attempts_left or self._closed:
                    raise
                await asyncio.sleep(_RETRY_DELAY_S)  # a fork server that was just killed may still seem alive
        reader, writer = await asyncio.open_connection(sock=client_socket, limit=_READ_BUFFER_BYTES)
        connection = WorkerConnection(process, setup.profile, client_socket, reader, writer)
        watcher = asyncio.create_task(self._watch(connection))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        try:
            self._isolation.accept(await connection.report)
        except Unavailable:
            connection.kill()
            raise
        return connection

    def _launch(self, setup: worker.WorkerSetup) -> tuple[BaseProcess, socket.socket]:
        """A new worker and the socket to it. Runs in the launcher's thread; waits until the fork server is loaded.

        Raises OSError or EOFError when the fork server dies; EOFError also when the client was closed meanwhile.
        """
        if self._closed:
            raise EOFError
        client_socket, worker_socket = socket.socketpair()
        with worker_socket:
            try:
                process = self._server.launch(worker.serve, worker_socket, setup)
            except BaseException:
                client_socket.close()
                raise
        client_socket.setblocking(False)
        return process, client_socket

    async def _watch(self, connection: WorkerConnection) -> None:
        """Start another process when this one has ended, unless it never responded or was replaced already."""
        was_idle = await connection.read_responses()
        if not self._closed and connection.has_responded and self._is_latest(connection):
            if was_idle:  # otherwise the caller of the task gets the error
                _log.warning("a worker process died and is started again")
            self._start_process()

    def _is_latest(self, connection: WorkerConnection) -> bool:
        latest = self._starting
        return (
            latest is not None and latest.done() and not latest.exception() and latest.result() is connection
        )
