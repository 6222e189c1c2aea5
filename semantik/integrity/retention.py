"""Finds what is past its retention time: ended operations, earlier generations, expired sessions and API keys, and old
events, alerts and deliveries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import partial

from semantik.core.models import Operation, now
from semantik.integrity.collection_checks import old_generation_issue
from semantik.integrity.issue import CheckContext, Issue
from semantik.progress.usage import delete_streams

_BATCH = 500


async def retention_checks(context: CheckContext) -> AsyncIterator[Issue]:
    """One issue for each kind, but one for each generation."""
    for check in (_operations, _generations, _accounts, _audit, _notifications):
        async for issue in check(context):
            yield issue


async def _operations(context: CheckContext) -> AsyncIterator[Issue]:
    """The newest operation of each folder is kept: it says whether the folder was indexed completely. So is the
    folder's last scan."""
    store, keep_s = context.store, context.settings.operations.keep_s
    old = await store.operations.ended_before(now() - timedelta(seconds=keep_s))
    removable = [one for one in old if not await _is_needed(context, one)]
    for at in range(0, len(removable), _BATCH):
        ids = [one.id for one in removable[at : at + _BATCH]]
        sizes = [await store.operations.storage_size(ids), await store.failures.storage_size(ids)]
        yield Issue(
            "old operations",
            f"{ids[0]} {len(ids)}",
            f"Operations that ended before {now() - timedelta(seconds=keep_s):%Y-%m-%d}: {len(ids)}, failures of files "
            f"in them: {sizes[1].rows}.",
            "they are removed, and their messages",
            partial(_remove_operations, context, ids),
            sum(size.bytes for size in sizes),
        )


async def _is_needed(context: CheckContext, operation: Operation) -> bool:
    store = context.store
    if operation.source_id is None:
        return False
    source = await store.collections.source(operation.collection_id, operation.source_id)
    if source is None:
        return False
    newest = await store.operations.last_of_source(source.id)
    return operation.id == source.scan_id or (newest is not None and newest.id == operation.id)


async def _remove_operations(context: CheckContext, ids: Sequence[str]) -> None:
    """The operations are removed last: after a crash the rest is found by them."""
    if context.redis_url:
        await delete_streams(context.redis_url, ids)
    await context.store.failures.remove(ids)
    await context.store.operations.remove_ids(ids)


async def _generations(context: CheckContext) -> AsyncIterator[Issue]:
    for collection in await context.store.collections.with_retired_generations():
        for generation in collection.generations:
            if generation.number < collection.generation:
                reason = "is not searched any more"
                yield await old_generation_issue(context, collection, generation, reason)


async def _accounts(context: CheckContext) -> AsyncIterator[Issue]:
    store, moment = context.store, now()
    sessions, keys = await store.sessions.expired_size(moment), await store.api_keys.expired_size(moment)
    removals = (store.sessions.remove_expired, store.api_keys.remove_expired)
    for name, size, remove in zip(("sessions", "API keys"), (sessions, keys), removals, strict=True):
        if size.rows:
            description = f"Expired {name}: {size.rows}."
            repair = partial(remove, moment)
            yield Issue(f"expired {name}", "", description, "they are removed", repair, size.bytes)


async def _audit(context: CheckContext) -> AsyncIterator[Issue]:
    """A server removes them every hour."""
    before = now() - timedelta(days=context.settings.audit.keep_days)
    size = await context.store.audit.size_before(before)
    if size.rows:
        description = f"Events of the audit trail before {before:%Y-%m-%d}: {size.rows}."
        repair = partial(context.store.audit.remove_before, before)
        yield Issue("old audit events", "", description, "they are removed", repair, size.bytes)


async def _notifications(context: CheckContext) -> AsyncIterator[Issue]:
    """A server removes them every hour."""
    store, settings = context.store, context.settings
    tables = (("alerts", store.alerts, settings.alerts), ("deliveries", store.deliveries, settings.webhooks))
    for name, table, limits in tables:
        before = now() - timedelta(days=limits.keep_days)
        size = await table.size_before(before)
        if size.rows:
            description = f"{name.capitalize()} before {before:%Y-%m-%d}: {size.rows}."
            repair = partial(table.remove_before, before)
            yield Issue(f"old {name}", "", description, "they are removed", repair, size.bytes)
