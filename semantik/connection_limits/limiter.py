"""Counts how many sockets and scans a user has, and how many sockets watch an operation, over all server processes.

A process counts its own connections and sends the counts to Redis, all in one task; what it sent is valid while its
key there exists. Must not know sockets. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from types import TracebackType

from semantik.config.settings import SocketSettings
from semantik.connection_limits.counter_store import SCANS, SOCKETS, WATCHERS, CounterStore
from semantik.connection_limits.reservation import CounterKey, Limit, Reservation
from semantik.connection_limits.watcher_counts import WatcherCount, WatcherCounts
from semantik.core.errors import SemantikError, Unavailable
from semantik.progress import backoff_delays

PROCESS_TTL_S = (
    15.0  # a process that is silent this long is not counted any more; it updates three times as often
)
FULL_UPDATE_S = 600.0  # a process sends all its counts this often, so that the hashes do not expire
RESERVE_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
BATCH = 500

USER_FULL = (
    "You have {n} sockets open, and {limit} are allowed (sockets.per_user): close one, or try again later."
)
OPERATION_FULL = (
    "{n} sockets watch this operation, and {limit} are allowed (sockets.per_operation): try again later."
)
SCANS_FULL = (
    "You have {n} scans running, and {limit} are allowed (sockets.scans_per_user): "
    "cancel one, or try again later."
)

log = logging.getLogger("semantik.progress")


class ConnectionLimiter:
    """Inside `async with`, `task` sends the counts; without it nothing can be reserved.

    It never ends by itself: when it does, of a bug, end the server. `limits()` gives the settings of the moment. The
    store's Redis client must outlive the limiter.
    """

    task: asyncio.Task[None]

    def __init__(
        self,
        store: CounterStore,
        limits: Callable[[], SocketSettings],
        process_ttl_s: float = PROCESS_TTL_S,
    ) -> None:
        self._store = store
        self._limits = limits
        self._process_ttl_s = process_ttl_s
        self._process = secrets.token_hex(8)  # a server that restarts does not inherit what it had
        self._number = 0  # of the last update
        self._counts: Counter[CounterKey] = Counter()
        self._stale: set[CounterKey] = set()  # Redis may have other counts of these
        self._pending: list[Reservation] = []
        self._full_update = True  # Redis may have other counts of anything
        self._renew_at = self._full_update_at = 0.0
        self._wake = asyncio.Event()
        self._watcher_counts = WatcherCounts(store, process_ttl_s / 3, self._wake)

    async def __aenter__(self) -> ConnectionLimiter:
        self.task = asyncio.create_task(self._run(), name="connection limits")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self._release_all()

    def socket(self, user_id: str, operation_id: str | None = None) -> AbstractAsyncContextManager[None]:
        """`async with`: the user has one more socket open, which watches the operation, if one is given.

        Entering raises Busy when a limit is reached, and Unavailable when Redis is away. Leaving waits for nothing.
        """
        user, operation = SOCKETS.format(user_id=user_id), WATCHERS + (operation_id or "")
        limits = [Limit(CounterKey(user, user_id), self._limits().per_user, USER_FULL)]
        if operation_id is not None:
            limits.append(Limit(CounterKey(operation, user_id), self._limits().per_operation, OPERATION_FULL))
        return self._reserved(*limits)

    def watcher(self, user_id: str, operation_id: str) -> AbstractAsyncContextManager[None]:
        """`async with`: a socket that the user has open already watches this operation too; no limit refuses that."""
        counter = CounterKey(WATCHERS + operation_id, user_id)
        return self._reserved(Limit(counter, sys.maxsize, OPERATION_FULL))

    def scan(self, user_id: str) -> AbstractAsyncContextManager[None]:
        """`async with`: the user has one more scan running; the errors are those of `socket`."""
        counter = CounterKey(SCANS.format(user_id=user_id), user_id)
        return self._reserved(Limit(counter, self._limits().scans_per_user, SCANS_FULL))

    def subscribe(
        self, operation_id: str, on_change: Callable[[str, WatcherCount], None]
    ) -> AbstractContextManager[None]:
        """`with`: `on_change` is called soon with how many watch the operation, and again when that has changed.

        It is called on the loop, a second or so after the change, and must be quick.
        """
        return self._watcher_counts.subscribe(operation_id, on_change)

    async def _run(self) -> None:
        """Keep the counts in Redis up to date for ever. Ends by cancellation or a bug only."""
        delays, lost = backoff_delays(), False
        while True:
            await self._wait_until_due()
            try:
                if self._due_in_s() <= 0:
                    await self._update()
                await self._watcher_counts.poll()
            except Unavailable as error:
                self._renew_at, self._full_update = 0.0, True
                self._watcher_counts.reset()
                if not lost:
                    log.warning("Sockets are not counted. %s", error)
                lost = True
                await asyncio.sleep(next(delays))
                continue
            if lost:
                log.info("Sockets are counted again")
                delays, lost = backoff_delays(), False

    async def _release_all(self) -> None:
        """Remove all counts of this process, once the task has ended; those that Redis does not take expire."""
        if self._number == 0:
            return  # Redis has never heard of this process
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._send(self._stale | self._counts.keys(), [], closing=True)
        except (Unavailable, TimeoutError):
            log.info("Redis counts the sockets of this server for another %g s", self._process_ttl_s)

    @asynccontextmanager
    async def _reserved(self, *limits: Limit) -> AsyncIterator[None]:
        reservation = Reservation(limits)
        self._pending.append(reservation)
        self._wake.set()
        try:
            refusal = await self._result(reservation)
            if refusal is not None:
                raise refusal
            yield
        finally:
            self._release(reservation)

    async def _result(self, reservation: Reservation) -> SemantikError | None:
        try:
            async with asyncio.timeout(RESERVE_TIMEOUT_S):
                return await reservation.result
        except TimeoutError:
            return Unavailable(f"Redis did not count this within {RESERVE_TIMEOUT_S:g} s: try again later.")

    def _release(self, reservation: Reservation) -> None:
        reservation.released = True
        if reservation.counted:
            self._counts.subtract(reservation.counters)
            self._mark_stale(reservation.counters)

    def _mark_stale(self, counters: Iterable[CounterKey]) -> None:
        """Send the counts of these with the next update."""
        for counter in counters:
            if self._counts[counter] == 0:
                del self._counts[counter]
            self._stale.add(counter)
        self._wake.set()

    async def _wait_until_due(self) -> None:
        """Wait until there is something to send to Redis, or to ask it."""
        while (wait_s := min(self._due_in_s(), self._watcher_counts.due_in_s())) > 0:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):  # it is time
                async with asyncio.timeout(None if wait_s == float("inf") else wait_s):
                    await self._wake.wait()

    def _due_in_s(self) -> float:
        """Seconds until the next update is due; infinite while this process counts nothing."""
        if self._pending or self._stale:
            return 0.0
        return self._renew_at - self._now() if self._counts else float("inf")

    async def _update(self) -> None:
        """Send the counts that have changed here, and the reservations that are pending."""
        now = self._now()
        full = self._full_update or not self._counts or now >= self._full_update_at
        stale = self._stale | self._counts.keys() if full else self._stale
        pending = [reservation for reservation in self._pending[:BATCH] if not reservation.released]
        self._stale = set()
        del self._pending[:BATCH]
        try:
            answers = await self._send(stale, pending, full=full)
        except BaseException as error:
            # Redis may have done it even so, or may do it yet.
            self._stale |= stale.union(*(reservation.counters for reservation in pending))
            away = error if isinstance(error, Unavailable) else Unavailable("The server is shutting down.")
            for reservation in pending:
                reservation.resolve(away)
            raise
        if answers is None:
            self._full_update, self._renew_at = True, now
            self._stale |= stale
            self._pending[:0] = pending
            return
        for reservation, (reached, total) in zip(pending, answers, strict=True):
            self._resolve(reservation, reached, total)
        self._full_update, self._renew_at = False, now + self._process_ttl_s / 3
        if full:
            self._full_update_at = now + FULL_UPDATE_S

    async def _send(
        self,
        stale: Iterable[CounterKey],
        pending: Iterable[Reservation],
        *,
        full: bool = True,
        closing: bool = False,
    ) -> list[tuple[int, int]] | None:
        self._number += 1
        return await self._store.update(
            {
                "process": self._process,
                "number": self._number,
                "full": full,
                "closing": closing,
                "process_ttl_ms": round(self._process_ttl_s * 1000),
                "counts": [[*counter, 0 if closing else self._counts[counter]] for counter in stale],
                "reservations": [[[*each.counter, each.limit] for each in one.limits] for one in pending],
            }
        )

    def _resolve(self, reservation: Reservation, reached: int, total: int) -> None:
        if reached:
            reservation.refuse(reached, total)
        elif reservation.released:  # while Redis was asked
            self._mark_stale(reservation.counters)
        else:
            reservation.counted = True
            self._counts.update(reservation.counters)
            reservation.resolve(None)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
