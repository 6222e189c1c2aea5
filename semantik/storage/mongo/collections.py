"""Collections and their sources in MongoDB; a collection's row holds its generations, counter and running mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from semantik.core.errors import Conflict, LeaseLost, NotFound
from semantik.core.models import Collection, Counts, Generation, Source, now
from semantik.storage.mongo.batch_loader import BatchLoader
from semantik.storage.mongo.collection_rows import (
    collection_of,
    collection_row,
    generation_field,
    generation_row,
    source_of,
)
from semantik.storage.mongo.rows import milliseconds, to_fields, to_row
from semantik.storage.mongo.table import Filter, Table

_TOGETHER = 100


class CollectionTable:
    """A name is unique for its owner. A deleted collection is marked first, and purged afterwards.

    What changes a collection's chunks takes the `fence` of the operation that does so: the token of its lease. Who
    has lost the collection to another server gets LeaseLost.
    """

    def __init__(self, table: Table, sources: Table) -> None:
        self._table = table
        self._sources = sources
        self._searched = BatchLoader(self._by_ids, _TOGETHER)

    async def prepare(self) -> None:
        await self._table.index([("owner_id", 1), ("name_key", 1)], unique=True)
        await self._table.index([("retire_at", 1)])
        await self._sources.index([("collection_id", 1), ("path", 1)], unique=True)

    async def add(self, collection: Collection) -> None:
        try:
            await self._table.insert(collection_row(collection))
        except Conflict as error:
            raise _taken(collection.name) from error

    async def get(self, collection_id: str) -> Collection | None:
        row = await self._table.get({"_id": collection_id, "deleted": False})
        return collection_of(row) if row else None

    async def get_even_deleted(self, collection_id: str) -> Collection:
        """For the operations of a collection that are to be ended. Raises NotFound when it is purged."""
        row = await self._table.get({"_id": collection_id})
        if row is None:
            raise NotFound(f"There is no collection {collection_id}.")
        return collection_of(row)

    async def get_many(self, collection_ids: Sequence[str]) -> dict[str, Collection]:
        return await self._searched.get(collection_ids)

    async def _by_ids(self, ids: Sequence[str]) -> dict[str, Collection]:
        # By keys alone, which the embedded store answers soonest.
        rows = await self._table.find({"_id": {"$in": list(ids)}}, quick=True)
        return {row["_id"]: collection_of(row) for row in rows if not row["deleted"]}

    async def of_owner(self, owner_id: str, after_name: str = "", limit: int = 0) -> list[Collection]:
        """An owner's collections in the order of their names (case folded), after `after_name`."""
        where = {"owner_id": owner_id, "deleted": False, "name_key": {"$gt": after_name.lower()}}
        return [
            collection_of(row) for row in await self._table.find(where, [("name_key", 1)], limit, quick=True)
        ]

    async def all(self) -> list[Collection]:
        """Every collection that is not deleted, whoever owns it, by name."""
        return [collection_of(row) for row in await self._table.find({"deleted": False}, [("name_key", 1)])]

    async def change(self, collection_id: str, fields: Mapping[str, Any]) -> Collection:
        """Set fields of the record; raises NotFound, or Conflict when a new name is taken."""
        update = {**fields, "updated_at": milliseconds(now())}
        if "name" in fields:
            update["name_key"] = fields["name"].lower()
        try:
            row = await self._table.change({"_id": collection_id, "deleted": False}, {"$set": update})
        except Conflict as error:
            raise _taken(fields["name"]) from error
        if row is None:
            # The embedded store does not report the taken name here; it changes nothing and finds no row.
            if "name" in fields and await self.get(collection_id):
                raise _taken(fields["name"])
            raise NotFound(f"There is no collection {collection_id}.")
        return collection_of(row)

    async def allocate_seqs(self, collection_id: str, count: int, fence: str) -> int:
        """Give out `count` chunk numbers, each once for ever, and return the first."""
        collection = await self._fenced(collection_id, fence, {"$inc": {"next_seq": count}})
        return collection.next_seq - count

    async def allocate_generation(self, collection_id: str, fence: str) -> int:
        """Give out the number of a new generation; none is given out twice, as other servers may have its index."""
        update = {"$inc": {"next_generation": 1}}
        row = await self._table.change({"_id": collection_id, "fence": fence}, update)
        if row is None:
            raise _lost(collection_id)
        return int(row["next_generation"]) - 1

    async def set_last_seq(self, generation: Generation, last_seq: int, fence: str) -> Collection:
        """Let chunks up to `last_seq` be put into indexes. Never goes back."""
        update = {
            "$max": {generation_field(generation, "last_seq"): last_seq},
            "$set": {"updated_at": milliseconds(now())},
        }
        return await self._fenced(generation.collection_id, fence, update)

    async def set_settled_seq(self, generation: Generation, seq: int, fence: str) -> None:
        """Note that every chunk up to `seq` belongs to a document."""
        update = {"$max": {generation_field(generation, "settled_seq"): seq}}
        await self._fenced(generation.collection_id, fence, update)

    async def mark_clean(self, collection_id: str, fence: str) -> Collection:
        """Note that all that was to be done to the documents is done."""
        return await self._fenced(collection_id, fence, {"$set": {"at_rest": True}})

    async def mark_dirty(self, collection_id: str) -> Collection | None:
        """Note that documents are about to change, so that nothing is taken for right until they were looked at.

        What was kept of the scans of their folders goes before: a scan of other folders brings the collection to rest.
        """
        row = await self._table.change({"_id": collection_id}, {"$set": {"at_rest": False}})
        return collection_of(row) if row else None

    async def change_generation(
        self, generation: Generation, fields: Mapping[str, Any], fence: str
    ) -> Collection:
        """Set fields of one generation."""
        plain = to_fields(fields)
        update = {generation_field(generation, name): value for name, value in plain.items()}
        update["updated_at"] = milliseconds(now())
        return await self._fenced(generation.collection_id, fence, {"$set": update})

    async def set_counts(self, generation: Generation, counts: Counts, fence: str) -> Collection:
        return await self.change_generation(generation, {"counts": asdict(counts)}, fence)

    async def stage(self, generation: Generation, fence: str) -> Collection:
        """Add a generation beside the current one."""
        fields = {generation_field(generation): generation_row(generation)}
        return await self._fenced(generation.collection_id, fence, {"$set": fields})

    async def switch(self, new: Generation, grace_s: float, fence: str) -> Collection:
        """Let another generation be searched from now on, in one step; those before it go after `grace_s`."""
        moment = now()
        fields = {
            "generation": new.number,
            generation_field(new, "operation_id"): None,
            "retire_at": milliseconds(moment + timedelta(seconds=grace_s)),
            "updated_at": milliseconds(moment),
        }
        return await self._fenced(new.collection_id, fence, {"$set": fields})

    async def with_retired(self) -> list[Collection]:
        """Those that have generations which nobody searches any more."""
        where = {"retire_at": {"$gt": 0, "$lte": milliseconds(now())}}
        return [collection_of(row) for row in await self._table.find(where)]

    async def all_retired(self, collection: Collection) -> None:
        """Note that the generations before the present one are gone."""
        where = {"_id": collection.id, "generation": collection.generation}
        await self._table.change(where, {"$set": {"retire_at": None}})

    async def drop_generation(self, generation: Generation) -> None:
        """Forget a generation, unless it is the one that is searched."""
        where = {"_id": generation.collection_id, "generation": {"$ne": generation.number}}
        await self._table.change(where, {"$unset": {generation_field(generation): ""}})

    async def _fenced(self, collection_id: str, fence: str, update: Mapping[str, Any]) -> Collection:
        return await self._held(collection_id, {"_id": collection_id, "fence": fence}, update)

    async def _held(self, collection_id: str, where: Filter, update: Mapping[str, Any]) -> Collection:
        row = await self._table.change_held(where, update)
        if row is None:
            raise _lost(collection_id)
        return collection_of(row)

    async def lock(self, collection_id: str, operation_id: str) -> bool:
        """Mark the operation as the one that runs here; False when another is."""
        mine = {"_id": collection_id, "deleted": False, "running": {"$in": [None, operation_id]}}
        return await self._table.change(mine, {"$set": {"running": operation_id}}) is not None

    async def force_lock(self, collection_id: str, operation_id: str, fence: str) -> Collection:
        """From now on only the holder of this lease may change the collection's chunks. What is read with that is the
        last word of the holder before.

        Raises LeaseLost when who took the operation over has done so already: the later lease has the greater token.
        """
        mine = {"_id": collection_id, "running": operation_id}
        earlier = {"$or": [{"fence": None}, {"fence": {"$lte": fence}}]}
        # Beside an $or the embedded store passes over the other conditions of an update.
        return await self._held(collection_id, {"$and": [mine, earlier]}, {"$set": {"fence": fence}})

    async def unlock(self, collection_id: str, operation_id: str) -> None:
        where = {"_id": collection_id, "running": operation_id}
        await self._table.change(where, {"$set": {"running": None, "fence": None}})

    async def stale_fences(self) -> list[Collection]:
        """Those that have the fence of an operation, and none that runs."""
        where = {"running": None, "fence": {"$ne": None}, "deleted": False}
        return [collection_of(row) for row in await self._table.find(where)]

    async def lift_fence(self, collection_id: str) -> None:
        """Take away the fence where no operation runs."""
        await self._table.change({"_id": collection_id, "running": None}, {"$set": {"fence": None}})

    async def correct_counts(self, seen: Collection, generation: Generation, counts: Counts) -> None:
        """Set a generation's counts, unless something has been done to the collection since it was seen."""
        where = {"_id": seen.id, "running": None, "updated_at": milliseconds(seen.updated_at)}
        await self._table.change(where, {"$set": {generation_field(generation, "counts"): asdict(counts)}})

    async def raise_seqs(self, generation: Generation, last_seq: int, next_seq: int) -> None:
        """Let what is given out next, and what may be in an index, be at least so much. Never goes back."""
        fields = {generation_field(generation, "last_seq"): last_seq, "next_seq": next_seq}
        await self._table.change({"_id": generation.collection_id}, {"$max": fields})

    async def all_ids(self) -> set[str]:
        """Also of those that are deleted, and about to be purged."""
        return {row["_id"] for row in await self._table.find({}, fields={"_id": 1})}

    async def generations_of(self, collection_ids: Iterable[str]) -> dict[str, set[int]]:
        """The numbers of all generations of collections, also of deleted ones; none of those that are purged."""
        where = {"_id": {"$in": list(collection_ids)}}
        rows = await self._table.find(where, fields={"generations": 1})
        return {row["_id"]: {one["number"] for one in row["generations"].values()} for row in rows}

    async def retiring(self, before: datetime | None = None) -> set[str]:
        """The collections whose former generations will go, or should have gone before a moment."""
        bound = {"$gt": 0} if before is None else {"$gt": 0, "$lt": milliseconds(before)}
        return {row["_id"] for row in await self._table.find({"retire_at": bound}, fields={"_id": 1})}

    async def mark_deleted(self, collection_id: str) -> None:
        """Hide it at once, and free its name for another."""
        await self._table.change(
            {"_id": collection_id}, {"$set": {"deleted": True, "name_key": f"/deleted {collection_id}"}}
        )

    async def deleted(self) -> list[str]:
        return [row["_id"] for row in await self._table.find({"deleted": True}, fields={"_id": 1})]

    async def remove(self, collection_id: str) -> None:
        await self._sources.delete({"collection_id": collection_id})
        await self._table.delete({"_id": collection_id})

    async def add_source(self, source: Source) -> None:
        try:
            await self._sources.insert(to_row(source))
        except Conflict as error:
            raise Conflict(f"The folder {source.path} is a source of this collection already.") from error

    async def source(self, collection_id: str, source_id: str) -> Source | None:
        row = await self._sources.get({"_id": source_id, "collection_id": collection_id})
        return source_of(row) if row else None

    async def sources(self, collection_ids: Sequence[str]) -> list[Source]:
        rows = await self._sources.find({"collection_id": {"$in": list(collection_ids)}}, [("path", 1)])
        return [source_of(row) for row in rows]

    async def watched_sources(self) -> list[Source]:
        """Those that are to be scanned again by themselves, of all collections."""
        rows = await self._sources.find(
            {"$or": [{"interval_s": {"$gt": 0}}, {"immediate": {"$in": [True, 1]}}]}
        )
        return [source_of(row) for row in rows]

    async def change_source(
        self, source: Source, fields: Mapping[str, Any], only_if: Mapping[str, Any] | None = None
    ) -> Source | None:
        """Set fields, if the others are as expected; None when they are not, or the source is gone."""
        where = {"_id": source.id, **to_fields(only_if or {})}
        row = await self._sources.change(where, {"$set": to_fields(fields)})
        return source_of(row) if row else None

    async def remove_source(self, source_id: str) -> None:
        await self._sources.delete({"_id": source_id})


def _lost(collection_id: str) -> LeaseLost:
    return LeaseLost(f"Collection {collection_id} is in the hands of another server, or purged.")


def _taken(name: str) -> Conflict:
    return Conflict(f"You have a collection named {name!r} already; choose another name.")
