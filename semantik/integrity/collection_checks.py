"""Checks the state of collections and operations: leases, locks, fences, seq counters, counts, earlier generations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from semantik.core.models import ACTIVE, Collection, Generation, now
from semantik.integrity.issue import CheckContext, Issue, is_idle

_RETIRING_S = 60.0  # a server removes earlier generations every second; a large one takes it some time


async def collection_checks(context: CheckContext) -> AsyncIterator[Issue]:
    """Operations first, then the collections that they hold."""
    async for issue in _leases(context):
        yield issue
    async for issue in _sources(context):
        yield issue
    for collection in await context.store.collections.with_stale_fence():
        yield Issue(
            "stale fence",
            collection.id,
            f"Collection {collection.name} has the fence of an operation, and none runs.",
            "it is removed",
            partial(context.store.collections.clear_fence, collection.id),
        )
    for collection in await context.store.collections.all():
        for check in (_lock, _seqs, _counts, _generations):
            async for issue in check(context, collection):
                yield issue


async def _leases(context: CheckContext) -> AsyncIterator[Issue]:
    store = context.store
    moment = now()
    alive = any(not one.is_silent(moment) for one in await store.instances.all())
    overdue = timedelta(seconds=2 * context.settings.operations.lease_s)
    for operation in await store.operations.with_status(*ACTIVE):
        if operation.lease is None or operation.lease.expires_at + overdue > moment:
            continue
        yield Issue(
            "lost operation",
            operation.id,
            f"Operation {operation.id} ({operation.type}) is run by no server since "
            f"{operation.lease.expires_at:%Y-%m-%d %H:%M:%S} UTC.",
            "its lease is removed, so that a server takes it over"
            if alive
            else "it is resumed when a server is started",
            partial(store.operations.release_lease, operation) if alive else None,
            informational=not alive,
        )


async def _sources(context: CheckContext) -> AsyncIterator[Issue]:
    """Every source that is marked for removal has an operation that removes it, which is added before the mark."""
    collections = context.store.collections
    sources = await collections.sources([one.id for one in await collections.all()])
    removing = {
        one.source_id
        for one in await context.store.operations.with_status(*ACTIVE)
        if one.type == "remove_source"
    }
    for source in sources:
        if source.removing and source.id not in removing:
            yield Issue(
                "stale source",
                source.id,
                f"The folder {source.path} is marked for removal, and no operation removes it.",
                "the mark is removed",
                partial(_clear_removing, context, source.id, source.collection_id),
            )


async def _clear_removing(context: CheckContext, source_id: str, collection_id: str) -> None:
    collections = context.store.collections
    source = await collections.source(collection_id, source_id)
    if source is not None:
        await collections.update_source(source, {"removing": False})


async def _lock(context: CheckContext, collection: Collection) -> AsyncIterator[Issue]:
    store = context.store
    if collection.running is not None and await is_idle(store, collection):
        yield Issue(
            "stale lock",
            collection.id,
            f"Collection {collection.name} is locked by operation {collection.running}, which has ended.",
            "the lock is released",
            partial(store.collections.unlock, collection.id, collection.running),
        )


async def _seqs(context: CheckContext, collection: Collection) -> AsyncIterator[Issue]:
    """A chunk's seq is allocated once, and an index takes chunks up to `last_seq`."""
    store, generation = context.store, collection.current
    last_seq = await store.chunks.last_seq(collection.id)
    last_indexed = await store.documents.last_indexed_seq(generation)
    fresh = await store.collections.get(collection.id)
    if fresh is None or fresh.generation != generation.number:
        return
    next_seq = max(last_seq, last_indexed, *(one.last_seq for one in fresh.generations)) + 1
    if fresh.next_seq < next_seq or fresh.current.last_seq < last_indexed:
        yield Issue(
            "low seqs",
            collection.id,
            f"Collection {collection.name} would number the next chunk {fresh.next_seq} and lets chunks up to "
            f"{fresh.current.last_seq} be found, but has chunks up to {max(last_seq, last_indexed)}.",
            "the numbers are raised",
            partial(store.collections.raise_seqs, generation, last_indexed, next_seq),
        )


async def _counts(context: CheckContext, collection: Collection) -> AsyncIterator[Issue]:
    store = context.store
    fresh = await store.collections.get(collection.id)
    if fresh is None or not await is_idle(store, fresh):
        return
    generation = fresh.current
    saved, found = generation.counts, await store.documents.counts_of(generation)
    if found != saved:
        yield Issue(
            "wrong counts",
            collection.id,
            f"Collection {fresh.name} counts {saved.indexed} indexed, {saved.failed} failed, {saved.skipped} skipped "
            f"and {saved.pending} pending documents with {saved.chunks} chunks; it has {found.indexed}, "
            f"{found.failed}, {found.skipped} and {found.pending} with {found.chunks}.",
            "the counts are corrected",
            partial(store.collections.correct_counts, fresh, generation, found),
        )


async def _generations(context: CheckContext, collection: Collection) -> AsyncIterator[Issue]:
    store = context.store
    retiring = await store.collections.retiring_ids()
    overdue = await store.collections.retiring_ids(before=now() - timedelta(seconds=_RETIRING_S))
    for generation in collection.generations:
        if generation.number > collection.generation:
            operation = await store.operations.get(generation.operation_id or "")
            if operation is not None and not operation.ended:
                continue
            reason = "is marked as being built, and no REINDEX builds it"
        elif generation.number < collection.generation:
            if collection.id in retiring and collection.id not in overdue:
                continue
            reason = "is not searched any more, and no server has removed it"
        else:
            continue
        yield await old_generation_issue(context, collection, generation, reason)


async def old_generation_issue(
    context: CheckContext, collection: Collection, generation: Generation, reason: str
) -> Issue:
    """An issue whose repair removes a generation with its documents and chunks."""
    sizes = [
        await context.store.by_owner.storage_size(kind, collection.id, generation.number)
        for kind in ("chunks", "documents")
    ]
    return Issue(
        "old generation",
        f"{collection.id} {generation.number}",
        f"Generation {generation.number} of the collection {collection.name} {reason}.",
        "it is removed",
        partial(_drop, context, collection, generation),
        sum(size.bytes for size in sizes),
    )


async def _drop(context: CheckContext, collection: Collection, generation: Generation) -> None:
    """The generation's entry is removed last: a server that starts in between finds it, and completes the removal."""
    store = context.store
    for kind in ("chunks", "documents"):
        await store.by_owner.remove(kind, collection.id, generation.number)
    await store.collections.drop_generation(generation)
    fresh = await store.collections.get(collection.id)
    if fresh is not None and not any(one.number < fresh.generation for one in fresh.generations):
        await store.collections.clear_retirement(fresh)
