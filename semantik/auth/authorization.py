"""Who may see and change what: the one place where an identifier becomes a thing, or is refused.

A stranger's collection, operation or document is answered like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from semantik.core.errors import NotFound
from semantik.core.models import Collection, Document, Operation, User
from semantik.storage.mongo import Store

_REMEMBERED = 1000


class Authorizer:
    """Looks things up on behalf of a user. Collections are their owner's alone, for now."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._idle: dict[str, Collection] = {}

    async def collection(self, user: User, collection_id: str) -> Collection:
        collection = await self._store.collections.get(collection_id)
        if collection is None or collection.owner_id != user.id:
            raise NotFound(f"There is no collection {collection_id}.")
        return collection

    async def collections(self, user: User, collection_ids: list[str] | None) -> list[Collection]:
        """The named collections, or all that the user may read. Raises NotFound."""
        if collection_ids is None:
            return await self._store.collections.of_owner(user.id)
        found = await self._store.collections.get_many(collection_ids)
        self._remember(collection_ids, found)
        for key in collection_ids:
            if key not in found or found[key].owner_id != user.id:
                raise NotFound(f"There is no collection {key}.")
        return list(found.values())

    def cached(self, user: User, collection_ids: list[str] | None) -> list[Collection]:
        """The named collections as `collections` found them before, if nothing was done to any of them then; else none.

        Whoever uses them has to look afterwards whether they still are what they were.
        """
        found = [self._idle.get(key) for key in dict.fromkeys(collection_ids or ())]
        known = [one for one in found if one is not None and one.owner_id == user.id]
        return known if len(known) == len(found) else []

    def _remember(self, collection_ids: Iterable[str], found: Mapping[str, Collection]) -> None:
        if len(self._idle) > _REMEMBERED:
            self._idle.clear()
        for key in collection_ids:
            self._idle.pop(key, None)
            if key in found and found[key].running is None:
                self._idle[key] = found[key]

    async def operation(self, user: User, operation_id: str) -> Operation:
        operation = await self._store.operations.get(operation_id)
        if operation is not None:
            with suppress(NotFound):
                await self.collection(user, operation.collection_id)
                return operation
        raise NotFound(f"There is no operation {operation_id}.")

    async def document(self, user: User, collection_id: str, document_id: str) -> Document:
        await self.collection(user, collection_id)
        document = await self._store.documents.get(collection_id, document_id)
        if document is None or document.status == "removing":
            raise NotFound(f"There is no document {document_id} in this collection.")
        return document
