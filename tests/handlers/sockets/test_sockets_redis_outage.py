"""Redis outages: sockets stay open and catch up, whether Redis returns with its data or without."""

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
from support.processes import command_line
from support.raw_socket import TEXT, RawSocket, connected
from support.redis_server import tell_patiently
from support.server import Serving, complaints
from support.watchers import is_end

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.embedded]

FLAGS = ("--auth-registration", "open", "--sockets-per-user", "100", "--progress-linger-s", "0.2")
OUTAGE_S = 6
SOCKETS = 20


@dataclass
class Reader:
    """Reads one socket up to the end of the operation; keeps all messages except presence."""

    socket: RawSocket
    messages: list[dict[str, Any]] = field(default_factory=list)
    received: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.messages if "seq" in message]

    @property
    def unnumbered(self) -> list[str]:
        return [message["type"] for message in self.messages if "seq" not in message]

    async def run(self) -> None:
        while not self.messages or not is_end(self.messages[-1]):
            found = await self.socket.read()
            assert found is not None and found[0] == TEXT, f"the socket was closed: {found}"
            message = json.loads(found[1])
            if message["type"] != "presence":
                self.messages.append(message)
                self.received.set()

    async def wait_for(self, seq: int) -> None:
        while seq not in self.seqs:
            self.received.clear()
            await self.received.wait()


@dataclass
class WatchedOperation:
    """A server, its Redis, and an operation with twenty watchers."""

    serving: Serving
    operation: FakeOperation
    readers: list[Reader]
    published: int = 0

    @property
    def redis(self) -> psutil.Process:
        return next(
            child for child in self.serving.tree[1:] if "redis-server" in " ".join(command_line(child))
        )

    async def publish(self, count: int) -> None:
        for _ in range(count):
            self.published += 1
            await tell_patiently(self.operation.publisher, "error", once=f"{self.published}")

    async def wait_for_all(self, seq: int) -> None:
        await asyncio.gather(*(reader.wait_for(seq) for reader in self.readers))


@asynccontextmanager
async def watched_operation(serving: Serving, folder: Path) -> AsyncIterator[WatchedOperation]:
    client = await new_user(serving)
    async with (
        fake_operation(serving, client, started=False) as operation,
        AsyncExitStack() as sockets,
        asyncio.TaskGroup() as running,
    ):
        made = [
            await sockets.enter_async_context(connected(serving.url, operation.path)) for _ in range(SOCKETS)
        ]
        watched = WatchedOperation(serving, operation, [Reader(socket) for socket in made])
        for reader in watched.readers:
            running.create_task(reader.run())
        await watched.publish(20)
        await watched.wait_for_all(20)
        yield watched
        await operation.end()
    assert not [line for line in complaints(serving) if " ERROR " in line or "Traceback" in line]


@pytest.mark.parametrize("outage", ["stands still", "is killed"])
async def test_sockets_stay_open_and_receive_all_messages(
    start: Callable[..., Serving], tmp_path: Path, outage: str
) -> None:
    async with watched_operation(start(*FLAGS), tmp_path / "empty") as watched:
        if outage == "stands still":
            redis = watched.redis
            redis.suspend()
            publishing = asyncio.create_task(watched.publish(20))
            await asyncio.sleep(OUTAGE_S)
            redis.resume()
            await publishing
        else:
            for _ in range(2):
                watched.redis.kill()
                await watched.publish(10)
        await watched.wait_for_all(40)
    for reader in watched.readers:
        assert reader.seqs == list(range(1, 43))
        assert set(reader.unnumbered) == {"current_state"}


async def test_loss_of_redis_data_gets_history_truncated_and_sockets_go_on(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    async with watched_operation(start(*FLAGS), tmp_path / "empty") as watched:
        last = watched.readers[0].messages[-1]["id"]
        for file in (watched.serving.data / "redis").iterdir():
            file.unlink()
        watched.redis.kill()
        await asyncio.gather(*(wait_for_truncation(reader) for reader in watched.readers))
        await watched.publish(20)
        await watched.wait_for_all(40)
        async with connected(watched.serving.url, f"{watched.operation.path}&since={last}") as late:
            reader = Reader(late)
            watched.readers.append(reader)
            await asyncio.gather(reader.run(), watched.operation.end())
    *first, resumed = watched.readers
    for reader in first:
        assert reader.seqs == list(range(1, 43))
        assert reader.unnumbered == ["current_state", "history_truncated", "current_state"]
    assert resumed.unnumbered == ["history_truncated", "current_state"]
    assert resumed.seqs == list(range(21, 43))


async def wait_for_truncation(reader: Reader) -> None:
    while "history_truncated" not in reader.unnumbered:
        reader.received.clear()
        await reader.received.wait()
