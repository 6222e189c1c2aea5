"""What is past its age: finished operations, generations after their grace, sessions and API keys that have expired."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import partial

from semantik.core.models import Operation, now
from semantik.integrity.collection_checks import former_generation
from semantik.integrity.issue import CheckContext, Issue
from semantik.progress.usage import forget_streams

_TOGETHER = 500


async def expired(grounds: CheckContext) -> AsyncIterator[Issue]:
    """Each kind in one finding, but every generation in one of its own."""
    for check in (_operations, _generations, _accounts):
        async for finding in check(grounds):
            yield finding


async def _operations(grounds: CheckContext) -> AsyncIterator[Issue]:
    """The newest of each folder stays: it says whether the folder was taken in to its end. So does its last scan."""
    store, keep_s = grounds.store, grounds.settings.operations.keep_s
    old = await store.operations.ended_before(now() - timedelta(seconds=keep_s))
    going = [one for one in old if not await _is_needed(grounds, one)]
    for at in range(0, len(going), _TOGETHER):
        ids = [one.id for one in going[at : at + _TOGETHER]]
        sizes = [await store.operations.weigh(ids), await store.failures.weigh(ids)]
        yield Issue(
            "old operations",
            f"{ids[0]} {len(ids)}",
            f"Operations that ended before {now() - timedelta(seconds=keep_s):%Y-%m-%d}: {len(ids)}, failures of files "
            f"in them: {sizes[1].rows}.",
            "they are removed, and their messages",
            partial(_remove_operations, grounds, ids),
            sum(size.bytes for size in sizes),
        )


async def _is_needed(grounds: CheckContext, operation: Operation) -> bool:
    store = grounds.store
    if operation.source_id is None:
        return False
    source = await store.collections.source(operation.collection_id, operation.source_id)
    if source is None:
        return False
    newest = await store.operations.last_of_source(source.id)
    return operation.id == source.scan_id or (newest is not None and newest.id == operation.id)


async def _remove_operations(grounds: CheckContext, ids: Sequence[str]) -> None:
    """The records last: what a crash leaves is found by them."""
    if grounds.redis_url:
        await forget_streams(grounds.redis_url, ids)
    await grounds.store.failures.remove(ids)
    await grounds.store.operations.remove_ids(ids)


async def _generations(grounds: CheckContext) -> AsyncIterator[Issue]:
    for collection in await grounds.store.collections.with_retired():
        for generation in collection.generations:
            if generation.number < collection.generation:
                what = "is not searched any more"
                yield await former_generation(grounds, collection, generation, what)


async def _accounts(grounds: CheckContext) -> AsyncIterator[Issue]:
    store, moment = grounds.store, now()
    sessions, keys = await store.sessions.expired(moment), await store.api_keys.expired(moment)
    removals = (store.sessions.remove_expired, store.api_keys.remove_expired)
    for called, weight, remove in zip(("sessions", "API keys"), (sessions, keys), removals, strict=True):
        if weight.rows:
            sentence = f"Expired {called}: {weight.rows}."
            mend = partial(remove, moment)
            yield Issue(f"expired {called}", "", sentence, "they are removed", mend, weight.bytes)
