"""A number of worker processes with one role. Runs on the loop; knows neither files nor models.

Each has a socket of its own: they share no pipe, and no lock that one of them could take along when it dies.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from pipeline.workers.client import WorkerClient
from pipeline.workers.fork_server import ForkServer
from semantik.core.errors import Unavailable


class WorkerGroup:
    """`size` workers. As many tasks as workers are under way; the rest wait on the loop, in the order they came.

    In an `eager` crew all of them come up with the first task. Crews that share `slots` have so many tasks under way
    together.
    """

    def __init__(
        self,
        server: ForkServer,
        size: int,
        *,
        nice: bool,
        memory_bytes: int,
        eager: bool = True,
        slots: asyncio.Semaphore | None = None,
    ) -> None:
        self.size = size
        self._eager = eager
        self._closed = False
        self._new = partial(WorkerClient, server, nice=nice, memory_bytes=memory_bytes)
        self._workers = [self._new() for _ in range(size)]
        self._free = list(self._workers)
        self._apart: set[WorkerClient] = set()
        self._slots = slots or asyncio.Semaphore(size)
        self._tasks = 0
        self._last_s = time.monotonic()

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """The function's result from a worker; cancelling ends the worker that has the task.

        Raises what the function raises; WorkerDied when its worker ends or takes longer than `timeout_s`;
        Unavailable when no worker can be started, or the crew is closing.
        """
        with self._busy():
            async with self._slots:
                for each in self._free if self._eager else ():
                    each.begin()
                free = next((each for each in self._free if each.is_up), self._free[0])
                self._free.remove(free)
                try:
                    return await free.run(function, *args, timeout_s=timeout_s)
                finally:
                    self._free.append(free)

    async def run_apart(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """As `run`, in a worker beside the others that ends afterwards."""
        if self._closed:
            raise Unavailable("The server is shutting down.")
        worker = self._new()
        self._apart.add(worker)
        try:
            with self._busy():
                return await worker.run(function, *args, timeout_s=timeout_s)
        finally:
            if worker.is_starting:  # nobody waits for it any more
                await worker.close()
            else:
                worker.retire()
            self._apart.discard(worker)

    @property
    def idle_s(self) -> float:
        """The seconds since there was something to do; 0 while there is, or a worker comes up."""
        busy = self._tasks or any(each.is_starting for each in self._workers)
        return 0.0 if busy else time.monotonic() - self._last_s

    @property
    def is_up(self) -> bool:
        """Whether one of the workers is there, as far as is known."""
        return any(each.is_up for each in self._workers)

    def retire(self) -> None:
        """End the workers, which have nothing to do; they come back with the next task."""
        for each in self._workers:
            each.retire()

    def pids(self) -> list[int]:
        """The processes of this crew at the moment. In any thread."""
        return [pid for each in (*self._workers, *list(self._apart)) for pid in each.pids()]

    async def close(self) -> None:
        """End the workers, whatever they do; tasks under way raise Unavailable."""
        self._closed = True
        await asyncio.gather(*(each.close() for each in (*self._workers, *self._apart)))

    @contextmanager
    def _busy(self) -> Iterator[None]:
        self._tasks += 1
        try:
            yield
        finally:
            self._tasks -= 1
            self._last_s = time.monotonic()
