"""Which operation runs now: the queue, the lease, taking up again, and clearing up. Runs on the loop.

At most one operation runs per collection, some collections at once; the others wait in line. How one runs stands
in `execution.py`, what it does in `operations/`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Self

from pipeline import failpoints
from pipeline.context.context import Dependencies
from pipeline.execution.completion import announce_again
from pipeline.execution.runner import execute
from semantik.core.errors import NotFound, Unavailable
from semantik.core.models import Lease, Operation, now, queue_position
from semantik.storage.mongo.operations import claimable

log = logging.getLogger("semantik.operations")

_LOOK_S = 1.0
_DROP_S = 5.0


class Dispatcher:
    """`async with Dispatcher(...)` runs operations until it is left; then they are given back, to go on later."""

    def __init__(self, parts: Dependencies, owner: str) -> None:
        self._parts = parts
        self._owner = owner
        self._running: dict[str, asyncio.Task[None]] = {}
        self._places: dict[str, int] = {}  # in the line, as they were told last
        self._stale: dict[
            str, tuple[Lease, float]
        ] = {}  # leases that have run out, and since when that is seen
        self._work = asyncio.Event()
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
        """The task behind it; it never ends by itself, so when it does the server must."""
        assert self._loop is not None
        return self._loop

    def wake(self) -> None:
        """There is work: look at once."""
        self._work.set()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._dispatch())
            tasks.create_task(self._clear_for_ever())
            tasks.create_task(self._drop_removed_for_ever())

    async def _dispatch(self) -> None:
        away = False
        while True:
            self._work.clear()
            try:
                await self._look()
                away = False
            except Unavailable as error:
                if not away:
                    log.warning("Waiting for a store: %s", error)
                away = True
            with suppress(TimeoutError):
                await asyncio.wait_for(self._work.wait(), _LOOK_S)

    async def _look(self) -> None:
        """One round: tell what was left untold, take up what was dropped, begin what waits."""
        store = self._parts.store
        for operation in await store.operations.unannounced():
            if operation.id not in self._running:
                await announce_again(store, self._parts.progress, operation)
        active = await store.operations.with_status("processing", "queued")
        concurrent = self._parts.settings.operations.concurrent
        busy: set[str] = set()
        for operation in active:
            if claimable(operation, self._owner, self._running) and self._is_left(operation):
                if operation.status == "queued":
                    await self._tell_queued(operation, queue_position(operation, active, concurrent) or 0)
                if operation.cancel_requested or not (
                    operation.collection_id in busy or len(self._running) >= concurrent
                ):
                    await self._begin(operation)
            busy.add(operation.collection_id)
        self._places = {o.id: self._places[o.id] for o in active if o.id in self._places}
        self._stale = {o.id: self._stale[o.id] for o in active if o.id in self._stale}

    def _is_left(self, operation: Operation) -> bool:
        """Whether nobody renews the lease that has run out.

        After a store stood still for a while, its owner's renewal may be on its way: who is alive has a second for it.
        """
        lease = operation.lease
        if lease is None or lease.owner == self._owner:
            return True
        seen, since = self._stale.setdefault(operation.id, (lease, time.monotonic()))
        if seen != lease:
            self._stale[operation.id] = (lease, time.monotonic())
            return False
        return time.monotonic() - since >= _LOOK_S

    async def _begin(self, operation: Operation) -> None:
        if await self._is_astray(operation):
            return
        if not operation.cancel_requested and not await self._lock(operation):
            return
        lease_s = self._parts.settings.operations.lease_s
        claimed = await self._parts.store.operations.claim(operation, self._owner, lease_s)
        if claimed is None:
            await self._let_go(operation)
            return
        task = asyncio.create_task(execute(self._parts, claimed), name=f"operation {claimed.id}")
        self._running[claimed.id] = task
        task.add_done_callback(lambda _: self._forget(claimed.id))

    async def _let_go(self, operation: Operation) -> None:
        """An operation that ended since it was read had given its collection back already."""
        fresh = await self._parts.store.operations.get(operation.id)
        if fresh is None or fresh.ended:
            await self._parts.store.collections.unlock(operation.collection_id, operation.id)

    async def _is_astray(self, operation: Operation) -> bool:
        """Whether its collection is purged; then it goes as well. It was asked for in the midst of that, and would
        stand in the line for ever."""
        try:
            await self._parts.store.collections.get_including_deleted(operation.collection_id)
        except NotFound:
            await self._parts.store.operations.remove_ids([operation.id])
            return True
        return False

    def _forget(self, operation_id: str) -> None:
        task = self._running[operation_id]
        if not task.cancelled() and task.exception() is not None:
            # It keeps its place among the running ones: taken up again here, it would only fail again.
            log.error("Operation %s could not be ended", operation_id, exc_info=task.exception())
            return
        del self._running[operation_id]
        self.wake()

    async def _tell_queued(self, operation: Operation, place: int) -> None:
        """Tell its place in the line, and each better one."""
        if self._places.get(operation.id) == place:
            return
        self._places[operation.id] = place
        async with self._parts.progress.publisher(operation.id, operation.last_message) as publisher:
            await publisher.publish(
                "operation_queued", idempotency_key=f"queued {place}", queue_position=place
            )
            await self._parts.store.operations.record_message(operation.id, publisher.last_seq)

    async def _lock(self, operation: Operation) -> bool:
        """Take the collection; a mark that an ended operation left behind is wiped first."""
        collections = self._parts.store.collections
        if await collections.lock(operation.collection_id, operation.id):
            return True
        collection = await collections.get(operation.collection_id)
        if collection is not None and collection.running is not None:
            holder = await self._parts.store.operations.get(collection.running)
            if holder is None or holder.ended:
                await collections.unlock(collection.id, collection.running)
                return await collections.lock(operation.collection_id, operation.id)
        return False

    async def _clear(self) -> None:
        """End the operations of deleted collections, and purge those that have none left."""
        store = self._parts.store
        for collection_id in await store.collections.deleted_ids():
            operations = await store.operations.of_collections([collection_id], 0)
            for operation in operations:
                if not operation.ended:
                    await store.operations.request_cancel(operation.id)
            if all(self._is_over(operation) for operation in operations):
                with suppress(NotFound):  # another server was faster
                    await self._purge(collection_id, operations)

    async def _purge(self, collection_id: str, operations: Sequence[Operation]) -> None:
        """The collection's own record goes last: until then it is found, and a purge goes on after a crash."""
        store = self._parts.store
        for operation in operations:
            await self._parts.progress.delete(operation.id)
        collection = await store.collections.get_including_deleted(collection_id)
        await self._parts.vectors.drop(collection)
        await store.chunks.remove_spans(collection_id, [(0, collection.next_seq)])
        await store.documents.remove(collection_id)
        await store.folder_digests.remove_all(collection_id)
        await store.failures.remove([operation.id for operation in operations])
        await store.operations.remove(collection_id)
        await store.collections.remove(collection_id)
        log.info("purged   collection %s", collection_id)

    async def _clear_retired(self) -> None:
        """Remove the generations that a REINDEX has put out of use."""
        store = self._parts.store
        for collection in await store.collections.with_retired_generations():
            for generation in collection.generations:
                if generation.number < collection.generation:
                    await self._parts.vectors.drop_generation(generation)
                    await store.chunks.remove_generation(generation, collection.next_seq)
                    failpoints.die_at("retired.chunks")
                    await store.documents.remove(collection.id, generation.number)
                    await store.collections.drop_generation(generation)
                    log.info("retired  generation %d of %s", generation.number, collection.name)
            await store.collections.clear_retirement(collection)

    async def _follow_staging(self) -> None:
        """Keep step with what other servers build, so that no search waits for it when it is searched."""
        store = self._parts.store
        for operation in await store.operations.with_status("processing"):
            if operation.type == "reindex" and operation.id not in self._running:
                collection = await store.collections.get(operation.collection_id)
                if collection is not None and collection.staging is not None:
                    await self._parts.vectors.get_synced(collection.staging)

    def _is_over(self, operation: Operation) -> bool:
        """Whether an operation has ended, and whoever watches it has been told."""
        linger = timedelta(seconds=self._parts.settings.progress.linger_s + _LOOK_S)
        return (
            operation.completed_at is not None
            and operation.announced
            and operation.completed_at + linger < now()
        )

    async def _clear_for_ever(self) -> None:
        """Beside the dispatching, which must not wait for a great deletion."""
        while True:
            with suppress(Unavailable):  # said already where operations wait
                await self._clear()
                await self._clear_retired()
                await self._follow_staging()
            await asyncio.sleep(_LOOK_S)

    async def _drop_removed_for_ever(self) -> None:
        """What another server has cleared may still be open here, in memory and on the disk."""
        while True:
            await asyncio.sleep(_DROP_S)
            with suppress(Unavailable):  # the next time
                await self._parts.vectors.drop_orphans()
