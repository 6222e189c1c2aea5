"""A Redis with a replica and three Sentinels, and a Redis in cluster mode: processes of this machine's redis-server."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import redis
from support.local_tls import free_port
from support.patience import patience
from support.processes import suspend

PASSWORD = "a pass/word: of @ redis"
NAME = "mymaster"
_LOOK_S = 0.05


def _program() -> str:
    program = shutil.which("redis-server")
    assert program is not None, "redis-server is missing: run make tools"
    return program


def _wait(what: str, condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + patience()
    while True:
        with suppress(redis.RedisError):
            if condition():
                return
        assert time.monotonic() < deadline, what
        time.sleep(_LOOK_S)


class WithSentinel:
    """`url` names the Sentinels, the first of which is away. `kill_primary` makes the replica the primary."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._ports = [free_port(), free_port()]
        for number, port in enumerate(self._ports):
            own = folder / f"redis-{number}"
            own.mkdir()
            following = ["--replicaof", "127.0.0.1", str(self._ports[0])] if number else []
            command = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(own), "--save", ""]
            command += ["--requirepass", PASSWORD, "--masterauth", PASSWORD, *following]
            self._start(command, own / "log")
        for port in self._ports:
            _wait("a Redis does not answer", self._redis(port).ping)
        _wait("the replica does not follow", lambda: self._redis(self._ports[0]).info()["connected_slaves"])
        self.sentinels = [free_port() for _ in range(3)]
        for number, port in enumerate(self.sentinels):
            self._start_sentinel(folder / f"sentinel-{number}", port)
        for port in self.sentinels:
            _wait("the Sentinels do not know each other", lambda port=port: self._is_complete(port))
        hosts = ",".join(f"127.0.0.1:{port}" for port in (free_port(), *self.sentinels))
        self.url = f"redis+sentinel://:{quote(PASSWORD, safe='')}@{hosts}/{NAME}/2"

    def _start_sentinel(self, folder: Path, port: int) -> None:
        folder.mkdir()
        config = folder / "sentinel.conf"
        lines = [f"port {port}", "bind 127.0.0.1", f'dir "{folder}"']
        lines += [
            f"sentinel monitor {NAME} 127.0.0.1 {self._ports[0]} 2",
            f'sentinel auth-pass {NAME} "{PASSWORD}"',
        ]
        lines += [f"sentinel down-after-milliseconds {NAME} 500", f"sentinel failover-timeout {NAME} 5000"]
        config.write_text("\n".join(lines) + "\n")
        self._start([str(config), "--sentinel"], folder / "log")
        _wait("a Sentinel does not answer", redis.Redis(port=port).ping)

    def _start(self, arguments: list[str], log: Path) -> None:
        with log.open("ab") as out:
            self._processes.append(subprocess.Popen([_program(), *arguments], stdout=out, stderr=out))

    def _redis(self, port: int) -> redis.Redis:
        return redis.Redis(port=port, password=PASSWORD)

    def _is_complete(self, port: int) -> bool:
        with redis.Redis(port=port) as sentinel:
            state = sentinel.sentinel_master(NAME)
        return state["num-other-sentinels"] == 2 and state["num-slaves"] == 1

    def kill_primary(self) -> None:
        self._processes[0].kill()
        self._processes[0].wait(patience())

    def suspend_primary(self) -> None:
        """As a machine that is cut off: connections stay, and nothing answers."""
        suspend(self._processes[0].pid)

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait(patience())


class InClusterMode:
    """A Redis of a Redis Cluster."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        port = free_port()
        command = [_program(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        command += ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.url = f"redis://127.0.0.1:{port}"
        _wait("the Redis does not answer", redis.Redis(port=port).ping)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(patience())
