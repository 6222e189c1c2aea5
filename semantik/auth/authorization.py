"""Authorization: the one place where an identifier is resolved to a record that the user may see, or refused.

A collection that the principal may not read, and its operations and documents, give the same NotFound as one that does
not exist. What may be read, but not changed, gives Forbidden. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

from semantik.auth.principal import Principal
from semantik.core.errors import Forbidden, NotFound
from semantik.core.models import ACCESS_LEVELS, Access, Collection, Document, Operation
from semantik.storage.mongo import Store

_CACHE_SIZE = 1000
_SHARED_S = 1.0  # what another server shares is listed after this time at the latest


_rank = ACCESS_LEVELS.index


def access_of(principal: Principal, collection: Collection) -> Access | None:
    """What a principal may do with a collection: the most that ownership, shares and `public` give; None: nothing."""
    if principal.collections is not None and collection.id not in principal.collections:
        return None
    if collection.owner_id == principal.user.id:
        return "own"
    levels: list[Access] = ["read"] if collection.public else []
    for share in collection.shares:
        if share.id in principal.groups if share.kind == "group" else share.id == principal.user.id:
            levels.append(share.level)
    return max(levels, key=_rank, default=None)


class Authorizer:
    """Loads records on behalf of a principal. `need` is the least access that the caller's request takes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cache: dict[str, Collection] = {}
        self._shared: dict[tuple[str, frozenset[str]], tuple[float, set[str]]] = {}

    async def collection(self, principal: Principal, collection_id: str, need: Access = "read") -> Collection:
        """Raises NotFound for what the principal may not read, and Forbidden for too little access."""
        collection = await self._store.collections.get(collection_id)
        access = None if collection is None else access_of(principal, collection)
        if collection is None or access is None:
            raise NotFound(f"There is no collection {collection_id}.")
        if _rank(access) < _rank(need):
            raise Forbidden(
                f"This needs the access {need} to the collection {collection.name!r}, and yours is {access}; "
                "ask its owner."
            )
        return collection

    async def collections(self, principal: Principal, collection_ids: list[str] | None) -> list[Collection]:
        """The named collections, or all that the principal may read. Raises NotFound."""
        if collection_ids is None:
            return await self.page(principal)
        found = await self._store.collections.get_many(collection_ids)
        self._update_cache(collection_ids, found)
        for key in collection_ids:
            if key not in found or access_of(principal, found[key]) is None:
                raise NotFound(f"There is no collection {key}.")
        return list(found.values())

    async def page(
        self, principal: Principal, after: tuple[str, str] = ("", ""), limit: int = 0
    ) -> list[Collection]:
        """What the principal may read, in the order of (name in lower case, id), after this position; 0 is no limit."""
        if principal.collections is not None:
            readable = await self._store.collections.get_many(sorted(principal.collections))
        else:
            own, shared = await asyncio.gather(
                # One more: another's collection with the same name may be at the position, too.
                self._store.collections.of_owner(principal.user.id, after[0], limit and limit + 1),
                self._shared_ids(principal),
            )
            readable = {each.id: each for each in own}
            if rest := sorted(shared - readable.keys()):
                readable |= await self._store.collections.get_many(rest)
        places = sorted(
            (each.name.lower(), each.id) for each in readable.values() if access_of(principal, each)
        )
        return [readable[key] for name, key in places if (name, key) > after][: limit or None]

    def forget_shares(self) -> None:
        """List what is shared anew: this server has changed a share."""
        self._shared.clear()

    async def _shared_ids(self, principal: Principal) -> set[str]:
        """The collections that may be shared with the principal. They are checked afterwards, so none is read that is
        not shared any more."""
        key = principal.user.id, principal.groups
        known = self._shared.get(key)
        if known is None or time.monotonic() >= known[0]:
            if len(self._shared) >= _CACHE_SIZE:
                self._shared.clear()
            known = time.monotonic() + _SHARED_S, await self._store.shares.visible_to(*key)
            self._shared[key] = known
        return known[1]

    async def collection_to_share(
        self, principal: Principal, collection_id: str, need: Access = "manage"
    ) -> Collection:
        """As `collection`; an administrator may share any collection, or give it to another, but not read it so."""
        if principal.is_administrator and principal.collections is None:
            collection = await self._store.collections.get(collection_id)
            if collection is not None:
                return collection
        return await self.collection(principal, collection_id, need)

    def cached(self, principal: Principal, collection_ids: list[str] | None) -> list[Collection]:
        """The named collections from the cache, or an empty list if one of them is not cached.

        Only collections that no operation was changing are cached. They may be stale: callers must revalidate.
        """
        found = [self._cache.get(key) for key in dict.fromkeys(collection_ids or ())]
        known = [one for one in found if one is not None and access_of(principal, one)]
        return known if len(known) == len(found) else []

    def _update_cache(self, collection_ids: Iterable[str], found: Mapping[str, Collection]) -> None:
        if len(self._cache) > _CACHE_SIZE:
            self._cache.clear()
        for key in collection_ids:
            self._cache.pop(key, None)
            if key in found and found[key].running is None:
                self._cache[key] = found[key]

    async def operation(self, principal: Principal, operation_id: str, need: Access = "read") -> Operation:
        operation = await self._store.operations.get(operation_id)
        if operation is not None:
            with suppress(NotFound):
                await self.collection(principal, operation.collection_id, need)
                return operation
        raise NotFound(f"There is no operation {operation_id}.")

    async def document(self, principal: Principal, collection_id: str, document_id: str) -> Document:
        await self.collection(principal, collection_id)
        document = await self._store.documents.get(collection_id, document_id)
        if document is None or document.status == "removing":
            raise NotFound(f"There is no document {document_id} in this collection.")
        return document
