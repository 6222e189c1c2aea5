"""Rows without an owner: of collections, generations or operations that are not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from semantik.integrity.issue import CheckContext, Issue

_ROWS = ("chunks", "documents", "sources", "listings", "operations")
_REMOVED = "they are removed"


async def ownership_checks(grounds: CheckContext) -> AsyncIterator[Issue]:
    """The rows are read before their owners, so that what was made meanwhile has its owner."""
    belongings, collections = grounds.store.by_owner, grounds.store.collections
    owners = {kind: await belongings.owners(kind) for kind in _ROWS}
    there = await collections.all_ids()
    for kind in _ROWS:
        for owner in sorted(owners[kind] - there):
            yield await _orphans(grounds, kind, owner, f"collection {owner}")
    async for finding in _of_generations(grounds):
        yield finding
    failing = await belongings.owners("failures")
    for owner in sorted(failing - set(await grounds.store.operations.by_ids(sorted(failing)))):
        yield await _orphans(grounds, "failures", owner, f"operation {owner}")


async def _of_generations(grounds: CheckContext) -> AsyncIterator[Issue]:
    belongings, collections = grounds.store.by_owner, grounds.store.collections
    for before in await collections.all():
        found = {kind: await belongings.generations(kind, before.id) for kind in ("chunks", "documents")}
        collection = await collections.get(before.id)
        if collection is None:
            continue
        there = {one.number for one in collection.generations}
        for kind, numbers in found.items():
            for number in sorted(numbers - there):
                owner = f"generation {number} of the collection {collection.name}"
                yield await _orphans(grounds, kind, collection.id, owner, number)


async def _orphans(
    grounds: CheckContext, kind: str, owner: str, called: str, generation: int | None = None
) -> Issue:
    belongings = grounds.store.by_owner
    weight = await belongings.weigh(kind, owner, generation)
    return Issue(
        f"orphaned {kind}",
        f"{owner} {generation}",
        f"{kind.capitalize()} of {called}, which is not there: {weight.rows}.",
        _REMOVED,
        partial(belongings.remove, kind, owner, generation),
        weight.bytes,
    )
