"""Two servers, each with a data folder of its own, on one Redis and one MongoDB that belong to the test."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self
from urllib.parse import quote

from support.patience import patience
from support.processes import suspend
from support.redis_server import RedisServer
from support.server import Serving, Stores, serve

from semantik.core.models import Operation
from semantik.storage.data_folder import instance_id

_LOOK_S = 0.02


class MongoServer:
    """The MongoDB of a server that has none of its own, for several servers here."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        socket = folder / "mongo.sock"
        self.url = "mongodb://" + quote(str(socket), safe="")
        child = ("-m", "semantik.storage.embedded_child")
        command = [sys.executable, "-P", *child, str(os.getpid()), "mongo", str(folder), str(socket)]
        self._process = subprocess.Popen(command)
        while not socket.exists():
            assert self._process.poll() is None
            time.sleep(_LOOK_S)

    def stand_still(self) -> None:
        suspend(self._process.pid)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(patience())


class Two:
    """`with Two(folder) as two`, then `start` the servers; they must end well."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.redis, self.mongo = RedisServer(folder / "redis"), MongoServer(folder / "mongo")
        self.stores = Stores(self.mongo.url, "two", self.redis.url)
        self.servers: list[Serving] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *flags: str) -> list[Serving]:
        with ThreadPoolExecutor() as starting:
            both = [starting.submit(self.start_one, name, *flags) for name in ("first", "second")]
        self.servers = [one.result() for one in both]
        return self.servers

    def start_one(self, name: str, *flags: str, env: dict[str, str] | None = None) -> Serving:
        """A server whose data folder has this name; the caller puts it into `servers`."""
        stores = self.stores
        shared = ["--redis-url", stores.redis_url, "--mongo-url", stores.mongo_url]
        shared += ["--mongo-database", stores.database, *flags]
        return serve(self._folder / name, *shared, env=env)

    def stop(self) -> None:
        for serving in self.servers:
            if serving.process.poll() is None:
                serving.process.send_signal(signal.SIGCONT)
                assert serving.stop() == 0
        self.mongo.stop()
        self.redis.kill()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does; the test's deadline bounds it."""
    while True:
        if condition():
            return
        await asyncio.sleep(_LOOK_S)


async def says(serving: Serving, after: int, words: str) -> None:
    """Wait until the server's log has the words beyond the character `after`."""
    await until(lambda: words in serving.log.read_text()[after:])


def owner_of(operation: Operation, servers: Sequence[Serving]) -> Serving:
    """The server that holds the operation's lease."""
    assert operation.lease is not None
    [owner] = [one for one in servers if instance_id(one.data) == operation.lease.owner]
    return owner
