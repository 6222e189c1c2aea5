"""Server processes that count sockets and scans in one Redis, as the tests of the connection limits see them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import redis
from support.patience import deadline

from semantik.config.settings import SocketSettings
from semantik.connection_limits import ConnectionLimiter, CounterStore, WatcherCount
from semantik.connection_limits.counter_store import SOCKETS
from semantik.progress import RedisClient


class Recording(CounterStore):
    """Keeps the updates that were sent, so that a test can send them again."""

    def __init__(self, client: RedisClient) -> None:
        super().__init__(client)
        self.sent: list[Mapping[str, Any]] = []
        self.polls = 0

    async def update(self, changes: Mapping[str, object]) -> list[tuple[int, int]] | None:
        self.sent.append(changes)
        return await super().update(changes)

    async def changed_watchers(self, after: str) -> tuple[str, set[str]]:
        self.polls += 1
        return await super().changed_watchers(after)


class Process:
    """What one server process has: the limiter, its task, and a Redis client of its own."""

    def __init__(self, url: str, limits: SocketSettings, process_ttl_s: float) -> None:
        self.client = RedisClient(url)
        self.store = Recording(self.client)
        self.limiter = ConnectionLimiter(self.store, lambda: limits, process_ttl_s)

    @property
    def id(self) -> str:
        """As Redis knows it, once anything was sent."""
        return str(self.store.sent[0]["process"])


@asynccontextmanager
async def process(
    url: str, limits: SocketSettings | None = None, process_ttl_s: float = 15.0
) -> AsyncIterator[Process]:
    one = Process(url, limits or SocketSettings(), process_ttl_s)
    try:
        async with one.limiter:
            yield one
    finally:
        await one.client.close()
        assert one.limiter.task.cancelled(), one.limiter.task


class Heard:
    """A listener, and the counts that it was called with."""

    def __init__(self) -> None:
        self.all: list[WatcherCount] = []
        self._news: asyncio.Queue[WatcherCount] = asyncio.Queue()

    def __call__(self, operation_id: str, count: WatcherCount) -> None:
        self.all.append(count)
        self._news.put_nowait(count)

    async def until(self, sockets: int, users: int) -> None:
        async with deadline():
            while await self._news.get() != WatcherCount(sockets, users):
                pass


def of_user(admin: redis.Redis, user: str) -> list[int]:
    """What each process has of the user's sockets, as Redis knows it."""
    return sorted(int(n) for n in admin.hvals(SOCKETS.format(user_id=user)))


def left_in(admin: redis.Redis, *ids: str) -> list[str]:
    """The keys of these users, operations and processes."""
    kept = [key.decode() for key in admin.scan_iter("seats-*")]
    return [key for key in kept if key.partition(":")[2] in ids]


async def try_all(
    stack: AsyncExitStack, count: int, take: Callable[[int], Any]
) -> tuple[int, list[BaseException]]:
    """Reserve at the same time; how many were reserved, and the refusals."""
    took = await asyncio.gather(
        *[stack.enter_async_context(take(n)) for n in range(count)], return_exceptions=True
    )
    refused = [one for one in took if isinstance(one, BaseException)]
    return count - len(refused), refused
