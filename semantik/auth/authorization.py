"""Authorization: the one place where an identifier is resolved to a record that the user may see, or refused.

A collection, operation or document of another user gives the same NotFound as one that does not exist. Runs on the
loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from semantik.core.errors import NotFound
from semantik.core.models import Collection, Document, Operation, User
from semantik.storage.mongo import Store

_CACHE_SIZE = 1000


class Authorizer:
    """Loads records on behalf of a user. Only its owner may see a collection, so far."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cache: dict[str, Collection] = {}

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
        self._update_cache(collection_ids, found)
        for key in collection_ids:
            if key not in found or found[key].owner_id != user.id:
                raise NotFound(f"There is no collection {key}.")
        return list(found.values())

    def cached(self, user: User, collection_ids: list[str] | None) -> list[Collection]:
        """The named collections from the cache, or an empty list if one of them is not cached.

        Only collections that no operation was changing are cached. They may be stale: callers must revalidate.
        """
        found = [self._cache.get(key) for key in dict.fromkeys(collection_ids or ())]
        known = [one for one in found if one is not None and one.owner_id == user.id]
        return known if len(known) == len(found) else []

    def _update_cache(self, collection_ids: Iterable[str], found: Mapping[str, Collection]) -> None:
        if len(self._cache) > _CACHE_SIZE:
            self._cache.clear()
        for key in collection_ids:
            self._cache.pop(key, None)
            if key in found and found[key].running is None:
                self._cache[key] = found[key]

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
