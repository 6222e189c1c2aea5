"""Collections and their sources in MongoDB; a collection's row holds its generations, seq counter and lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from semantik.core.errors import Conflict, LeaseLost, NotFound
from semantik.core.models import Collection, Counts, Generation, now
from semantik.storage.mongo.batch_loader import BatchLoader
from semantik.storage.mongo.collection_rows import (
    collection_from_row,
    collection_row,
    generation_field,
    generation_row,
)
from semantik.storage.mongo.rows import milliseconds, to_fields
from semantik.storage.mongo.sources import SourceTable
from semantik.storage.mongo.table import Filter, Table

_MAX_KEYS = 100
TAGGING_MS = 60_000  # a change of tags has ended after this time, or was broken off


class CollectionTable(SourceTable):
    """A name is unique for its owner. A deleted collection is marked first, and purged afterwards.

    Methods that change a collection's chunks take a `fence`, the token of the operation's lease. They raise LeaseLost
    when another server has taken the collection over.
    """

    def __init__(self, table: Table, sources: Table) -> None:
        super().__init__(sources)
        self._table = table
        self._loader = BatchLoader(self._by_ids, _MAX_KEYS)

    async def create_indexes(self) -> None:
        await self._table.create_index([("owner_id", 1), ("name_key", 1)], unique=True)
        await self._table.create_index([("retire_at", 1)])
        await self._sources.create_index([("collection_id", 1), ("path", 1)], unique=True)

    async def add(self, collection: Collection) -> None:
        try:
            await self._table.insert_one(collection_row(collection))
        except Conflict as error:
            raise _name_taken(collection.name) from error

    async def get(self, collection_id: str) -> Collection | None:
        row = await self._table.find_one({"_id": collection_id, "deleted": False})
        return collection_from_row(row) if row else None

    async def get_including_deleted(self, collection_id: str) -> Collection:
        """Also a collection that is marked as deleted, to end its operations. Raises NotFound when it is purged."""
        row = await self._table.find_one({"_id": collection_id})
        if row is None:
            raise NotFound(f"There is no collection {collection_id}.")
        return collection_from_row(row)

    async def get_many(self, collection_ids: Sequence[str]) -> dict[str, Collection]:
        return await self._loader.load(collection_ids)

    async def _by_ids(self, ids: Sequence[str]) -> dict[str, Collection]:
        # By keys alone: the embedded store answers that fastest.
        rows = await self._table.find({"_id": {"$in": list(ids)}}, fast=True)
        return {row["_id"]: collection_from_row(row) for row in rows if not row["deleted"]}

    async def of_owner(self, owner_id: str, from_name: str = "", limit: int = 0) -> list[Collection]:
        """An owner's collections in the order of their names (case folded), from `from_name`."""
        where = {"owner_id": owner_id, "deleted": False, "name_key": {"$gte": from_name.lower()}}
        return [
            collection_from_row(row)
            for row in await self._table.find(where, [("name_key", 1)], limit, fast=True)
        ]

    async def all(self) -> list[Collection]:
        """Every collection that is not deleted, whoever owns it, by name."""
        return [
            collection_from_row(row) for row in await self._table.find({"deleted": False}, [("name_key", 1)])
        ]

    async def update(self, collection_id: str, fields: Mapping[str, Any]) -> Collection:
        """Set fields of the row. Raises NotFound, or Conflict when a new name is taken."""
        update = {**fields, "updated_at": milliseconds(now())}
        if "name" in fields:
            update["name_key"] = fields["name"].lower()
        try:
            row = await self._table.update_one({"_id": collection_id, "deleted": False}, {"$set": update})
        except Conflict as error:
            raise _name_taken(fields["name"]) from error
        if row is None:
            # The embedded store does not report the duplicate name here; it changes nothing and finds no row.
            if "name" in fields and await self.get(collection_id):
                raise _name_taken(fields["name"])
            raise NotFound(f"There is no collection {collection_id}.")
        return collection_from_row(row)

    async def begin_tagging(self, collection_id: str) -> None:
        """Note that tags of documents are about to change: what is read of them from now on is not to be kept."""
        moment = milliseconds(now())
        broken_off = {"_id": collection_id, "tagged_at": {"$lt": moment - TAGGING_MS}, "tagging": {"$gt": 0}}
        await self._table.update_one(broken_off, {"$set": {"tagging": 0}})
        await self._count_tagging(collection_id, 1, moment)

    async def end_tagging(self, collection_id: str) -> None:
        """Note that they have changed."""
        await self._count_tagging(collection_id, -1, milliseconds(now()))

    async def _count_tagging(self, collection_id: str, step: int, moment: int) -> None:
        update = {"$inc": {"tagging": step, "tag_version": 1}, "$set": {"tagged_at": moment}}
        await self._table.update_one({"_id": collection_id}, update)

    async def allocate_seqs(self, collection_id: str, count: int, fence: str) -> int:
        """Allocate `count` chunk numbers, each of which is never used again, and return the first."""
        collection = await self._update_fenced(collection_id, fence, {"$inc": {"next_seq": count}})
        return collection.next_seq - count

    async def allocate_generation(self, collection_id: str, fence: str) -> int:
        """Allocate a generation number; none is used twice, as other servers may still have an index of it."""
        update = {"$inc": {"next_generation": 1}}
        row = await self._table.update_one({"_id": collection_id, "fence": fence}, update)
        if row is None:
            raise _lease_lost(collection_id)
        return int(row["next_generation"]) - 1

    async def set_last_seq(self, generation: Generation, last_seq: int, fence: str) -> Collection:
        """Let indexes take chunks up to `last_seq`. Never lowered."""
        update = {
            "$max": {generation_field(generation, "last_seq"): last_seq},
            "$set": {"updated_at": milliseconds(now())},
        }
        return await self._update_fenced(generation.collection_id, fence, update)

    async def set_settled_seq(self, generation: Generation, seq: int, fence: str) -> None:
        """Save that every chunk up to `seq` belongs to a document. Never lowered."""
        update = {"$max": {generation_field(generation, "settled_seq"): seq}}
        await self._update_fenced(generation.collection_id, fence, update)

    async def mark_clean(self, collection_id: str, fence: str) -> Collection:
        """Save that nothing remains to be done to the documents."""
        return await self._update_fenced(collection_id, fence, {"$set": {"at_rest": True}})

    async def mark_dirty(self, collection_id: str) -> Collection | None:
        """Save that documents are about to change, so that counts and folder digests are not trusted any more.

        The caller removes the digests of their folders first: a scan of other folders marks the collection clean again.
        """
        row = await self._table.update_one({"_id": collection_id}, {"$set": {"at_rest": False}})
        return collection_from_row(row) if row else None

    async def update_generation(
        self, generation: Generation, fields: Mapping[str, Any], fence: str
    ) -> Collection:
        """Set fields of one generation."""
        update = {generation_field(generation, name): value for name, value in to_fields(fields).items()}
        update["updated_at"] = milliseconds(now())
        return await self._update_fenced(generation.collection_id, fence, {"$set": update})

    async def set_counts(self, generation: Generation, counts: Counts, fence: str) -> Collection:
        return await self.update_generation(generation, {"counts": asdict(counts)}, fence)

    async def add_generation(self, generation: Generation, fence: str) -> Collection:
        """Add a generation beside the current one."""
        fields = {generation_field(generation): generation_row(generation)}
        return await self._update_fenced(generation.collection_id, fence, {"$set": fields})

    async def switch_generation(self, new: Generation, grace_s: float, fence: str) -> Collection:
        """Search another generation from now on, atomically; the earlier ones are removed after `grace_s` seconds."""
        moment = now()
        fields = {
            "generation": new.number,
            generation_field(new, "operation_id"): None,
            "retire_at": milliseconds(moment + timedelta(seconds=grace_s)),
            "updated_at": milliseconds(moment),
        }
        return await self._update_fenced(new.collection_id, fence, {"$set": fields})

    async def with_retired_generations(self) -> list[Collection]:
        """Collections with generations that are not searched any more and whose grace time is over."""
        where = {"retire_at": {"$gt": 0, "$lte": milliseconds(now())}}
        return [collection_from_row(row) for row in await self._table.find(where)]

    async def clear_retirement(self, collection: Collection) -> None:
        """Save that the generations before the current one are removed."""
        where = {"_id": collection.id, "generation": collection.generation}
        await self._table.update_one(where, {"$set": {"retire_at": None}})

    async def drop_generation(self, generation: Generation) -> None:
        """Remove a generation's entry, unless it is the one that is searched."""
        where = {"_id": generation.collection_id, "generation": {"$ne": generation.number}}
        await self._table.update_one(where, {"$unset": {generation_field(generation): ""}})

    async def _update_fenced(self, collection_id: str, fence: str, update: Mapping[str, Any]) -> Collection:
        return await self._update_locked(collection_id, {"_id": collection_id, "fence": fence}, update)

    async def _update_locked(
        self, collection_id: str, where: Filter, update: Mapping[str, Any]
    ) -> Collection:
        row = await self._table.update_fenced(where, update)
        if row is None:
            raise _lease_lost(collection_id)
        return collection_from_row(row)

    async def lock(self, collection_id: str, operation_id: str) -> bool:
        """Lock the collection for the operation; False when another operation holds the lock."""
        free = {"_id": collection_id, "deleted": False, "running": {"$in": [None, operation_id]}}
        return await self._table.update_one(free, {"$set": {"running": operation_id}}) is not None

    async def force_lock(self, collection_id: str, operation_id: str, fence: str) -> Collection:
        """Let only the holder of this lease change the collection's chunks from now on. Returns the collection as the
        previous holder left it: no write of that one can follow.

        Raises LeaseLost when a later lease, which has a greater token, has done so already.
        """
        held = {"_id": collection_id, "running": operation_id}
        earlier = {"$or": [{"fence": None}, {"fence": {"$lte": fence}}]}
        # Beside an $or the embedded store ignores the other conditions of an update.
        return await self._update_locked(collection_id, {"$and": [held, earlier]}, {"$set": {"fence": fence}})

    async def unlock(self, collection_id: str, operation_id: str) -> None:
        where = {"_id": collection_id, "running": operation_id}
        await self._table.update_one(where, {"$set": {"running": None, "fence": None}})

    async def with_stale_fence(self) -> list[Collection]:
        """Collections that have the fence of an operation, while none holds the lock."""
        where = {"running": None, "fence": {"$ne": None}, "deleted": False}
        return [collection_from_row(row) for row in await self._table.find(where)]

    async def clear_fence(self, collection_id: str) -> None:
        """Remove the fence, unless an operation holds the lock."""
        await self._table.update_one({"_id": collection_id, "running": None}, {"$set": {"fence": None}})

    async def correct_counts(self, seen: Collection, generation: Generation, counts: Counts) -> None:
        """Set a generation's counts, unless the collection has changed since it was read as `seen`."""
        where = {"_id": seen.id, "running": None, "updated_at": milliseconds(seen.updated_at)}
        await self._table.update_one(
            where, {"$set": {generation_field(generation, "counts"): asdict(counts)}}
        )

    async def raise_seqs(self, generation: Generation, last_seq: int, next_seq: int) -> None:
        """Raise the highest seq that indexes may take, and the next one to be allocated. Never lowered."""
        fields = {generation_field(generation, "last_seq"): last_seq, "next_seq": next_seq}
        await self._table.update_one({"_id": generation.collection_id}, {"$max": fields})

    async def all_ids(self) -> set[str]:
        """Also of those that are marked as deleted."""
        return {row["_id"] for row in await self._table.find({}, fields={"_id": 1})}

    async def generation_numbers(self, collection_ids: Iterable[str]) -> dict[str, set[int]]:
        """The numbers of all generations of collections, by id; also of deleted collections, until they are purged."""
        rows = await self._table.find({"_id": {"$in": list(collection_ids)}}, fields={"generations": 1})
        return {row["_id"]: {one["number"] for one in row["generations"].values()} for row in rows}

    async def retiring_ids(self, before: datetime | None = None) -> set[str]:
        """The collections whose earlier generations are to be removed, at any time or before a moment."""
        bound = {"$gt": 0} if before is None else {"$gt": 0, "$lt": milliseconds(before)}
        return {row["_id"] for row in await self._table.find({"retire_at": bound}, fields={"_id": 1})}

    async def mark_deleted(self, collection_id: str) -> None:
        """Hide the collection at once, and free its name for another."""
        await self._table.update_one(
            {"_id": collection_id}, {"$set": {"deleted": True, "name_key": f"/deleted {collection_id}"}}
        )

    async def deleted_ids(self) -> list[str]:
        return [row["_id"] for row in await self._table.find({"deleted": True}, fields={"_id": 1})]

    async def remove(self, collection_id: str) -> None:
        await self._sources.delete_many({"collection_id": collection_id})
        await self._table.delete_many({"_id": collection_id})


def _lease_lost(collection_id: str) -> LeaseLost:
    return LeaseLost(f"Collection {collection_id} was taken over by another server, or purged.")


def _name_taken(name: str) -> Conflict:
    return Conflict(f"You have a collection named {name!r} already; choose another name.")
