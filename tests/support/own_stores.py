"""MongoDB and Redis servers as an administrator runs them: processes on TCP, with TLS and passwords."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pymongo
import redis
from pymongo.errors import PyMongoError
from support.local_tls import Certificate, free_port
from support.patience import patience

_USER, _PASSWORD = "semantik", "a pass/word: of @ store"
_LOOK_S = 0.05
_SLOW_MS = 300_000  # SecantusDB updates some twenty rows a second that have several indexes


class _Server:
    """A process that a test may kill and start again."""

    url: str

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.command, self._log = list(command), log

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        deadline = time.monotonic() + patience()
        while not self.answers():
            assert self.process.poll() is None and time.monotonic() < deadline, self._log.read_text()
            time.sleep(_LOOK_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(patience())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(patience())

    def answers(self) -> bool:
        raise NotImplementedError


class Mongo(_Server):
    """A MongoDB server; `url` is what a client needs."""

    def __init__(self, command: Sequence[str], log: Path, url: str) -> None:
        super().__init__(command, log)
        self.url = url

    def answers(self) -> bool:
        with (
            suppress(PyMongoError),
            pymongo.MongoClient[dict[str, object]](self.url, serverSelectionTimeoutMS=1000) as client,
        ):
            client.admin.command("ping")
            return True
        return False


def secantus(folder: Path, certificate: Certificate | None = None) -> Mongo:
    """SecantusDB, which behaves like a replica set of one; with a certificate it wants TLS and a password."""
    folder.mkdir(parents=True)
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("secantusd-py")),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += ["--storage-path", str(folder / "data"), "--log-level", "WARNING"]
    server = Mongo(command, folder / "log", f"mongodb://127.0.0.1:{port}/?socketTimeoutMS={_SLOW_MS}")
    server.start()
    if certificate is not None:
        with pymongo.MongoClient[dict[str, object]](server.url) as client:
            roles = [{"role": "root", "db": "admin"}]
            client.admin.command("createUser", _USER, pwd=_PASSWORD, roles=roles)
        server.stop()
        files = ["--tls-cert-file", str(certificate.file), "--tls-key-file", str(certificate.key)]
        server.command += ["--auth", *files]
        server.url = (
            f"mongodb://{_USER}:{quote(_PASSWORD, safe='')}@127.0.0.1:{port}/?authSource=admin"
            f"&socketTimeoutMS={_SLOW_MS}&tls=true&tlsCAFile={quote(str(certificate.file), safe='')}"
        )
        server.start()
    return server


def plain_nx(folder: Path) -> Mongo:
    """nx-27017 as its package runs it: a single server without transactions."""
    folder.mkdir(parents=True)
    port = free_port()
    command = [str(Path(sys.executable).with_name("nx-27017")), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--db", str(folder / "db"), "--log-file", str(folder / "nx.log")]
    command += ["--pid-file", str(folder / "pid")]
    server = Mongo(command, folder / "log", f"mongodb://127.0.0.1:{port}")
    server.start()
    return server


class Redis(_Server):
    """Debian's Redis with TLS and a password."""

    def __init__(self, folder: Path, certificate: Certificate) -> None:
        folder.mkdir(parents=True)
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is missing: run make tools"
        port = free_port()
        tls = ["--tls-port", str(port), "--tls-cert-file", str(certificate.file)]
        tls += ["--tls-key-file", str(certificate.key), "--tls-ca-cert-file", str(certificate.file)]
        command = [program, "--bind", "127.0.0.1", "--port", "0", *tls, "--tls-auth-clients", "no"]
        command += ["--requirepass", _PASSWORD, "--save", "", "--appendonly", "yes", "--dir", str(folder)]
        command += ["--databases", "128"]  # those of workers of pytest-xdist, and of support/copied_stores.py
        super().__init__(command, folder / "log")
        self.url = (
            f"rediss://:{quote(_PASSWORD, safe='')}@127.0.0.1:{port}"
            f"?ssl_ca_certs={quote(str(certificate.file), safe='')}"
        )
        self.start()

    def answers(self) -> bool:
        with suppress(redis.RedisError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False
