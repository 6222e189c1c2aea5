"""Which operation runs now: the queue, the lease, taking up again, and clearing up. Runs on the loop.

At most one operation runs per collection, some collections at once; the others wait in line. What runs an
operation stands in `operations/`; here it is only begun, watched and ended.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Self

from pipeline.ending import announce_again, end
from pipeline.operations import OPERATIONS
from pipeline.run import Parts, Run
from semantik.errors import LeaseLost, SemantikError, Unavailable
from semantik.records import Operation, now
from semantik.store.operations import takeable

log = logging.getLogger("semantik.operations")

_LOOK_S = 1.0
_BACK_S = 0.5


class Dispatcher:
    """`async with Dispatcher(...)` runs operations until it is left; then they are given back, to go on later."""

    def __init__(self, parts: Parts, owner: str) -> None:
        self._parts = parts
        self._owner = owner
        self._running: dict[str, asyncio.Task[None]] = {}
        self._work = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.create_task(self._dispatch(), name="dispatcher")
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
        """One round: tell what was left untold, take up what was dropped, begin what waits, clear what is deleted."""
        store = self._parts.store
        for operation in await store.operations.unannounced():
            if operation.id not in self._running:
                await announce_again(store, self._parts.progress, operation)
        places: dict[str, int] = {}
        for operation in await store.operations.with_status("processing", "queued"):
            place = places.get(operation.collection_id, 0)
            places[operation.collection_id] = place + 1
            await self._consider(operation, place)
        await self._clear()

    async def _consider(self, operation: Operation, place: int) -> None:
        if operation.id in self._running:
            return
        if operation.status == "queued":
            if operation.last_message == 0:
                await self._tell_queued(operation, place)
            if place and not operation.cancel_requested:
                return
        elif not takeable(operation, self._owner, self._running):
            return
        if (
            len(self._running) >= self._parts.settings.operations.concurrent
            and not operation.cancel_requested
        ):
            return
        if not operation.cancel_requested and not await self._lock(operation):
            return
        lease_s = self._parts.settings.operations.lease_s
        claimed = await self._parts.store.operations.claim(operation, self._owner, lease_s)
        if claimed is not None:
            task = asyncio.create_task(self._execute(claimed), name=f"operation {claimed.id}")
            self._running[claimed.id] = task
            task.add_done_callback(lambda _: self._forget(claimed.id))

    def _forget(self, operation_id: str) -> None:
        task = self._running.pop(operation_id)
        if not task.cancelled() and task.exception() is not None:
            log.error("Operation %s could not be ended", operation_id, exc_info=task.exception())
        self.wake()

    async def _tell_queued(self, operation: Operation, place: int) -> None:
        async with self._parts.progress.publisher(operation.id, operation.last_message) as publisher:
            await publisher.tell("operation_queued", once="queued", queue_position=place)
            await self._parts.store.operations.note_message(operation.id, publisher.last_seq)

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

    async def _execute(self, operation: Operation) -> None:
        """Run an operation to its end, however often a store goes away meanwhile."""
        while True:
            try:
                await self._attempt(operation)
                return
            except LeaseLost as error:
                log.warning("%s", error)
                return
            except Unavailable as error:
                log.warning("Operation %s waits: %s", operation.id, error)
                await self._until_back()
            except asyncio.CancelledError:
                await self._give_back(operation)
                raise
            fresh = await self._read_again(operation.id)
            if fresh is None or fresh.ended:
                return
            operation = fresh

    async def _attempt(self, operation: Operation) -> None:
        parts = self._parts
        collection = await parts.store.collections.get_even_deleted(operation.collection_id)
        async with parts.progress.publisher(operation.id, floor=operation.last_message) as publisher:
            run = Run(parts, operation, collection, publisher)
            if operation.cancel_requested:
                await end(run, "cancelled")
                return
            if operation.started_at is None:
                await run.save(status="processing", started_at=now())
            counts = run.operation.counts
            await run.tell(
                "operation_started",
                once="started",
                status="processing",
                operation_type=operation.type,
                type=operation.type,
                total_files=counts.total,
            )
            await run.tell("status_update", once="processing status", status="processing")
            log.info(
                "%-8s %s of %s", operation.type, "begins" if counts.total == 0 else "goes on", collection.name
            )
            await self._watch(run)

    async def _watch(self, run: Run) -> None:
        """Run the operation while its lease is kept; end it by what comes first."""
        work = asyncio.create_task(_work(run))
        keeper = asyncio.create_task(run.keep())
        try:
            await asyncio.wait({work, keeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, keeper):
                task.cancel()
            await asyncio.gather(work, keeper, return_exceptions=True)
        if not keeper.cancelled():
            keeper.result()  # it returns when the end was asked for, and raises when the lease is lost
        if work.cancelled():
            await end(run, "cancelled")
        elif (error := work.exception()) is None:
            await end(run, "completed", result=work.result())
        elif isinstance(error, (LeaseLost, Unavailable)):
            raise error
        elif isinstance(error, SemantikError):
            await end(run, "failed", error=str(error))
        else:
            log.error("Operation %s failed", run.operation.id, exc_info=error)
            await end(run, "failed", error="Something went wrong in the server; its log has the details.")
        log.info("%-8s %s of %s", run.operation.type, run.operation.status, run.collection.name)

    async def _until_back(self) -> None:
        back = False
        while not back:
            await asyncio.sleep(_BACK_S)
            back = await self._parts.store.ping() and await self._parts.progress.ping()

    async def _read_again(self, operation_id: str) -> Operation | None:
        while True:
            try:
                return await self._parts.store.operations.get(operation_id)
            except Unavailable:
                await self._until_back()

    async def _give_back(self, operation: Operation) -> None:
        """Let another server take the operation up at once, rather than when the lease has run out."""
        try:
            await self._parts.store.operations.renew(operation, 0)
        except (LeaseLost, Unavailable) as error:
            log.warning("Operation %s could not be given back: %s", operation.id, error)

    async def _clear(self) -> None:
        """Purge deleted collections whose operations have all ended."""
        store = self._parts.store
        for collection_id in await store.collections.deleted():
            if (await store.operations.active([collection_id])).get(collection_id):
                continue
            await self._parts.vectors.drop(collection_id)
            await store.chunks.remove(collection_id)
            await store.documents.remove(collection_id)
            await store.operations.remove(collection_id)
            await store.collections.remove(collection_id)
            log.info("purged   collection %s", collection_id)


async def _work(run: Run) -> dict[str, object]:
    return await OPERATIONS[run.operation.type](run)
