"""Who may see which collection, in MongoDB.

A collection's row is the truth: its `shares` and `public` say who may do what. The table `shares` is the way back, from
a user or a group to the collections that may be shared with them. Its rows are written first and removed last, so after
a crash it names too many collections and never too few: callers check each against its row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from semantik.core.errors import Conflict, NotFound
from semantik.core.models import Access, Collection, ShareKind, now
from semantik.storage.mongo.collection_rows import collection_from_row, share_key
from semantik.storage.mongo.rows import milliseconds
from semantik.storage.mongo.table import Record, Table

_EVERYBODY = "everybody"


class ShareTable:
    """Each change of a collection returns it as it is then, and raises NotFound when it is gone."""

    def __init__(self, collections: Table, lookup: Table) -> None:
        self._collections = collections
        self._lookup = lookup

    async def create_indexes(self) -> None:
        await self._lookup.create_index([("subject", 1)])
        await self._lookup.create_index([("collection_id", 1)])

    async def visible_to(self, user_id: str, group_ids: Iterable[str]) -> set[str]:
        """The collections that may be shared with the user, one of the groups, or everybody."""
        subjects = [_EVERYBODY, share_key("user", user_id), *(share_key("group", one) for one in group_ids)]
        rows = await self._lookup.find({"subject": {"$in": subjects}}, fields={"collection_id": 1}, fast=True)
        return {row["collection_id"] for row in rows}

    async def set(
        self, collection_id: str, kind: ShareKind, user_or_group_id: str, level: Access
    ) -> Collection:
        key = share_key(kind, user_or_group_id)
        await self._add_lookup(collection_id, key)
        return await self._update(collection_id, {"$set": {f"shares.{key}": level}})

    async def remove(self, collection_id: str, kind: ShareKind, user_or_group_id: str) -> Collection:
        key = share_key(kind, user_or_group_id)
        changed = await self._update(collection_id, {"$unset": {f"shares.{key}": ""}})
        await self._lookup.delete_many({"_id": _lookup_id(collection_id, key)})
        return changed

    async def set_public(self, collection_id: str, public: bool) -> Collection:
        if public:
            await self._add_lookup(collection_id, _EVERYBODY)
        changed = await self._update(collection_id, {"$set": {"public": public}})
        if not public:
            await self._lookup.delete_many({"_id": _lookup_id(collection_id, _EVERYBODY)})
        return changed

    async def set_owner(self, seen: Collection, owner_id: str) -> Collection:
        """Give a collection to another user, who needs no share then.

        Raises Conflict when that user has one of this name, or the owner has changed since it was read as `seen`.
        """
        key = share_key("user", owner_id)
        taken = {"owner_id": owner_id, "name_key": seen.name.lower()}
        if await self._collections.find_one(taken) is not None:
            raise _name_taken(seen.name)
        where = {"_id": seen.id, "owner_id": seen.owner_id, "deleted": False}
        fields = {"owner_id": owner_id, "updated_at": milliseconds(now())}
        try:
            row = await self._collections.update_one(where, {"$set": fields, "$unset": {f"shares.{key}": ""}})
        except Conflict as error:
            raise _name_taken(seen.name) from error
        if row is None:
            raise Conflict("The collection was given away or deleted a moment ago; look at it again.")
        await self._lookup.delete_many({"_id": _lookup_id(seen.id, key)})
        return collection_from_row(row)

    async def shared_with(self, kind: ShareKind, user_or_group_id: str) -> list[str]:
        """The collections that may be shared with this user or group alone."""
        rows = await self._lookup.find(
            {"subject": share_key(kind, user_or_group_id)}, fields={"collection_id": 1}
        )
        return [row["collection_id"] for row in rows]

    async def remove_collection(self, collection_id: str) -> None:
        """Remove what leads to a collection that is deleted."""
        await self._lookup.delete_many({"collection_id": collection_id})

    async def _add_lookup(self, collection_id: str, subject: str) -> None:
        row: Record = {"collection_id": collection_id, "subject": subject}
        await self._lookup.upsert({"_id": _lookup_id(collection_id, subject)}, {"$set": row})

    async def _update(self, collection_id: str, update: dict[str, Any]) -> Collection:
        update.setdefault("$set", {})["updated_at"] = milliseconds(now())
        row = await self._collections.update_one({"_id": collection_id, "deleted": False}, update)
        if row is None:
            raise NotFound(f"There is no collection {collection_id}.")
        return collection_from_row(row)


def _lookup_id(collection_id: str, subject: str) -> str:
    return f"{collection_id}/{subject}"


def _name_taken(name: str) -> Conflict:
    return Conflict(f"That user has a collection named {name!r} already; rename one of them first.")
