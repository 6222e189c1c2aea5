"""A Dask cluster on this machine, as an administrator would set one up: an authority, a scheduler, and workers."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import psutil
import pytest
from support.local_tls import Authority, free_port
from support.patience import patience
from support.server import ROOT

from semantik.config.settings import PoolSettings

_READY = "Semantik's worker is ready: "
_LOOK_S = 0.05
_LIGHT = Path(__file__).with_name("light_worker.py")
_SCHEDULER_SETTINGS = {
    "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "30s",
}


class RemoteWorker:
    """`bin/semantik-worker` as a process of its own; with the light model unless it is to be `real`."""

    def __init__(self, folder: Path, flags: tuple[str, ...], env: Mapping[str, str], real: bool) -> None:
        self.log = folder.with_suffix(".log")
        program = [str(ROOT / "bin" / "semantik-worker")] if real else [sys.executable, str(_LIGHT)]
        command = [*program, "--data", str(folder), "--pool-workers", "1", "--pool-niceness", "0"]
        command += ["--log-level", "debug", *flags]
        with self.log.open("a") as errors:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, env={**os.environ, **env}
            )

    def wait_ready(self) -> None:
        assert self.process.stdout is not None
        said, _, _ = select.select([self.process.stdout], [], [], patience(120))
        line = self.process.stdout.readline().decode() if said else ""
        assert line.startswith(_READY), f"the worker did not start: {self.log.read_text()}"

    @property
    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> int:
        """SIGTERM; returns the exit status once every child is gone too."""
        children = self.children
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(patience())
        _, alive = psutil.wait_procs(children, patience())
        assert not alive, f"left behind: {alive}"
        return status

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            assert self.stop() == 0, self.log.read_text()


class Cluster:
    """`with Cluster(folder) as cluster`: a scheduler; `start_workers` starts workers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.authority = Authority(folder)
        self._certificates = {name: self.authority.issue(name) for name in ("scheduler", "worker", "server")}
        self.port = free_port()
        self.workers: list[RemoteWorker] = []
        self.scheduler = self._start_scheduler()

    @property
    def url(self) -> str:
        return f"tls://127.0.0.1:{self.port}"

    def flags(self, who: str = "server") -> tuple[str, ...]:
        """The settings of a server or a worker."""
        certificate, key = self._certificates[who]
        values = (self.url, str(self.authority.certificate), str(certificate), str(key))
        names = ("scheduler", "tls-ca-file", "tls-certificate-file", "tls-key-file")
        return tuple(
            each for pair in zip(names, values, strict=True) for each in (f"--pool-{pair[0]}", pair[1])
        )

    def settings(self, **more: object) -> PoolSettings:
        """As `flags`, for a pool in this process."""
        certificate, key = self._certificates["server"]
        files = {"tls_certificate_file": str(certificate), "tls_key_file": str(key)}
        ca = str(self.authority.certificate)
        return PoolSettings(scheduler=self.url, tls_ca_file=ca, **files, **more)  # type: ignore[arg-type]

    def start_workers(
        self, count: int = 2, real: bool = False, env: Mapping[str, str] | None = None
    ) -> list[RemoteWorker]:
        started = []
        for _ in range(count):
            folder = self.folder / f"worker-{len(self.workers)}"
            started.append(RemoteWorker(folder, self.flags("worker"), env or {}, real))
            self.workers.append(started[-1])
        for one in started:
            one.wait_ready()
        return started

    def kill_scheduler(self) -> None:
        self.scheduler.kill()
        self.scheduler.wait(patience())

    def start_scheduler(self) -> None:
        self.scheduler = self._start_scheduler()

    def _start_scheduler(self) -> subprocess.Popen[bytes]:
        certificate, key = self._certificates["scheduler"]
        command = [str(Path(sys.executable).with_name("dask")), "scheduler", "--protocol", "tls"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        command += ["--dashboard-address", "127.0.0.1:0", "--tls-ca-file", str(self.authority.certificate)]
        command += ["--tls-cert", str(certificate), "--tls-key", str(key)]
        with (self.folder / "scheduler.log").open("a") as errors:
            process = subprocess.Popen(command, stderr=errors, env={**os.environ, **_SCHEDULER_SETTINGS})
        until = time.monotonic() + patience()
        while not _answers(self.port):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(_LOOK_S)
        return process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.end()
        if self.scheduler.poll() is None:
            self.scheduler.send_signal(signal.SIGCONT)
            self.scheduler.terminate()
            self.scheduler.wait(patience())


def _answers(port: int) -> bool:
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests of a module, with two workers at first."""
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.start_workers()
        yield cluster
