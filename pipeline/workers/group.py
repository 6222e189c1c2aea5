"""A group of worker processes with one role. Runs on the loop; knows neither files nor models.

Each worker has its own socket. They share no pipe and no lock that a dying worker could leave blocked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from pipeline.compute.answers import AnswerTooLarge
from pipeline.compute.owner import current_owner
from pipeline.embedding.device import CPU
from pipeline.workers.client import MAX_ANSWER_BYTES, WorkerClient, WorkerDied
from pipeline.workers.fair_slots import FairSlots
from pipeline.workers.file_opener import ToOpen
from pipeline.workers.fork_server import ForkServer
from pipeline.workers.isolation import NOT_ISOLATED, WorkerIsolation
from semantik.core.errors import Unavailable


class WorkerGroup:
    """`size` workers, which run as many tasks at the same time; further tasks wait on the loop, fair between users.

    In an `eager` group, all workers start with the first task. A worker that keeps more than `rest_bytes` of memory
    after a task is replaced (0: never). Groups that share `slots` run at most that many tasks together; where
    these let in more tasks than there are workers, there are more for a while. The workers take the `devices` in turn.
    """

    def __init__(
        self,
        server: ForkServer,
        size: int,
        *,
        niceness: int = 0,
        memory_bytes: int,
        rest_bytes: int = 0,
        eager: bool = True,
        slots: FairSlots | None = None,
        devices: Sequence[str] = (CPU,),
        isolation: WorkerIsolation = NOT_ISOLATED,
    ) -> None:
        self.size = size
        self._eager = eager
        self._closed = False
        self._new_client = partial(
            WorkerClient,
            server,
            niceness=niceness,
            memory_bytes=memory_bytes,
            rest_bytes=rest_bytes,
            isolation=isolation,
        )
        self._workers = [self._new_client(device=devices[number % len(devices)]) for number in range(size)]
        self._free = list(self._workers)
        self._temporary: set[WorkerClient] = set()
        self._devices = devices
        self._slots = slots or FairSlots(size, 0, lambda: 0.0)
        self._tasks = 0
        self._last_task_s = time.monotonic()

    async def run(
        self,
        function: Callable[..., Any],
        *args: Any,
        timeout_s: float,
        files: ToOpen | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> Any:
        """The function's result from a worker, as `WorkerClient.run`; cancelling kills the worker that has the task.

        The time that a task waits for its turn does not count.
        """
        with self._count_task():
            async with self._slots.slot(current_owner.get()):
                for each in self._free if self._eager else ():
                    each.start()
                worker = self._take()
                try:
                    return await worker.run(
                        function, *args, timeout_s=timeout_s, files=files, max_answer_bytes=max_answer_bytes
                    )
                finally:
                    self._free.append(worker)

    def _take(self) -> WorkerClient:
        if not self._free:  # the task was let in beyond the size
            more = self._new_client(device=self._devices[len(self._workers) % len(self._devices)])
            self._workers.append(more)
            return more
        worker = next((each for each in self._free if each.is_up), self._free[0])
        self._free.remove(worker)
        return worker

    async def run_in_new_worker(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """As `run`, in an additional worker that ends afterwards."""
        if self._closed:
            raise Unavailable("The server is shutting down.")
        worker = self._new_client(rest_bytes=0)  # it ends anyway
        self._temporary.add(worker)
        try:
            with self._count_task():
                return await worker.run(function, *args, timeout_s=timeout_s)
        finally:
            if worker.is_starting:  # this task was cancelled, and no other needs the worker
                await worker.close()
            else:
                worker.retire()
            self._temporary.discard(worker)

    @property
    def idle_s(self) -> float:
        """The seconds since the last task ended; 0 while a task runs or a worker starts."""
        busy = self._tasks or any(each.is_starting for each in self._workers)
        return 0.0 if busy else time.monotonic() - self._last_task_s

    @property
    def is_up(self) -> bool:
        """Whether at least one worker is connected."""
        return any(each.is_up for each in self._workers)

    def retire(self) -> None:
        """End the workers while there is no task; the next task starts them again."""
        for each in self._workers:
            each.retire()
        del self._workers[self.size :]
        self._free = list(self._workers)

    def pids(self) -> list[int]:
        """The group's current processes. May be called in any thread."""
        return [pid for each in self._workers for pid in each.pids()]

    def temporary_pids(self) -> list[int]:
        """The current processes of `run_in_new_worker`. May be called in any thread."""
        return [pid for each in list(self._temporary) for pid in each.pids()]

    async def close(self) -> None:
        """End the workers at once; running tasks raise Unavailable."""
        self._closed = True
        await asyncio.gather(*(each.close() for each in (*self._workers, *self._temporary)))

    @contextmanager
    def _count_task(self) -> Iterator[None]:
        self._tasks += 1
        try:
            yield
        finally:
            self._tasks -= 1
            self._last_task_s = time.monotonic()


async def run_task(
    workers: WorkerGroup | WorkerClient,
    function: Callable[..., Any],
    *args: Any,
    timeout_s: float,
    files: ToOpen | None = None,
) -> Any:
    """As `workers.run`, with the errors of a ComputePool: raises Unavailable when the task cannot be finished."""
    try:
        return await workers.run(function, *args, timeout_s=timeout_s, files=files)
    except WorkerDied as death:
        raise Unavailable(f"The pool could not finish {function.__name__}: {death}.") from death
    except AnswerTooLarge as error:
        raise Unavailable(f"The answer of {function.__name__} is too large for the server.") from error
    except ImportError as error:
        raise Unavailable(f"The workers cannot import what they need: {error}.", 60) from error
