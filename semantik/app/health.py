"""Whether the parts are there, and what they use: asked of plain callables that the wiring gives."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import psutil

from semantik.core.errors import Forbidden
from semantik.core.models import User


@dataclass(frozen=True)
class HealthState:
    """`pool` is "loading" until a query can be answered; "ready" then, and where nothing was indexed yet."""

    mongo: bool
    redis: bool
    pool: str

    @property
    def status(self) -> str:
        return "ok" if self.mongo and self.redis else "degraded"


@dataclass(frozen=True)
class WorkerInfo:
    """A worker process: its `role` is question or batch, `uss_bytes` the memory that is its own."""

    pid: int
    role: str
    uss_bytes: int


@dataclass(frozen=True)
class ResourceUsage:
    """What the server uses: its own process, and each of its workers."""

    pid: int
    rss_bytes: int
    workers: tuple[WorkerInfo, ...]


class HealthMonitor:
    """`mongo()` and `redis()` tell whether the store answers, `ready()` whether the pool is."""

    def __init__(
        self,
        mongo: Callable[[], Awaitable[bool]],
        redis: Callable[[], Awaitable[bool]],
        ready: Callable[[], bool],
        workers: Callable[[], Sequence[WorkerInfo]],
    ) -> None:
        self._mongo = mongo
        self._redis = redis
        self._ready = ready
        self._workers = workers

    async def look(self) -> HealthState:
        mongo, redis = await asyncio.gather(self._mongo(), self._redis())
        return HealthState(mongo, redis, "ready" if self._ready() else "loading")

    async def use(self, user: User) -> ResourceUsage:
        """For administrators; raises Forbidden for others. Reads /proc, in a thread."""
        if not user.is_admin:
            raise Forbidden("Only an administrator may see what the server uses.")
        return await asyncio.to_thread(self._measure)

    def _measure(self) -> ResourceUsage:
        return ResourceUsage(os.getpid(), psutil.Process().memory_info().rss, tuple(self._workers()))
