"""What runs where, for administrators: servers, stores, the queue, and the last lines of the log. Runs on the loop."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from semantik.app.instances import InstanceState, instance_state, store_address
from semantik.app.recent_log import LogLine, recent_lines
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import now
from semantik.progress import ProgressService
from semantik.storage.mongo import Store


@dataclass(frozen=True)
class StoreState:
    """Where a store is: "embedded", or its URL without user and password; whether it answers; the bytes that it uses in
    memory, None where it does not say."""

    where: str
    answers: bool
    memory_bytes: int | None = None


@dataclass(frozen=True)
class QueueState:
    """How many operations run and wait, and for how many seconds the longest has waited; 0 if none waits."""

    running: int
    waiting: int
    longest_wait_s: float


@dataclass(frozen=True)
class SystemState:
    python: str
    platform: str
    mongo: StoreState
    redis: StoreState
    instances: Sequence[InstanceState]
    queue: QueueState


class SystemService:
    """`current()` returns the settings of the moment."""

    def __init__(self, store: Store, progress: ProgressService, current: Callable[[], Settings]) -> None:
        self._store = store
        self._progress = progress
        self._current = current

    async def state(self) -> SystemState:
        """Raises Unavailable while MongoDB is away; that Redis is away is part of the state."""
        instances, active, mongo, memory = await asyncio.gather(
            self._store.instances.all(),
            self._store.operations.with_status("processing", "queued"),
            self._store.ping(),
            self._redis_memory(),
        )
        moment = now()
        waits = [(moment - one.created_at).total_seconds() for one in active if one.status == "queued"]
        settings = self._current()
        return SystemState(
            platform.python_version(),
            platform.platform(terse=True),
            StoreState(store_address(settings.mongo_url), mongo),
            StoreState(store_address(settings.redis_url), memory is not None, memory),
            await asyncio.to_thread(lambda: [instance_state(each, moment) for each in instances]),
            QueueState(len(active) - len(waits), len(waits), round(max(waits, default=0.0), 1)),
        )

    def log(self, lines: int) -> Sequence[LogLine]:
        """The last lines of this server's log, the oldest first."""
        return recent_lines()[-lines:]

    async def _redis_memory(self) -> int | None:
        try:
            return await self._progress.redis.memory_bytes()
        except Unavailable:
            return None
