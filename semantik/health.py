"""Whether the parts are there, and what they use: asked of plain callables that the wiring gives."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import psutil

from semantik.errors import Forbidden
from semantik.records import User


@dataclass(frozen=True)
class State:
    """`pool` is "loading" until the model answers; then "ready"."""

    mongo: bool
    redis: bool
    pool: str

    @property
    def status(self) -> str:
        return "ok" if self.mongo and self.redis else "degraded"


@dataclass(frozen=True)
class Worker:
    """A worker process: its `role` is question or batch, `uss_bytes` the memory that is its own."""

    pid: int
    role: str
    uss_bytes: int


@dataclass(frozen=True)
class Use:
    """What the server uses: its own process, and each of its workers."""

    pid: int
    rss_bytes: int
    workers: tuple[Worker, ...]


class Health:
    """`mongo()` and `redis()` tell whether the store answers, `ready()` whether the model is loaded."""

    def __init__(
        self,
        mongo: Callable[[], Awaitable[bool]],
        redis: Callable[[], Awaitable[bool]],
        ready: Callable[[], bool],
        workers: Callable[[], Sequence[Worker]],
    ) -> None:
        self._mongo = mongo
        self._redis = redis
        self._ready = ready
        self._workers = workers

    async def look(self) -> State:
        mongo, redis = await asyncio.gather(self._mongo(), self._redis())
        return State(mongo, redis, "ready" if self._ready() else "loading")

    async def use(self, user: User) -> Use:
        """For administrators; raises Forbidden for others. Reads /proc, in a thread."""
        if not user.is_admin:
            raise Forbidden("Only an administrator may see what the server uses.")
        return await asyncio.to_thread(self._measure)

    def _measure(self) -> Use:
        return Use(os.getpid(), psutil.Process().memory_info().rss, tuple(self._workers()))
