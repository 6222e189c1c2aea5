"""Who else may see a collection: shares with users and groups, public collections, and new owners. Runs on the loop.

An administrator may share and give away any collection, which does not let them read it until it is shared with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.core.errors import Conflict, Invalid, NotFound
from semantik.core.models import Access, Collection, ShareKind, User
from semantik.core.pagination import Page, decode_cursor, encode_cursor, page_of
from semantik.storage.mongo import Store


@dataclass(frozen=True)
class ShareView:
    """A share, with the name of the user or group."""

    kind: ShareKind
    id: str
    name: str
    level: Access


@dataclass(frozen=True)
class Sharing:
    """What decides who may see a collection."""

    collection: Collection
    owner: str
    shares: tuple[ShareView, ...]


class SharingService:
    """Each method raises NotFound for a collection that the principal may not see, Forbidden for too little access."""

    def __init__(self, store: Store, authorizer: Authorizer) -> None:
        self._store = store
        self._authorizer = authorizer

    async def get(self, principal: Principal, collection_id: str) -> Sharing:
        return await self._view(await self._authorizer.collection_to_share(principal, collection_id))

    async def share(
        self, principal: Principal, collection_id: str, kind: ShareKind, name: str, level: Access
    ) -> Sharing:
        """Share with a user or a group by name, or change the level. Raises NotFound, or Conflict for the owner."""
        collection = await self._authorizer.collection_to_share(principal, collection_id)
        subject = await self._subject_id(kind, name)
        if kind == "user" and subject == collection.owner_id:
            raise Conflict(f"{name} is the owner of this collection, who may do everything with it.")
        if level == "own":
            raise Invalid("level: read, write or manage; a collection has one owner.")
        changed = await self._store.shares.set(collection_id, kind, subject, level)
        self._authorizer.forget_shares()
        return await self._view(changed)

    async def unshare(self, principal: Principal, collection_id: str, kind: ShareKind, key: str) -> None:
        """End a share with the user or group that has this id. Users may end what is shared with themselves."""
        own = kind == "user" and key == principal.user.id
        if own:
            collection = await self._authorizer.collection(principal, collection_id)
        else:
            collection = await self._authorizer.collection_to_share(principal, collection_id)
        if not any(share.kind == kind and share.id == key for share in collection.shares):
            raise NotFound(f"The collection is not shared with a {kind} {key}.")
        await self._store.shares.remove(collection_id, kind, key)
        self._authorizer.forget_shares()

    async def set_public(self, principal: Principal, collection_id: str, public: bool) -> None:
        """Let every user read the collection, or no longer."""
        await self._authorizer.collection(principal, collection_id, "manage")
        await self._store.shares.set_public(collection_id, public)
        self._authorizer.forget_shares()

    async def give(self, principal: Principal, collection_id: str, username: str) -> Sharing:
        """Give the collection to another user; the former owner keeps only what is shared with them.

        Raises NotFound for the user, Conflict when that user is disabled, owns it, or has a collection of this name.
        """
        collection = await self._authorizer.collection_to_share(principal, collection_id, "own")
        user = await self._user(username)
        if user.id == collection.owner_id:
            raise Conflict(f"{username} is the owner of this collection already.")
        if user.disabled:
            raise Conflict(f"{username} is disabled and cannot be given a collection; enable the user first.")
        changed = await self._store.shares.set_owner(collection, user.id)
        self._authorizer.forget_shares()
        return await self._view(changed)

    async def all(self, principal: Principal, cursor: str | None, limit: int) -> Page[Sharing]:
        """Every collection by name, for an administrator: who owns it and who may see it, not what is in it."""
        principal.require_administrator("list the collections of all users")
        name, key = decode_cursor(cursor, 2) if cursor else ("", "")
        places = sorted((each.name.lower(), each.id, each) for each in await self._store.collections.all())
        found = [each for place, id, each in places if (place, id) > (name, key)][: limit + 1]
        names = await self._store.users.names(sorted({each.owner_id for each in found}))
        page = [Sharing(each, names.get(each.owner_id, ""), ()) for each in found]
        last = found[min(limit, len(found)) - 1] if found else None
        return page_of(page, limit, encode_cursor(last.name.lower(), last.id) if last else "")

    async def _view(self, collection: Collection) -> Sharing:
        users = {share.id for share in collection.shares if share.kind == "user"} | {collection.owner_id}
        names = await self._store.users.names(sorted(users))
        groups = {}
        if any(share.kind == "group" for share in collection.shares):
            groups = {group.id: group.name for group in await self._store.groups.all()}
        shares = [
            ShareView(share.kind, share.id, name, share.level)
            for share in collection.shares
            if (name := (groups if share.kind == "group" else names).get(share.id)) is not None
        ]
        shares.sort(key=lambda share: (share.kind, share.name.lower()))
        return Sharing(collection, names.get(collection.owner_id, ""), tuple(shares))

    async def _subject_id(self, kind: ShareKind, name: str) -> str:
        if kind == "user":
            return (await self._user(name)).id
        group = await self._store.groups.by_name(name)
        if group is None:
            raise NotFound(f"There is no group named {name!r}.")
        return group.id

    async def _user(self, name: str) -> User:
        user = await self._store.users.by_name(name)
        if user is None:
            raise NotFound(f"There is no user named {name!r}.")
        return user
