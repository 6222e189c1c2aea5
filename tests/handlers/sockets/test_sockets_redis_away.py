"""Redis is away for a while: sockets stay open and catch up, whether it comes back with its data or without."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.api import new_user
from support.fake_operation import FakeOperation, fake_operation
from support.raw_socket import TEXT, RawSocket, connected
from support.redis_server import tell_patiently
from support.server import Serving, complaints
from support.watchers import is_end

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.embedded]

FLAGS = ("--auth-registration", "open", "--sockets-per-user", "100", "--progress-linger-s", "0.2")
AWAY_S = 6
SOCKETS = 20


@dataclass
class Reading:
    """One socket, read to the operation's end; everything but presence is kept."""

    socket: RawSocket
    frames: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.frames if "seq" in frame]

    @property
    def others(self) -> list[str]:
        return [frame["type"] for frame in self.frames if "seq" not in frame]

    async def run(self) -> None:
        while not self.frames or not is_end(self.frames[-1]):
            found = await self.socket.read()
            assert found is not None and found[0] == TEXT, f"the socket was closed: {found}"
            frame = json.loads(found[1])
            if frame["type"] != "presence":
                self.frames.append(frame)
                self.news.set()

    async def has(self, seq: int) -> None:
        while seq not in self.seqs:
            self.news.clear()
            await self.news.wait()


@dataclass
class Scene:
    """A server, its Redis, and an operation that twenty watch."""

    serving: Serving
    operation: FakeOperation
    readings: list[Reading]
    told: int = 0

    @property
    def redis(self) -> psutil.Process:
        return next(child for child in self.serving.tree[1:] if "redis-server" in " ".join(child.cmdline()))

    async def tell(self, count: int) -> None:
        for _ in range(count):
            self.told += 1
            await tell_patiently(self.operation.publisher, "error", once=f"{self.told}")

    async def all_have(self, seq: int) -> None:
        await asyncio.gather(*(reading.has(seq) for reading in self.readings))


@asynccontextmanager
async def watched(serving: Serving, folder: Path) -> AsyncIterator[Scene]:
    client = await new_user(serving)
    async with (
        fake_operation(serving, client, started=False) as operation,
        AsyncExitStack() as sockets,
        asyncio.TaskGroup() as running,
    ):
        made = [
            await sockets.enter_async_context(connected(serving.url, operation.path)) for _ in range(SOCKETS)
        ]
        scene = Scene(serving, operation, [Reading(socket) for socket in made])
        for reading in scene.readings:
            running.create_task(reading.run())
        await scene.tell(20)
        await scene.all_have(20)
        yield scene
        await operation.end()
    assert not [line for line in complaints(serving) if " ERROR " in line or "Traceback" in line]


@pytest.mark.parametrize("way", ["stands still", "is killed"])
async def test_sockets_stay_open_and_miss_nothing(
    start: Callable[..., Serving], tmp_path: Path, way: str
) -> None:
    async with watched(start(*FLAGS), tmp_path / "empty") as scene:
        if way == "stands still":
            redis = scene.redis
            redis.suspend()
            telling = asyncio.create_task(scene.tell(20))
            await asyncio.sleep(AWAY_S)
            redis.resume()
            await telling
        else:
            for _ in range(2):
                scene.redis.kill()
                await scene.tell(10)
        await scene.all_have(40)
    for reading in scene.readings:
        assert reading.seqs == list(range(1, 43))
        assert set(reading.others) == {"current_state"}


async def test_without_its_data_every_watcher_is_told_and_goes_on(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    async with watched(start(*FLAGS), tmp_path / "empty") as scene:
        last = scene.readings[0].frames[-1]["id"]
        for file in (scene.serving.data / "redis").iterdir():
            file.unlink()
        scene.redis.kill()
        await asyncio.gather(*(told(reading) for reading in scene.readings))
        await scene.tell(20)
        await scene.all_have(40)
        async with connected(scene.serving.url, f"{scene.operation.path}&since={last}") as late:
            reading = Reading(late)
            scene.readings.append(reading)
            await asyncio.gather(reading.run(), scene.operation.end())
    *first, after = scene.readings
    for reading in first:
        assert reading.seqs == list(range(1, 43))
        assert reading.others == ["current_state", "history_truncated", "current_state"]
    assert after.others == ["history_truncated", "current_state"]
    assert after.seqs == list(range(21, 43))


async def told(reading: Reading) -> None:
    while "history_truncated" not in reading.others:
        reading.news.clear()
        await reading.news.wait()
