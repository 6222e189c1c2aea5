"""Decides which operation runs now: the queue, the claim of a lease, and resuming what another server left.

At most one operation runs per collection, and a bounded number at once; the others wait in the queue. `placement.py`
says which of several servers starts it, `runner.py` runs it, `pipeline.operations` has its stages. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from contextlib import suppress
from typing import Self

from pipeline.context.context import Dependencies
from pipeline.execution.completion import announce_again
from pipeline.execution.maintenance import Maintenance
from pipeline.execution.placement import Placement
from pipeline.execution.runner import run_operation
from semantik.core.cancellation import not_lost
from semantik.core.errors import NotFound, Unavailable
from semantik.core.models import Lease, Operation, now, queue_position
from semantik.storage.mongo.operations import claimable

log = logging.getLogger("semantik.operations")

_POLL_S = 1.0
_RENEWAL_S = 1.0  # that an owner who is alive gets for a late renewal
_MARGIN_S = 0.02


class Dispatcher:
    """`async with Dispatcher(deps, owner)` runs operations; on exit it releases them, and they resume later.

    `owner` is the name of this server in leases; it keeps the name when it restarts.
    """

    def __init__(self, deps: Dependencies, owner: str) -> None:
        self._deps = deps
        self._owner = owner
        self._running: dict[str, asyncio.Task[None]] = {}
        self._queue_positions: dict[str, int] = {}  # as published last
        self._expired: dict[
            str, tuple[Lease, float]
        ] = {}  # other servers' leases, and since when that is seen
        self._placement = Placement(deps, owner)
        self._pause_s = _POLL_S  # until the next round
        self._wake_up = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.create_task(self._run(), name="dispatcher")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._loop is not None
        for task in (self._loop, *self._running.values()):
            task.cancel()
        await asyncio.gather(self._loop, *self._running.values(), return_exceptions=True)

    @property
    def loop(self) -> asyncio.Task[None]:
        """The background task; it never ends by itself, so when it does the server must end."""
        assert self._loop is not None
        return self._loop

    def wake(self) -> None:
        """Look for work at once."""
        self._wake_up.set()

    async def _run(self) -> None:
        maintenance = Maintenance(self._deps, self._owner)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(not_lost(self._dispatch_forever))
            tasks.create_task(not_lost(maintenance.clean_forever))
            tasks.create_task(not_lost(maintenance.drop_orphans_forever))

    async def _dispatch_forever(self) -> None:
        unavailable = False
        while True:
            self._wake_up.clear()
            self._pause_s = _POLL_S
            try:
                await self._dispatch()
                unavailable = False
            except Unavailable as error:
                if not unavailable:
                    log.warning("Waiting for a store: %s", error)
                unavailable = True
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s):
                    await self._wake_up.wait()

    async def _dispatch(self) -> None:
        """One round: publish ends that were not published, resume abandoned operations, start queued ones."""
        store = self._deps.store
        for operation in await store.operations.unannounced():
            if operation.id not in self._running:
                await announce_again(self._deps, operation)
        active = await store.operations.with_status("processing", "queued")
        limits = self._deps.settings.operations
        concurrent = limits.concurrent
        busy: set[str] = set()
        running = Counter(each.user_id for each in active if each.id in self._running)
        for operation in active:
            if claimable(operation, self._owner, self._running) and self._is_abandoned(operation):
                if operation.status == "queued":
                    await self._publish_position(
                        operation, queue_position(operation, active, concurrent, limits.for_others) or 0
                    )
                # Operations of one user may run for hours: another one does not wait for their end.
                alone = 0 if running[operation.user_id] else limits.for_others
                is_full = len(self._running) >= concurrent + alone
                is_due = not (operation.collection_id in busy or is_full)
                if operation.cancel_requested or (is_due and await self._placement.may_start(operation)):
                    await self._start(operation)
                    running[operation.user_id] += operation.id in self._running
            elif operation.lease is not None and operation.id not in self._running:
                self._look_again_in((operation.lease.expires_at - now()).total_seconds())
            busy.add(operation.collection_id)
        await self._placement.settle(active)
        self._queue_positions = {
            o.id: self._queue_positions[o.id] for o in active if o.id in self._queue_positions
        }
        self._expired = {o.id: self._expired[o.id] for o in active if o.id in self._expired}

    def _is_abandoned(self, operation: Operation) -> bool:
        """Whether nobody renews a lease that has expired.

        After a store was unavailable the owner's renewal may be on its way: an owner alive gets a second for it.
        """
        lease = operation.lease
        if lease is None or lease.owner == self._owner:
            return True
        seen, since = self._expired.setdefault(operation.id, (lease, time.monotonic()))
        if seen != lease:
            since = time.monotonic()
            self._expired[operation.id] = (lease, since)
        left_s = since + _RENEWAL_S - time.monotonic()
        self._look_again_in(left_s)
        return left_s <= 0

    def _look_again_in(self, seconds: float) -> None:
        """Begin the next round then, if it would begin later."""
        if seconds > 0:
            self._pause_s = min(self._pause_s, seconds + _MARGIN_S)

    async def _start(self, operation: Operation) -> None:
        if await self._remove_orphan(operation):
            return
        if not operation.cancel_requested and not await self._lock(operation):
            return
        lease_s = self._deps.settings.operations.lease_s
        claimed = await self._deps.store.operations.claim(operation, self._owner, lease_s)
        if claimed is None:
            await self._unlock_if_ended(operation)
            return
        task = asyncio.create_task(run_operation(self._deps, claimed), name=f"operation {claimed.id}")
        self._running[claimed.id] = task
        task.add_done_callback(lambda _: self._on_done(claimed.id))

    async def _unlock_if_ended(self, operation: Operation) -> None:
        """An operation that ended since it was read has unlocked its collection already: undo the new lock."""
        fresh = await self._deps.store.operations.get(operation.id)
        if fresh is None or fresh.ended:
            await self._deps.store.collections.unlock(operation.collection_id, operation.id)

    async def _remove_orphan(self, operation: Operation) -> bool:
        """Remove the operation if its collection is purged; returns whether it was.

        It was requested during the purge, and would stay in the queue for ever.
        """
        try:
            await self._deps.store.collections.get_including_deleted(operation.collection_id)
        except NotFound:
            await self._deps.store.operations.remove_ids([operation.id])
            return True
        return False

    def _on_done(self, operation_id: str) -> None:
        task = self._running[operation_id]
        if not task.cancelled() and task.exception() is not None:
            # It stays among the running ones: resumed here, it would only fail again.
            log.error("Operation %s could not be ended", operation_id, exc_info=task.exception())
            return
        del self._running[operation_id]
        self.wake()

    async def _publish_position(self, operation: Operation, position: int) -> None:
        """Publish the operation's position in the queue when it has changed."""
        if self._queue_positions.get(operation.id) == position:
            return
        self._queue_positions[operation.id] = position
        async with self._deps.progress.publisher(operation.id, operation.last_message) as publisher:
            await publisher.publish(
                "operation_queued", idempotency_key=f"queued {position}", queue_position=position
            )
            await self._deps.store.operations.record_message(operation.id, publisher.last_seq)

    async def _lock(self, operation: Operation) -> bool:
        """Lock the collection; the lock of an operation that has ended is removed first."""
        collections = self._deps.store.collections
        if await collections.lock(operation.collection_id, operation.id):
            return True
        collection = await collections.get(operation.collection_id)
        if collection is not None and collection.running is not None:
            holder = await self._deps.store.operations.get(collection.running)
            if holder is None or holder.ended:
                await collections.unlock(collection.id, collection.running)
                return await collections.lock(operation.collection_id, operation.id)
        return False
