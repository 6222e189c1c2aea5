"""Semantik on several machines: three servers, two workers of a Dask cluster, its scheduler, MongoDB and Redis, and
Milvus where the servers have their vectors in it.

Each is a process of its own on a machine of a `Network`. They keep their files on one disk, as with a network drive.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil
from support.local_tls import Authority
from support.namespaces import Loopback, Network
from support.patience import patience
from support.server import ROOT, Stores, given_settings

SERVERS = ("server-1", "server-2", "server-3")
WORKERS = ("worker-1", "worker-2")
ENGINE = "milvus"
NAMES = ("mongo", "redis", "scheduler", *WORKERS, *SERVERS)

_MONGO, _REDIS, _SCHEDULER, _SERVER, _WORKER = 27017, 6379, 8786, 8080, 8790
_MILVUS = 19530
_LOOK_S = 0.1
_SUPPORT = Path(__file__).parent
_READY = {"server": "Semantik is ready: ", "worker": "Semantik's worker is ready: "}
_SCHEDULER_SETTINGS = {
    "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "15s",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "20s",
}
_SERVER_FLAGS = (
    *("--auth-registration", "open", "--operations-lease-s", "5", "--progress-linger-s", "2"),
    *("--progress-updates-per-s", "50", "--sockets-per-user", "500", "--sockets-per-operation", "500"),
    *("--pool-batch-files", "4", "--embedding-batch-chunks", "16", "--reindex-grace-s", "2"),
)


# Its HNSW misses what a filter leaves.
_ENGINE_FLAGS = ("--index-engine", "milvus", "--milvus-index-type", "FLAT", "--milvus-timeout-s", "3")


class Machine:
    """One program on one machine. A killed one is started again with the same command."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        answers: Callable[[], bool],
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        # Folders of the tests have the names of packages, and a path to them would come before these.
        inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self._command, self._env, self._answers = list(command), {**inherited, **env}, answers
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._env)

    def wait_ready(self) -> None:
        until = time.monotonic() + patience(40)
        while not self._answers():
            alive = self.process.poll() is None and time.monotonic() < until
            assert alive, f"{self.name} did not start: {self.log.read_text()}"
            time.sleep(_LOOK_S)

    def tree(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            program = psutil.Process(self.process.pid)
            return [program, *program.children(recursive=True)]
        return []

    def kill(self) -> None:
        """As when the machine loses its power: the program's children go with it."""
        for each in self.tree():
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.wait(patience())

    def halt(self) -> None:
        for each in self.tree():
            with suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        for each in reversed(self.tree()):
            with suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.go_on()
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(patience())
        self.kill()


class Machines:
    """`with Machines(folder, network)`: all of them run. With `real`, servers and workers have the bundled model; with
    `engine`, the vectors are in Milvus, which is one more machine.
    """

    def __init__(
        self, folder: Path, network: Network | Loopback, real: bool = False, engine: bool = False
    ) -> None:
        self.folder, self.network = folder, network
        self._real, self._engine = real, engine
        self.stores = Stores(
            f"mongodb://{network.address('mongo')}:{_MONGO}/?serverSelectionTimeoutMS=3000",
            "machines",
            f"redis://{network.address('redis')}:{_REDIS}",
        )
        self._authority = Authority(folder)
        self.machines = {each.name: each for each in self._made()}

    @property
    def _cables(self) -> Network:
        assert isinstance(self.network, Network), "the loopback network has no cables"
        return self.network

    @property
    def urls(self) -> dict[str, str]:
        """Of the servers."""
        return {name: f"http://{self.network.address(name)}:{_SERVER}" for name in SERVERS}

    @property
    def engine_url(self) -> str:
        """Of Milvus."""
        return f"http://{self.network.address(ENGINE)}:{_MILVUS}"

    def __enter__(self) -> Self:
        try:
            self._start("mongo", "redis", "scheduler", *([ENGINE] if self._engine else []))
            self._start(*WORKERS, *SERVERS)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in reversed(self.machines):
            if hasattr(self.machines[name], "process"):
                self.machines[name].stop()

    def disturb(self, fault: str, name: str) -> None:
        """Kill the machine, halt it, or cut its cable."""
        machine = self.machines[name]
        {"kill": machine.kill, "halt": machine.halt, "cut": lambda: self._cables.cut(name)}[fault]()

    def restore(self, fault: str, name: str) -> None:
        """It is well again: a killed one when it says that it is ready."""
        if fault == "kill":
            self._start(name)
        elif fault == "halt":
            self.machines[name].go_on()
        else:
            self._cables.mend(name)

    def _start(self, *names: str) -> None:
        for name in names:
            self.machines[name].start()
        for name in names:
            self.machines[name].wait_ready()

    def _made(self) -> Iterator[Machine]:
        python = str(Path(sys.executable))
        mongo, redis, scheduler = (self.network.address(each) for each in ("mongo", "redis", "scheduler"))
        store = [str(Path(python).with_name("secantusd-py")), "--host", mongo, "--port", str(_MONGO)]
        store += ["--storage-path", str(self._new("mongo")), "--log-level", "WARNING"]
        yield self._machine("mongo", store, lambda: self._listens("mongo", _MONGO))
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is missing: run make tools"
        command = [program, "--bind", redis, "--port", str(_REDIS), "--protected-mode", "no", "--save", ""]
        command += ["--appendonly", "yes", "--dir", str(self._new("redis"))]
        yield self._machine("redis", command, lambda: self._listens("redis", _REDIS))
        certificate, key = self._authority.issue("scheduler")
        command = [str(Path(python).with_name("dask")), "scheduler", "--protocol", "tls", "--host", scheduler]
        command += ["--port", str(_SCHEDULER), "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
        command += ["--tls-ca-file", str(self._authority.certificate)]
        command += ["--tls-cert", str(certificate), "--tls-key", str(key)]
        yield self._machine(
            "scheduler", command, lambda: self._listens("scheduler", _SCHEDULER), _SCHEDULER_SETTINGS
        )
        if self._engine:
            yield self._milvus()
        for name in WORKERS:
            start = [str(ROOT / "bin" / "semantik-worker")]
            if not self._real:
                start = [python, str(_SUPPORT / "light_worker.py")]
            command = [
                *start,
                "--data",
                str(self._new(name)),
                "--listen-port",
                str(_WORKER + WORKERS.index(name)),
            ]
            command += ["--pool-workers", "1", "--pool-niceness", "0", *self._cluster_flags(name)]
            yield self._machine(name, command, self._says(name, "worker"))
        for name in SERVERS:
            start = [str(ROOT / "bin" / "semantik-server")]
            if not self._real:
                start = [python, str(_SUPPORT / "light_server.py"), "server"]
            data = self._new(name)
            command = [*start, "--data", str(data), "--host", self.network.address(name)]
            command += ["--port", str(_SERVER), "--label", name, "--mongo-url", self.stores.mongo_url]
            command += ["--mongo-database", self.stores.database, "--redis-url", self.stores.redis_url]
            command += [*_SERVER_FLAGS, *self._cluster_flags(name)]
            if self._engine:
                command += [*_ENGINE_FLAGS, "--milvus-url", self.engine_url]
            yield self._machine(name, command, self._says(name, "server"), given_settings(data))

    def _milvus(self) -> Machine:
        command = [str(Path(sys.executable).with_name("milvus-lite")), "server"]
        command += ["--host", self.network.address(ENGINE), "--port", str(_MILVUS)]
        command += ["--data-dir", str(self._new(ENGINE))]
        return self._machine(
            ENGINE, command, lambda: self._listens(ENGINE, _MILVUS), {"OMP_NUM_THREADS": "1"}
        )

    def _machine(
        self,
        name: str,
        command: Sequence[str],
        answers: Callable[[], bool],
        env: Mapping[str, str] | None = None,
    ) -> Machine:
        return Machine(name, self.network.command(name, command), self.folder, env or {}, answers)

    def _new(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    def _cluster_flags(self, name: str) -> Iterator[str]:
        certificate, key = self._authority.issue(name)
        yield from ("--pool-scheduler", f"tls://{self.network.address('scheduler')}:{_SCHEDULER}")
        yield from ("--pool-tls-ca-file", str(self._authority.certificate))
        yield from ("--pool-tls-certificate-file", str(certificate), "--pool-tls-key-file", str(key))

    def _listens(self, name: str, port: int) -> bool:
        program = (
            "-c",
            f"import socket; socket.create_connection(({self.network.address(name)!r}, {port}), 1)",
        )
        command = self.network.command(name, [sys.executable, "-S", *program])
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _says(self, name: str, what: str) -> Callable[[], bool]:
        """Whether the program has said that it is ready, since its last start."""
        log = self.folder / f"{name}.log"
        begun = 0

        def said() -> bool:
            nonlocal begun
            ready = log.read_text()[begun:].count(_READY[what]) > 0
            if ready:
                begun = len(log.read_text())
            return ready

        return said
