"""A number of worker processes with one role. Runs on the loop; knows neither files nor models.

Each has a socket of its own: they share no pipe, and no lock that one of them could take along when it dies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pipeline.workers.client import WorkerClient


class WorkerGroup:
    """`size` workers. As many tasks as workers are under way; the rest wait on the loop, in the order they came."""

    def __init__(self, size: int, *, nice: bool, memory_bytes: int) -> None:
        self.size = size
        self._workers = [WorkerClient(nice=nice, memory_bytes=memory_bytes) for _ in range(size)]
        self._free = list(self._workers)
        self._slots = asyncio.Semaphore(size)

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """The function's result from a worker; cancelling ends the worker that has the task.

        Raises what the function raises; WorkerDied when its worker ends or takes longer than `timeout_s`;
        Unavailable when no worker can be started, or the crew is closing.
        """
        async with self._slots:
            for each in self._free:  # all come with the first task
                each.begin()
            free = next((each for each in self._free if each.is_up), self._free[0])
            self._free.remove(free)
            try:
                return await free.run(function, *args, timeout_s=timeout_s)
            finally:
                self._free.append(free)

    def pids(self) -> list[int]:
        """The processes of this crew at the moment."""
        return [pid for each in self._workers for pid in each.pids()]

    async def close(self) -> None:
        """End the workers, whatever they do; tasks under way raise Unavailable."""
        await asyncio.gather(*(each.close() for each in self._workers))
