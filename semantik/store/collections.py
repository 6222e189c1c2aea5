"""Collections and their sources in MongoDB; a collection's row holds its chunk counter and running mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from semantik.errors import Conflict, NotFound
from semantik.records import Collection, Counts, Source, now
from semantik.store.rows import milliseconds, moment_of, to_row
from semantik.store.table import Record, Table


class Collections:
    """A name is unique for its owner. A deleted collection is marked first, and purged afterwards."""

    def __init__(self, table: Table, sources: Table) -> None:
        self._table = table
        self._sources = sources

    async def prepare(self) -> None:
        await self._table.index([("owner_id", 1), ("name_key", 1)], unique=True)
        await self._sources.index([("collection_id", 1), ("path", 1)], unique=True)

    async def add(self, collection: Collection) -> None:
        row = to_row(collection)
        row |= {"name_key": collection.name.lower(), "deleted": False}
        try:
            await self._table.insert(row)
        except Conflict as error:
            raise _taken(collection.name) from error

    async def get(self, collection_id: str) -> Collection | None:
        row = await self._table.get({"_id": collection_id, "deleted": False})
        return _collection(row) if row else None

    async def get_even_deleted(self, collection_id: str) -> Collection:
        """For the operations of a collection that are to be ended. Raises NotFound when it is purged."""
        row = await self._table.get({"_id": collection_id})
        if row is None:
            raise NotFound(f"There is no collection {collection_id}.")
        return _collection(row)

    async def get_many(self, collection_ids: Sequence[str]) -> dict[str, Collection]:
        where = {"_id": {"$in": list(collection_ids)}, "deleted": False}
        return {row["_id"]: _collection(row) for row in await self._table.find(where)}

    async def of_owner(self, owner_id: str, after_name: str = "", limit: int = 0) -> list[Collection]:
        """An owner's collections in the order of their names (case folded), after `after_name`."""
        where = {"owner_id": owner_id, "deleted": False, "name_key": {"$gt": after_name.lower()}}
        return [_collection(row) for row in await self._table.find(where, [("name_key", 1)], limit)]

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
        return _collection(row)

    async def take_seqs(self, collection_id: str, count: int) -> int:
        """Give out `count` chunk numbers, each once for ever, and return the first."""
        row = await self._table.change({"_id": collection_id}, {"$inc": {"next_seq": count}})
        if row is None:
            raise NotFound(f"There is no collection {collection_id}.")
        return int(row["next_seq"]) - count

    async def publish_seqs(self, collection_id: str, last_seq: int) -> None:
        """Let chunks up to `last_seq` be found. Never goes back."""
        fields = {"updated_at": milliseconds(now())}
        await self._table.change({"_id": collection_id}, {"$max": {"last_seq": last_seq}, "$set": fields})

    async def set_counts(self, collection_id: str, counts: Counts) -> None:
        await self._table.change(
            {"_id": collection_id}, {"$set": {"counts": asdict(counts), "updated_at": milliseconds(now())}}
        )

    async def lock(self, collection_id: str, operation_id: str) -> bool:
        """Mark the operation as the one that runs here; False when another is."""
        mine = {"_id": collection_id, "deleted": False, "running": {"$in": [None, operation_id]}}
        return await self._table.change(mine, {"$set": {"running": operation_id}}) is not None

    async def unlock(self, collection_id: str, operation_id: str) -> None:
        await self._table.change({"_id": collection_id, "running": operation_id}, {"$set": {"running": None}})

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
        return _source(row) if row else None

    async def sources(self, collection_ids: Sequence[str]) -> list[Source]:
        rows = await self._sources.find({"collection_id": {"$in": list(collection_ids)}}, [("path", 1)])
        return [_source(row) for row in rows]


def _taken(name: str) -> Conflict:
    return Conflict(f"You have a collection named {name!r} already; choose another name.")


def _collection(row: Record) -> Collection:
    special = ("id", "counts", "created_at", "updated_at")
    fields = {name: row[name] for name in Collection.__dataclass_fields__ if name not in special}
    return Collection(
        id=row["_id"],
        counts=Counts(**row["counts"]),
        created_at=moment_of(row["created_at"]),
        updated_at=moment_of(row["updated_at"]),
        **fields,
    )


def _source(row: Record) -> Source:
    return Source(row["_id"], row["collection_id"], row["path"], moment_of(row["created_at"]))
