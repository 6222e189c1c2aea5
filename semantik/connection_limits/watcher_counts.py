"""Presence: who in this process wants to know how many watch an operation, and when they are told.

Looks once a second, and only while somebody listens, so many who join at once are one change. Must not know
sockets. Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from semantik.progress.message import START
from semantik.progress.redis_client import RedisClient

LOOK_S = 1.0


@dataclass(frozen=True)
class WatcherCount:
    """Who watches an operation, over all instances: how many sockets, of how many users."""

    sockets: int
    users: int


@dataclass(eq=False)
class _Listener:
    on_change: Callable[[str, WatcherCount], None]
    told: WatcherCount | None = None


class WatcherCounts:
    """`news` is set when `look` has become due. An instance that died is noticed after `all_s` at the latest."""

    def __init__(self, link: RedisClient, all_s: float, news: asyncio.Event) -> None:
        self._link = link
        self._all_s = all_s
        self._news = news
        self._listeners: dict[str, set[_Listener]] = {}
        self._fresh: set[str] = set()  # operations with listeners that have not been told anything
        self._read = START.id
        self._look_at = self._all_at = 0.0

    @contextmanager
    def listening(self, operation_id: str, on_change: Callable[[str, WatcherCount], None]) -> Iterator[None]:
        listener = _Listener(on_change)
        listeners = self._listeners.setdefault(operation_id, set())
        listeners.add(listener)
        self._fresh.add(operation_id)
        self._news.set()
        try:
            yield
        finally:
            listeners.discard(listener)
            if not listeners and self._listeners.get(operation_id) is listeners:
                del self._listeners[operation_id]

    def look_in_s(self) -> float:
        """Seconds until `look` is due; infinite while nobody listens."""
        return self._look_at - self._now() if self._listeners else float("inf")

    def look_at_all(self) -> None:
        """Redis was away, and may have lost what had changed: look soon, and at everything."""
        self._look_at = self._all_at = 0.0
        self._read = START.id

    async def look(self) -> None:
        """Tell the listeners what is news to them, if it is time; Unavailable when Redis is away."""
        now = self._now()
        if self.look_in_s() > 0:
            return
        self._look_at = now + LOOK_S
        self._read, changed = await self._link.changed_watchers(self._read)
        wanted = changed | self._fresh
        if now >= self._all_at:
            wanted, self._all_at = set(self._listeners), now + self._all_s
        self._fresh = set()
        await self._tell([operation_id for operation_id in wanted if operation_id in self._listeners])

    async def _tell(self, operation_ids: list[str]) -> None:
        if not operation_ids:
            return
        found = await self._link.count_watchers(operation_ids)
        for operation_id, (sockets, users) in zip(operation_ids, found, strict=True):
            presence = WatcherCount(sockets, users)
            for listener in tuple(self._listeners.get(operation_id, ())):
                if listener.told != presence:
                    listener.told = presence
                    listener.on_change(operation_id, presence)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
