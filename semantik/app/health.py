"""Whether the stores and the pool are ready, and the resources in use. Runs on the loop.

Knows neither the stores nor the pool nor the engine of vectors: the server passes plain callables, and what it asks of
the pool is a protocol.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import psutil

from semantik.index import EngineState


@dataclass(frozen=True)
class HealthState:
    """`pool` is "loading" until a query can be answered; "ready" then, and where nothing was indexed yet.

    `engine` is that of vectors which servers share, "checking", "ready" or "away"; None without one. While it is away
    words still answer, so the server stays ready.
    """

    mongo: bool
    redis: bool
    pool: str
    engine: str | None = None

    @property
    def status(self) -> str:
        return "ok" if self.mongo and self.redis else "degraded"


@dataclass(frozen=True)
class WorkerInfo:
    """A worker process: its `role` is "question", "batch" or "tracing", `uss_bytes` its private memory."""

    pid: int
    role: str
    uss_bytes: int


@dataclass(frozen=True)
class IsolationState:
    """What the workers that read files can no longer do; None until the first of them has started.

    mode: the setting `pool.isolation`.
    network: they open no sockets. files: nor other files than programs, models and those handed over. signals: they
    send none to other processes. privileges: they get no new ones. system_calls: a filter refuses those that
    they never need.
    problems: a sentence for each part that this machine does not allow.
    """

    mode: str
    network: bool | None = None
    files: bool | None = None
    signals: bool | None = None
    privileges: bool | None = None
    system_calls: bool | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class RemoteWorkerInfo:
    """A worker of a Dask cluster: how many tasks it may run at a time, and runs.

    `tasks` is 0 for a worker that is none of Semantik's, or of another version. `seen_s`: seconds since it last
    reported to the scheduler.
    """

    name: str
    host: str
    tasks: int
    running: int
    seen_s: float


@dataclass(frozen=True)
class ClusterState:
    """The Dask cluster of `pool.scheduler` as this server sees it; no `workers` while it is not `connected`."""

    scheduler: str
    connected: bool
    workers: tuple[RemoteWorkerInfo, ...] = ()


@dataclass(frozen=True)
class ResourceUsage:
    """The memory of the server process and of each of its workers, and how these are isolated; `cluster` is None
    without one.
    """

    pid: int
    rss_bytes: int
    workers: tuple[WorkerInfo, ...]
    isolation: IsolationState
    cluster: ClusterState | None


class PoolState(Protocol):
    """What is asked of the pool: a part of `pipeline/compute/pool.py`."""

    @property
    def is_ready(self) -> bool: ...

    @property
    def isolation(self) -> IsolationState: ...

    @property
    def cluster(self) -> ClusterState | None: ...

    def workers(self) -> Sequence[WorkerInfo]: ...


class HealthMonitor:
    """`ping_mongo()` and `ping_redis()`: whether the store answers; `engine()`: what is known of it, without a look."""

    def __init__(
        self,
        ping_mongo: Callable[[], Awaitable[bool]],
        ping_redis: Callable[[], Awaitable[bool]],
        pool: PoolState,
        engine: Callable[[], EngineState | None],
    ) -> None:
        self._ping_mongo = ping_mongo
        self._ping_redis = ping_redis
        self._pool = pool
        self._engine = engine

    @property
    def engine(self) -> EngineState | None:
        """The engine of vectors that servers share; None without one."""
        return self._engine()

    async def check(self) -> HealthState:
        mongo, redis = await asyncio.gather(self._ping_mongo(), self._ping_redis())
        engine = self._engine()
        pool = "ready" if self._pool.is_ready else "loading"
        return HealthState(mongo, redis, pool, None if engine is None else engine.state)

    async def resource_usage(self) -> ResourceUsage:
        """Reads /proc, in a thread."""
        return await asyncio.to_thread(self._measure)

    def _measure(self) -> ResourceUsage:
        return ResourceUsage(
            os.getpid(),
            psutil.Process().memory_info().rss,
            tuple(self._pool.workers()),
            self._pool.isolation,
            self._pool.cluster,
        )
