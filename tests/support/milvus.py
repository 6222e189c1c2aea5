"""A Milvus for tests: milvus-lite as a process of its own, or the server that SEMANTIK_TEST_MILVUS_URL names."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from support.local_tls import free_port
from support.patience import patience
from support.processes import suspend

from semantik.config.milvus_settings import MilvusSettings

_LOOK_S = 0.05


class Milvus:
    """`start` must be called; a test may stop it, kill it, and start it again with what it had."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "milvus.log"
        program = str(Path(sys.executable).with_name("milvus-lite"))
        flags = ["--data-dir", str(folder / "data"), "--host", "127.0.0.1", "--port", str(self.port)]
        self._command = [program, "server", *flags]
        self.process: subprocess.Popen[bytes] | None = None

    def settings(self, **changes: Any) -> MilvusSettings:
        """Names of their own for each test; exact, since HNSW of milvus-lite misses what a filter leaves."""
        given = {"prefix": f"t{uuid.uuid4().hex[:12]}", "index_type": "FLAT", "timeout_s": patience(10.0)}
        return MilvusSettings(**{"url": self.url, **given, **changes})

    def start(self) -> None:
        with self._log.open("ab") as log:
            env = {**os.environ, "OMP_NUM_THREADS": "1"}
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, env=env)
        until = time.monotonic() + patience()
        while not self._listens():
            assert self.process.poll() is None and time.monotonic() < until, self._log.read_text()
            time.sleep(_LOOK_S)

    def pause(self) -> None:
        assert self.process is not None
        suspend(self.process.pid)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(patience())
            self.process = None

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class GivenMilvus(Milvus):
    """A server that runs already, which no test can stop."""

    def __init__(self, url: str) -> None:
        self.url = url

    def settings(self, **changes: Any) -> MilvusSettings:
        return super().settings(**{"index_type": "HNSW", **changes})


@contextmanager
def running_milvus(folder: Path) -> Iterator[Milvus]:
    if url := os.environ.get("SEMANTIK_TEST_MILVUS_URL"):
        yield GivenMilvus(url)
        return
    server = Milvus(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
