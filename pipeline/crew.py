"""A number of worker processes that mends itself: one Pebble pool, and a new one when that breaks.

Runs on the loop; knows neither files nor models. A task that kills its worker costs itself alone (WorkerDied); the
death of the fork server costs everybody a few seconds, and nobody a task.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import signal
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import ForkServerContext
from typing import Any

from pebble import ProcessExpired, ProcessPool

from pipeline import worker
from semantik.errors import Unavailable

START_S = 120.0  # the fork server loads torch and a model, on a busy machine
GRACE_S = 60.0  # for a task to reach a worker that is just being started
AGAIN_S = 0.2
STOP_S = 1.0  # ending the workers takes a fraction of it
ATTEMPTS = 5
_FORKSERVER_GONE = 255  # what multiprocessing reports of a worker whose fork server is dead
_log = logging.getLogger(__name__)


class WorkerDied(Exception):
    """The worker that had the task ended: `timed_out`, `out_of_memory`, or for what `exitcode` tells."""

    def __init__(self, exitcode: int) -> None:
        self.exitcode = exitcode
        self.timed_out = exitcode == -signal.SIGALRM
        self.out_of_memory = exitcode == worker.OUT_OF_MEMORY
        name = signal.Signals(-exitcode).name if exitcode < 0 else f"status {exitcode}"
        reason = f"its worker process ended with {name}"
        if self.timed_out or self.out_of_memory:
            reason = "it took too long" if self.timed_out else "it needs more memory than a worker may take"
        super().__init__(reason)


class _Stuck(Exception):
    """The pool does not even notice that a task's time is over."""


class Crew:
    """`size` workers with one role. As many tasks as workers are under way; the rest wait on the loop."""

    def __init__(self, size: int, *, nice: bool, memory_bytes: int) -> None:
        self.size = size
        self._initargs = (nice, memory_bytes)
        self._slots = asyncio.Semaphore(size)
        self._starting: asyncio.Task[ProcessPool] | None = None
        self._running: set[asyncio.Future[Any]] = set()
        self._closed = False

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """The function's result from a worker; cancelling ends the worker that has the task.

        Raises what the function raises; WorkerDied when its worker ends or takes longer than `timeout_s`;
        Unavailable when no workers can be started, or the crew is closing.
        """
        async with self._slots:
            for _ in range(ATTEMPTS):
                pool = await self._pool()
                try:
                    future = pool.schedule(worker.call, args=(function, args), timeout=timeout_s)
                except RuntimeError:  # the pool broke while nobody used it
                    await self._discard(pool)
                    continue
                try:
                    return await self._result(future, timeout_s)
                except _Stuck as error:
                    await self._discard(pool)
                    raise WorkerDied(-signal.SIGALRM) from error
                except BrokenProcessPool:
                    await self._discard(pool)
                except ProcessExpired as error:
                    if error.exitcode != _FORKSERVER_GONE:
                        raise WorkerDied(error.exitcode) from error
                    # All its workers were killed at once, perhaps while one held the lock of their common pipe.
                    await self._discard(pool)
            raise Unavailable("The worker processes end again and again; the server's log tells more.", 10)

    def pids(self) -> list[int]:
        """The processes of this crew at the moment."""
        if self._starting is None or not self._starting.done() or self._starting.exception():
            return []
        # Pebble has no public way to ask; multiprocessing's own list does not tell the crews apart.
        return list(self._starting.result()._pool_manager.worker_manager.workers)

    async def close(self) -> None:
        """End the workers, whatever they do; tasks under way raise Unavailable."""
        self._closed = True
        self._interrupt()
        if self._starting is None:
            return
        while not self._starting.done():  # again and again: the thread may be just about to launch it
            end_forkserver()
            await asyncio.wait({self._starting}, timeout=AGAIN_S)
        with contextlib.suppress(Unavailable):
            await _end(await self._starting, STOP_S)

    async def _pool(self) -> ProcessPool:
        if self._closed:
            raise Unavailable("The server is shutting down.")
        if self._starting is None or (self._starting.done() and self._starting.exception()):
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with asyncio.timeout(START_S):
                return await asyncio.shield(self._starting)
        except TimeoutError as error:
            raise Unavailable(f"The worker processes are not up after {START_S:.0f} seconds.", 10) from error

    async def _start(self) -> ProcessPool:
        reason: Exception | None = None
        for _ in range(ATTEMPTS):
            if self._closed:
                break
            try:
                return await asyncio.to_thread(_started, self.size, self._initargs)
            except (BrokenProcessPool, OSError, EOFError) as error:  # the fork server died, perhaps just now
                reason = error
        raise Unavailable(
            "The worker processes cannot be started; the server's log tells more.", 10
        ) from reason

    async def _result(self, future: Future[Any], timeout_s: float) -> Any:
        wrapped = asyncio.wrap_future(future)
        self._running.add(wrapped)
        try:
            async with asyncio.timeout(timeout_s + GRACE_S) as deadline:
                return await wrapped
        except TimeoutError as error:  # the pool has its own deadline; ours is for a pool that is stuck
            raise (_Stuck() if deadline.expired() else WorkerDied(-signal.SIGALRM)) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and not task.cancelling():
                raise BrokenProcessPool("interrupted") from None
            raise
        finally:
            self._running.discard(wrapped)

    async def _discard(self, pool: ProcessPool) -> None:
        starting = self._starting
        if (
            not self._closed
            and starting is not None
            and starting.done()
            and not starting.exception()
            and starting.result() is pool
        ):
            self._starting = None
            self._interrupt()
            _log.warning("the worker processes are gone and are started again")
            await _end(pool, START_S)

    def _interrupt(self) -> None:
        """Wake the tasks of a pool that ends: it would leave them waiting for ever."""
        for future in tuple(self._running):
            future.cancel()


def forkserver() -> ForkServerContext:
    """The context of all workers; to be called in the thread that starts one, which must not be the main thread."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipeline.preload"])
    # Ctrl-C goes to every process of the terminal: the fork server has it blocked before it can ignore it. This thread
    # is no main thread, so it needs none; the tracker is started first because starting it unblocks the signal.
    multiprocessing.resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    return context


def _started(size: int, initargs: tuple[Any, ...]) -> ProcessPool:
    """A pool whose workers run; blocks until the fork server has loaded what it preloads."""
    pool = ProcessPool(max_workers=size, initializer=worker.begin, initargs=initargs, context=forkserver())
    try:
        _ = pool.active  # starts it
    except BaseException:
        _stop(pool)
        raise
    return pool


async def _end(pool: ProcessPool, patience_s: float) -> None:
    """Stop the pool; a fork server that stands still, and tells of no worker's end, is killed.

    So is the one that Pebble may start in its place, while it replaces a worker.
    """
    stopping = asyncio.ensure_future(asyncio.to_thread(_stop, pool))
    while not (await asyncio.wait({stopping}, timeout=patience_s))[0]:
        end_forkserver()
    await stopping


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    for pid in tuple(pool._pool_manager.worker_manager.workers):
        # Pebble asks first, and waits three seconds for each that stands still; they have nothing to save.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    pool.join()


def end_forkserver() -> None:
    """Kill the fork server when the thread that waits for it would wait too long: it still loads, or hangs."""
    pid = multiprocessing.forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
