"""How much a server has at the cluster at the same time: so many tasks, in fair turns, and so many bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pipeline.workers.fair_slots import FairSlots

_TASKS_PER_SLOT = 2  # one that runs, and one that is there when it ends


class InFlight:
    """At most `most_bytes` are on their way; who asks for more than that waits until nothing is."""

    def __init__(self, most_bytes: int, fair_wait_s: Callable[[], float]) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._changed = asyncio.Condition()
        self._tasks = FairSlots(0, 0, fair_wait_s)

    def resize(self, slots: int) -> None:
        """The cluster runs `slots` tasks at the same time by now; with 0, those that wait are let through."""
        self._tasks.resize(_TASKS_PER_SLOT * slots or 1 << 30)

    @asynccontextmanager
    async def task(self, owner: str) -> AsyncIterator[None]:
        async with self._tasks.slot(owner):
            yield

    @asynccontextmanager
    async def hold(self, count: int) -> AsyncIterator[None]:
        """Inside, `count` bytes are on their way."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._bytes or self._bytes + count <= self._most_bytes)
            self._bytes += count
        try:
            yield
        finally:
            self._bytes -= count
            async with self._changed:
                self._changed.notify_all()
