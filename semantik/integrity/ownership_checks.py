"""Finds rows whose owner, a collection, generation, operation or user, does not exist."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from semantik.integrity.issue import CheckContext, Issue
from semantik.storage.mongo.by_owner import RowKind

_OF_COLLECTION: tuple[RowKind, ...] = (
    "chunks",
    "documents",
    "sources",
    "listings",
    "recognised_pages",
    "operations",
    "shares",
    "alerts",
    "alert_cursors",
)
_OF_USER: tuple[RowKind, ...] = ("saved_searches", "webhooks", "deliveries")
_OF_GENERATION: tuple[RowKind, ...] = ("chunks", "documents")


async def ownership_checks(context: CheckContext) -> AsyncIterator[Issue]:
    """Rows are read before their owners: a row that is created meanwhile then has its owner in the second read."""
    by_owner, collections = context.store.by_owner, context.store.collections
    owners = {kind: await by_owner.owners(kind) for kind in _OF_COLLECTION}
    existing = await collections.all_ids()
    for kind in _OF_COLLECTION:
        for owner in sorted(owners[kind] - existing):
            yield await _orphans(context, kind, owner, f"collection {owner}")
    async for issue in _of_generations(context):
        yield issue
    users = {kind: await by_owner.owners(kind) for kind in _OF_USER}
    existing = {each.id for each in await context.store.users.all()}
    for kind in _OF_USER:
        for owner in sorted(users[kind] - existing):
            yield await _orphans(context, kind, owner, f"user {owner}")
    operations = await by_owner.owners("failures")
    for owner in sorted(operations - set(await context.store.operations.by_ids(sorted(operations)))):
        yield await _orphans(context, "failures", owner, f"operation {owner}")


async def _of_generations(context: CheckContext) -> AsyncIterator[Issue]:
    by_owner, collections = context.store.by_owner, context.store.collections
    for before in await collections.all():
        found = {kind: await by_owner.generations(kind, before.id) for kind in _OF_GENERATION}
        collection = await collections.get(before.id)
        if collection is None:
            continue
        existing = {one.number for one in collection.generations}
        for kind, numbers in found.items():
            for number in sorted(numbers - existing):
                owner = f"generation {number} of the collection {collection.name}"
                yield await _orphans(context, kind, collection.id, owner, number)


async def _orphans(
    context: CheckContext, kind: RowKind, owner: str, owner_name: str, generation: int | None = None
) -> Issue:
    by_owner = context.store.by_owner
    size = await by_owner.storage_size(kind, owner, generation)
    name = kind.replace("_", " ")
    return Issue(
        f"orphaned {name}",
        f"{owner} {generation}",
        f"{name.capitalize()} of {owner_name}, which does not exist: {size.rows}.",
        "they are removed",
        partial(by_owner.remove, kind, owner, generation),
        size.bytes,
    )
