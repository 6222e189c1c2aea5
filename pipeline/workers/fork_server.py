"""The fork servers: processes that load what workers need, and from which workers are forked.

The base fork server has torch and the traced model of the default model; the worker for queries is forked from it. The
full one is forked from the base, so that they share torch, and has the model itself; batch workers are forked from it.
Blocking calls run in the thread of the fork server's `launcher`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from multiprocessing import connection, forkserver, popen_forkserver, reduction, spawn, util
from multiprocessing.context import set_spawning_popen
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from pipeline.compute import env
from semantik.core.child_environment import child_environment

START_TIMEOUT_S = 120.0  # loading torch and a model, on a busy machine
UNKNOWN_EXIT_CODE = 255  # reported by multiprocessing for a worker whose fork server is dead
_STOP_TIMEOUT_S = 2.0
_COMMAND = (
    "import json, sys; args = json.loads(sys.argv[1]); sys.path[:] = sys.argv[2:]; "
    "from pipeline.workers.fork_server import forkserver_main; forkserver_main(*args)"
)
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
Preload = Callable[..., None]


class ForkServer(forkserver.ForkServer):
    """The base fork server, which is started by a command. If it has died, `launch` starts it again.

    It calls `preload(*arguments)` once, an importable function; no thread may be alive when that returns.
    """

    def __init__(self, preload: Preload, *arguments: str) -> None:
        super().__init__()
        self.launcher = ThreadPoolExecutor(1, "launch")
        self._preload = preload
        self._arguments = arguments
        self._listener_path: str | None = None

    def launch(self, target: Callable[..., None], *args: Any) -> BaseProcess:
        """A new process that calls `target(*args)`; blocks until the fork server has run `preload`.

        Raises OSError or EOFError when the fork server dies meanwhile.
        """
        process = _Process(self, target, args)
        process.start()
        return process

    def kill(self) -> None:
        """Kill it, and with it all its workers. May be called in any thread, also while the launcher waits for it."""
        if (pid := self.pid()) is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def pid(self) -> int | None:
        """The process, if one was started; it may have ended since."""
        return self._forkserver_pid

    def stop(self) -> None:
        """Kill it and wait for its end; the next `launch` starts it again. Call it in the launcher."""
        with self._lock:  # type: ignore[attr-defined]
            if self._is_running():
                self.kill()
                self._wait()
            self._reset()

    def ensure_running(self) -> None:
        """Start it unless it runs, without waiting for `preload`."""
        with self._lock:  # type: ignore[attr-defined]
            # Ctrl-C sends SIGINT to every process of the terminal. The fork server inherits this thread's mask, which
            # blocks it until the fork server ignores it. Only the main thread needs the signal.
            if threading.current_thread() is not threading.main_thread():
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            if self._is_running():
                return
            self._reset()
            with socket.socket(socket.AF_UNIX) as listener:
                self._listener_path = connection.arbitrary_address("AF_UNIX")  # type: ignore[attr-defined]
                listener.bind(self._listener_path)
                os.chmod(self._listener_path, 0o600)  # noqa: PTH101
                listener.listen()
                alive_r, alive_w = os.pipe()
                try:
                    self._start(listener, alive_r)
                except BaseException:
                    os.close(alive_w)
                    raise
                finally:
                    os.close(alive_r)
                self._forkserver_address, self._forkserver_alive_fd = self._listener_path, alive_w

    def connect_to_new_process(self, fds: Sequence[int]) -> tuple[int, int]:
        """As in multiprocessing, without its resource tracker: workers have no resources that outlive them."""
        self.ensure_running()
        with socket.socket(socket.AF_UNIX) as client, Path(os.devnull).open("wb") as nothing:
            client.connect(self._forkserver_address)
            parent_r, child_w = os.pipe()
            child_r, parent_w = os.pipe()
            assert self._forkserver_alive_fd is not None
            passed = [child_r, child_w, self._forkserver_alive_fd, nothing.fileno(), *fds]
            try:
                reduction.sendfds(client, passed)
            except BaseException:
                os.close(parent_r)
                os.close(parent_w)
                raise
            finally:
                os.close(child_r)
                os.close(child_w)
        return parent_r, parent_w

    def _start(self, listener: socket.socket, alive_r: int) -> None:
        preload = (self._preload.__module__, self._preload.__qualname__, self._arguments)
        args = json.dumps([listener.fileno(), alive_r, *preload])
        flags = util._args_from_interpreter_flags()  # type: ignore[attr-defined]
        command = [os.fsencode(spawn.get_executable()), *flags, "-c", _COMMAND, args, *sys.path]
        # Its environment, and that of all workers: it has none of the server's secrets.
        inherited = [(os.POSIX_SPAWN_DUP2, each, each) for each in (listener.fileno(), alive_r)]
        self._forkserver_pid = os.posix_spawn(
            command[0], command, child_environment(os.environ), file_actions=inherited
        )

    def _is_running(self) -> bool:
        return self._forkserver_pid is not None and not os.waitpid(self._forkserver_pid, os.WNOHANG)[0]

    def _wait(self) -> None:
        if self._forkserver_pid is not None:
            os.waitpid(self._forkserver_pid, 0)

    def _reset(self) -> None:
        self._forkserver_pid = None  # type: ignore[assignment]
        self._forkserver_address = None
        if self._forkserver_alive_fd is not None:
            os.close(self._forkserver_alive_fd)
            self._forkserver_alive_fd = None  # type: ignore[assignment]
        if self._listener_path is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._listener_path)  # noqa: PTH108
            self._listener_path = None


class FullForkServer(ForkServer):
    """A fork server that is forked from `base` and ends with it."""

    def __init__(self, base: ForkServer, preload: Preload, *arguments: str) -> None:
        super().__init__(preload, *arguments)
        self._base = base
        self._process: BaseProcess | None = None

    def kill(self) -> None:
        if self._process is None:
            self._base.kill()  # the launcher may be waiting for it
        elif self._process.is_alive():
            super().kill()

    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def _start(self, listener: socket.socket, alive_r: int) -> None:
        alive = connection.Connection(os.dup(alive_r), writable=False)
        with alive:
            self._process = self._base.launch(_full_main, listener, alive, self._preload, self._arguments)

    def _is_running(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def _wait(self) -> None:
        if self._process is not None:
            self._process.join(_STOP_TIMEOUT_S)  # a stopped base does not report it

    def _reset(self) -> None:
        self._process = None
        super()._reset()


class _Process(BaseProcess):
    """A process of multiprocessing, forked from a given fork server."""

    _start_method = "forkserver"

    def __init__(self, server: ForkServer, target: Callable[..., None], args: tuple[Any, ...]) -> None:
        super().__init__(target=target, args=args, daemon=True)
        self._server: ForkServer | None = server

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_server": None}

    def _Popen(self, process: BaseProcess) -> _Popen:  # noqa: N802
        assert self._server is not None
        return _Popen(process, self._server)


class _Popen(popen_forkserver.Popen):
    def __init__(self, process: BaseProcess, server: ForkServer) -> None:
        self._server = server
        self._poll_lock = threading.Lock()
        super().__init__(process)

    def _launch(self, process: BaseProcess) -> None:
        """As in multiprocessing, which has a single fork server."""
        buffer = BytesIO()
        set_spawning_popen(self)
        try:
            reduction.dump(spawn.get_preparation_data(process.name), buffer)
            reduction.dump(process, buffer)
        finally:
            set_spawning_popen(None)
        self.sentinel, writer = self._server.connect_to_new_process(self._fds)  # type: ignore[attr-defined]
        parent_writer = os.dup(writer)  # when it closes, the process knows that the server has ended
        ends = (parent_writer, self.sentinel)
        self.finalizer = util.Finalize(self, util.close_fds, ends)  # type: ignore[attr-defined]
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(buffer.getbuffer())
        self.pid = forkserver.read_signed(self.sentinel)

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        """Serialized: the exit status can be read only once, and a second reader would get UNKNOWN_EXIT_CODE."""
        with self._poll_lock:
            return super().poll(flag)


def forkserver_main(listener_fd: int, alive_r: int, module: str, name: str, arguments: Sequence[str]) -> None:
    """The main function of the base fork server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server alone decides when its workers end
    # The libraries read these when they are imported. A worker computes on one thread.
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = "1"
    with suppress(ImportError):  # the task that needs the library raises it again
        _preload(getattr(importlib.import_module(module), name), arguments)
    forkserver.main(listener_fd, alive_r, ())


def _full_main(
    listener: socket.socket, alive: connection.Connection, preload: Preload, arguments: Sequence[str]
) -> None:
    """The main function of the full fork server."""
    env.die_with_server()
    with suppress(ImportError):
        _preload(preload, arguments)
    alive_r = os.dup(alive.fileno())
    alive.close()
    forkserver.main(listener.detach(), alive_r, ())


def _preload(preload: Preload, arguments: Sequence[str]) -> None:
    # What is loaded here stays. Collecting garbage in it would take a quarter of the time of loading, and make workers
    # copy pages that they share.
    gc.disable()
    try:
        preload(*arguments)
    finally:
        gc.freeze()
        gc.enable()
