"""Server processes that count sockets and scans in one Redis, as the tests of the seats see them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import redis
from support.patience import deadline
from support.redis_server import new_id

from semantik.config.settings import SocketSettings
from semantik.connection_limits.limiter import ConnectionLimiter
from semantik.connection_limits.watcher_counts import WatcherCount
from semantik.progress import redis_client
from semantik.progress.redis_client import RedisClient


class Recording(RedisClient):
    """Keeps what was told, so that a test can tell it again."""

    def __init__(self, url: str) -> None:
        super().__init__(url, new_id())
        self.told: list[Mapping[str, Any]] = []
        self.looks = 0

    async def keep_seats(self, told: Mapping[str, object]) -> list[tuple[int, int]] | None:
        self.told.append(told)
        return await super().keep_seats(told)

    async def changed_watchers(self, after: str) -> tuple[str, set[str]]:
        self.looks += 1
        return await super().changed_watchers(after)


class Process:
    """What one server process has: the seats, their task, and a way to Redis of its own."""

    def __init__(self, url: str, limits: SocketSettings, life_s: float) -> None:
        self.link = Recording(url)
        self.seats = ConnectionLimiter(self.link, lambda: limits, life_s)
        self.task = asyncio.create_task(self.seats.run())

    @property
    def id(self) -> str:
        """As Redis knows it, once anything was told."""
        return str(self.link.told[0]["process"])


@asynccontextmanager
async def process(
    url: str, limits: SocketSettings | None = None, life_s: float = 15.0
) -> AsyncIterator[Process]:
    one = Process(url, limits or SocketSettings(), life_s)
    try:
        yield one
    finally:
        one.task.cancel()
        ended = (await asyncio.gather(one.task, return_exceptions=True))[0]
        await one.seats.close()
        await one.link.close()
        assert isinstance(ended, asyncio.CancelledError), ended


class Heard:
    """A listener, and what it was told."""

    def __init__(self) -> None:
        self.all: list[WatcherCount] = []
        self._news: asyncio.Queue[WatcherCount] = asyncio.Queue()

    def __call__(self, operation_id: str, presence: WatcherCount) -> None:
        self.all.append(presence)
        self._news.put_nowait(presence)

    async def until(self, sockets: int, users: int) -> None:
        async with deadline():
            while await self._news.get() != WatcherCount(sockets, users):
                pass


def of_user(admin: redis.Redis, user: str) -> list[int]:
    """What each process has of the user's sockets, as Redis knows it."""
    return sorted(int(n) for n in admin.hvals(redis_client.SOCKETS.format(user_id=user)))


def left_in(admin: redis.Redis, *ids: str) -> list[str]:
    """The keys of these users, operations and processes."""
    kept = [key.decode() for key in admin.scan_iter("seats-*")]
    return [key for key in kept if key.partition(":")[2] in ids]


async def try_all(
    stack: AsyncExitStack, count: int, take: Callable[[int], Any]
) -> tuple[int, list[BaseException]]:
    """Take seats at the same time; how many were taken, and the refusals."""
    took = await asyncio.gather(
        *[stack.enter_async_context(take(n)) for n in range(count)], return_exceptions=True
    )
    refused = [one for one in took if isinstance(one, BaseException)]
    return count - len(refused), refused
