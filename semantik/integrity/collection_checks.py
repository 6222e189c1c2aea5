"""Marks and numbers on collections and operations: who has what, how much there is of it, and what was left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from semantik.app.heartbeat import EVERY_S
from semantik.core.models import Collection, Generation, now
from semantik.integrity.issue import CheckContext, Issue, is_idle

_SILENT_S = 3 * EVERY_S
_RETIRES_S = 60.0  # a server clears up every second; a large generation takes it some time


async def collection_checks(grounds: CheckContext) -> AsyncIterator[Issue]:
    """Operations first, then the collections that they have."""
    async for finding in _leases(grounds):
        yield finding
    async for finding in _sources(grounds):
        yield finding
    for collection in await grounds.store.collections.stale_fences():
        yield Issue(
            "stale fence",
            collection.id,
            f"Collection {collection.name} keeps the fence of an operation, and none runs.",
            "it is lifted",
            partial(grounds.store.collections.lift_fence, collection.id),
        )
    for collection in await grounds.store.collections.all():
        for check in (_running, _numbers, _counts, _generations):
            async for finding in check(grounds, collection):
                yield finding


async def _leases(grounds: CheckContext) -> AsyncIterator[Issue]:
    store = grounds.store
    moment = now()
    awake = timedelta(seconds=_SILENT_S)
    alive = any(one.seen_at + awake > moment for one in await store.instances.all())
    late = timedelta(seconds=2 * grounds.settings.operations.lease_s)
    for operation in await store.operations.with_status("processing", "queued"):
        if operation.lease is None or operation.lease.expires_at + late > moment:
            continue
        yield Issue(
            "lost operation",
            operation.id,
            f"Operation {operation.id} ({operation.type}) is run by nobody since "
            f"{operation.lease.expires_at:%Y-%m-%d %H:%M:%S} UTC.",
            "its lease is taken away, so that a server takes it up"
            if alive
            else "it goes on when a server is started",
            partial(store.operations.release, operation) if alive else None,
            note=not alive,
        )


async def _sources(grounds: CheckContext) -> AsyncIterator[Issue]:
    """A source that is about to go has an operation that removes it, which is there before the mark is."""
    collections = grounds.store.collections
    every = await collections.sources([one.id for one in await collections.all()])
    removing = {
        one.source_id
        for one in await grounds.store.operations.with_status("processing", "queued")
        if one.type == "remove_source"
    }
    for source in every:
        if source.removing and source.id not in removing:
            yield Issue(
                "stale source",
                source.id,
                f"The folder {source.path} is marked as about to go, and no operation removes it.",
                "the mark is wiped",
                partial(_keep_newest, grounds, source.id, source.collection_id),
            )


async def _keep_newest(grounds: CheckContext, source_id: str, collection_id: str) -> None:
    collections = grounds.store.collections
    source = await collections.source(collection_id, source_id)
    if source is not None:
        await collections.change_source(source, {"removing": False})


async def _running(grounds: CheckContext, collection: Collection) -> AsyncIterator[Issue]:
    store = grounds.store
    if collection.running is not None and await is_idle(store, collection):
        yield Issue(
            "stale mark",
            collection.id,
            f"Collection {collection.name} is held by operation {collection.running}, which has ended.",
            "the mark is wiped",
            partial(store.collections.unlock, collection.id, collection.running),
        )


async def _numbers(grounds: CheckContext, collection: Collection) -> AsyncIterator[Issue]:
    """Chunk numbers are given out once, and an index takes chunks up to `last_seq`."""
    store, generation = grounds.store, collection.current
    last = await store.chunks.last_seq(collection.id)
    held = await store.documents.last_held(generation)
    fresh = await store.collections.get(collection.id)
    if fresh is None or fresh.generation != generation.number:
        return
    next_seq = max(last, held, *(one.last_seq for one in fresh.generations)) + 1
    if fresh.next_seq < next_seq or fresh.current.last_seq < held:
        yield Issue(
            "low numbers",
            collection.id,
            f"Collection {collection.name} would give out chunk {fresh.next_seq} next and lets chunks up to "
            f"{fresh.current.last_seq} be found, but has chunks up to {max(last, held)}.",
            "the numbers are raised",
            partial(store.collections.raise_seqs, generation, held, next_seq),
        )


async def _counts(grounds: CheckContext, collection: Collection) -> AsyncIterator[Issue]:
    store = grounds.store
    fresh = await store.collections.get(collection.id)
    if fresh is None or not await is_idle(store, fresh):
        return
    generation = fresh.current
    counts = await store.documents.counts_of(generation)
    if counts != generation.counts:
        told, found = generation.counts, counts
        yield Issue(
            "wrong counts",
            collection.id,
            f"Collection {fresh.name} counts {told.indexed} indexed, {told.failed} failed, {told.skipped} skipped and "
            f"{told.pending} pending documents with {told.chunks} chunks; its documents say {found.indexed}, "
            f"{found.failed}, {found.skipped} and {found.pending} with {found.chunks}.",
            "the documents are believed",
            partial(store.collections.correct_counts, fresh, generation, counts),
        )


async def _generations(grounds: CheckContext, collection: Collection) -> AsyncIterator[Issue]:
    store = grounds.store
    retiring = await store.collections.retiring()
    overdue = await store.collections.retiring(before=now() - timedelta(seconds=_RETIRES_S))
    for generation in collection.generations:
        if generation.number > collection.generation:
            operation = await store.operations.get(generation.operation_id or "")
            if operation is not None and not operation.ended:
                continue
            what = "is being built, and no REINDEX builds it"
        elif generation.number < collection.generation:
            if collection.id in retiring and collection.id not in overdue:
                continue
            what = "is not searched any more, and nobody has removed it"
        else:
            continue
        yield await former_generation(grounds, collection, generation, what)


async def former_generation(
    grounds: CheckContext, collection: Collection, generation: Generation, what: str
) -> Issue:
    """A generation that goes, with its documents and chunks."""
    weights = [
        await grounds.store.by_owner.weigh(kind, collection.id, generation.number)
        for kind in ("chunks", "documents")
    ]
    return Issue(
        "old generation",
        f"{collection.id} {generation.number}",
        f"Generation {generation.number} of the collection {collection.name} {what}.",
        "it is removed",
        partial(_drop, grounds, collection, generation),
        sum(weight.bytes for weight in weights),
    )


async def _drop(grounds: CheckContext, collection: Collection, generation: Generation) -> None:
    """The chunks go first: a server that comes in between finds the mark, and goes on."""
    store = grounds.store
    for kind in ("chunks", "documents"):
        await store.by_owner.remove(kind, collection.id, generation.number)
    await store.collections.drop_generation(generation)
    fresh = await store.collections.get(collection.id)
    if fresh is not None and not any(one.number < fresh.generation for one in fresh.generations):
        await store.collections.all_retired(fresh)
