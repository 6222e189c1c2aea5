"""Semantik as the target of the socket benchmark: a real server with operations that nobody runs, and their streams.

Runs in the process of the load tool, and writes to the stores directly, as another server instance would.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import psutil
import redis

from bench import message
from bench.server_process import SETUP_CODE, environment, unlimited
from bench.tornado_baseline import Load
from semantik.client.api import Client
from semantik.config.settings import Settings
from semantik.core.models import TERMINAL, Lease, new_id, now
from semantik.progress.stream_store import STREAM
from semantik.storage.mongo import Store

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "a long password"
_COMMAND = str(ROOT / "bin" / "semantik-server")
_READY = "Semantik is ready: "
_STOP_S = 20
_POLLS, _POLL_S = 600, 0.1
_PIPELINE_COMMANDS = 100  # messages in one command to Redis


@dataclass(frozen=True)
class SemantikTarget:
    """A running server and its operations; `paths` are the paths of their WebSockets."""

    pid: int
    port: int
    paths: tuple[str, ...]
    operation_ids: tuple[str, ...]
    log: Path
    redis_path: Path

    def send(self, load: Load) -> int:
        """Add the messages to the streams; returns the monotonic time of the start in ns."""
        with redis.Redis(unix_socket_path=str(self.redis_path), protocol=2) as streams:
            keys = [STREAM.format(operation_id=name) for name in self.operation_ids]
            started = time.monotonic_ns()
            if load.rate:
                _steady(streams, keys, load, started)
            else:
                _burst(streams, keys, load)
            return started

    def logged_warnings(self) -> list[str]:
        """The warnings in the server's log."""
        return [
            line for line in self.log.read_text().splitlines() if " WARNING " in line or " ERROR " in line
        ]


@contextmanager
def start_semantik(folder: Path, operations: int, sockets: int, burst: int) -> Iterator[SemantikTarget]:
    """Start a server with `operations` operations; it has ended on exit."""
    data, log = folder / "data", folder / "server.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [_COMMAND, "--port", "0", "--data", str(data), *unlimited(), *_flags(sockets, burst)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(),
            # The load tool handles Ctrl-C and stops the server.
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith(_READY):
            raise SystemExit(f"The server did not start: {log.read_text()}")
        url = line.removeprefix(_READY).strip()
        token, ids = asyncio.run(_prepare(url, folder, operations))
        paths = tuple(f"/ws/operations/{name}?token={token}" for name in ids)
        port = urlsplit(url).port
        assert port is not None
        yield SemantikTarget(process.pid, port, paths, ids, log, data / "run" / "redis.sock")
    finally:
        _stop(process)


def _flags(sockets: int, burst: int) -> list[str]:
    """Flags that raise the limits above the load."""
    limits = {
        "sockets-per-user": 2 * sockets,
        "sockets-per-operation": 2 * sockets,
        "sockets-send-queue-messages": 2 * burst + 1000,
        "sockets-send-queue-bytes": 1 << 30,
        "auth-access-token-s": 86_400,
    }
    return [
        "--log-level",
        "warning",
        "--documents-roots",
        "/",
        *(f"--{name}={value}" for name, value in limits.items()),
    ]


async def _prepare(url: str, folder: Path, operations: int) -> tuple[str, tuple[str, ...]]:
    """Sign in and create the operations; returns the token and their ids.

    Each is the copy of an ended operation with a valid lease, so that the dispatcher does not run it.
    """
    client = Client(url)
    await client.register("load", PASSWORD, SETUP_CODE)
    await client.sign_in("load", PASSWORD)
    empty = folder / "documents"
    empty.mkdir()
    collection = await client.call("POST", "collections", {"name": "Load", "source_path": str(empty)})
    for _ in range(_POLLS):
        if (await client.call("GET", f"operations/{collection['operation_id']}"))["status"] in TERMINAL:
            break
        await asyncio.sleep(_POLL_S)
    else:
        raise SystemExit("The server did not complete its first operation in time.")
    socket = quote(str(folder / "data" / "run" / "mongo.sock"), safe="")
    ids = tuple(new_id() for _ in range(operations))
    async with Store(f"mongodb://{socket}", Settings().mongo_database) as store:
        model = await store.operations.get(collection["operation_id"])
        assert model is not None
        lease = Lease("the load tool", new_id(), now() + timedelta(days=1))
        running = replace(
            model, status="processing", lease=lease, last_message=0, completed_at=None, announced=False
        )
        for name in ids:
            await store.operations.add(replace(running, id=name))
    return client.token, ids


def _burst(streams: redis.Redis, keys: list[str], load: Load) -> None:
    pipe = streams.pipeline(transaction=False)
    for seq in range(load.first, load.last + 1):
        for key in keys:
            pipe.xadd(key, message.stream_entry(seq))  # type: ignore[arg-type]
            if len(pipe) == _PIPELINE_COMMANDS:
                pipe.execute()
    pipe.execute()


def _steady(streams: redis.Redis, keys: list[str], load: Load, started_ns: int) -> None:
    """Send at an even rate, one message of each operation in turn."""
    for number in range((load.last + 1 - load.first) * len(keys)):
        due_s = number / (load.rate * len(keys))
        time.sleep(max(0.0, due_s - (time.monotonic_ns() - started_ns) / 1e9))
        entry = message.stream_entry(load.first + number // len(keys))
        streams.xadd(keys[number % len(keys)], entry)  # type: ignore[arg-type]


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        tree = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for remaining in psutil.wait_procs(tree, _STOP_S)[1]:
            remaining.kill()
    assert process.stdout is not None
    process.stdout.close()
