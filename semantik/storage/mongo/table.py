"""One MongoDB collection behind the few methods that the project needs. Runs on the loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bson
import pymongo
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import OperationFailure

from semantik.core.errors import Conflict, DiskFull
from semantik.storage.mongo.driver_errors import translate_mongo_errors

Record = dict[str, Any]
Filter = Mapping[str, Any]
Sort = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class StorageSize:
    """A number of rows, and their bytes as BSON."""

    rows: int
    bytes: int

    def __add__(self, other: StorageSize) -> StorageSize:
        return StorageSize(self.rows + other.rows, self.bytes + other.bytes)


_NO_SUCH_INDEX = 27
_ATTEMPTS = 3
_READ_BATCH = 1000
_WRITE_PAGE = 2000
_INSERT_PAGE = 1000  # one long command holds up the driver's look at a slow server, which then counts as away


def _exact(where: Filter) -> Record:
    """The same filter with an explicit `$eq` for each plain value.

    A plain value also matches a list that contains it, and for that the embedded store reads every row of the table,
    whatever its indexes. No field that is queried is a list.
    """
    return {
        name: {"$eq": value} if isinstance(value, (str, int)) and name != "_id" else value
        for name, value in where.items()
    }


def _with_keys(keys: Sequence[str]) -> Record:
    return {"_id": {"$in": list(keys)}}


class Table:
    """Filters and updates are MongoDB's own.

    `reads` is the same collection through a connection that only reads, where there is one (see `Store`).
    """

    def __init__(
        self, collection: AsyncIOMotorCollection[Record], reads: AsyncIOMotorCollection[Record] | None = None
    ) -> None:
        self._collection = collection
        self._read_collection = collection if reads is None else reads

    async def create_index(self, keys: Sort, unique: bool = False) -> None:
        with translate_mongo_errors():
            await self._collection.create_index(list(keys), unique=unique)

    async def drop_index(self, keys: Sort) -> None:
        """Does nothing when there is no such index."""
        real = "_".join(f"{name}_{direction}" for name, direction in keys)
        embedded = "_".join(name for name, _ in keys)
        for name in (real, embedded):
            with translate_mongo_errors():
                try:
                    await self._collection.drop_index(name)
                except OperationFailure as error:
                    if error.code != _NO_SUCH_INDEX:
                        raise

    async def find_one(self, where: Filter, sort: Sort | None = None, fast: bool = False) -> Record | None:
        """The first row that matches, or None. `fast` as in `find`."""
        with translate_mongo_errors():
            collection = self._read_collection if fast else self._collection
            row: Record | None = await collection.find_one(_exact(where), sort=list(sort) if sort else None)
            return row

    async def find(
        self,
        where: Filter,
        sort: Sort | None = None,
        limit: int = 0,
        fields: Mapping[str, int] | None = None,
        fast: bool = False,
    ) -> list[Record]:
        """The rows that match; `limit` 0 is no limit, `fields` is MongoDB's projection.

        `fast` reads through the connection for searches, which writes do not delay.
        """
        with translate_mongo_errors():
            collection = self._read_collection if fast else self._collection
            cursor = collection.find(_exact(where), fields, limit=limit, batch_size=_READ_BATCH)
            if sort:
                cursor = cursor.sort(list(sort))
            rows: list[Record] = await cursor.to_list(None)
            return rows

    async def find_joined(
        self,
        keys: Sequence[str],
        omit: str,
        lookup: tuple[str, str, str],
        union: tuple[str, Sequence[str]],
    ) -> list[Record]:
        """The rows with these keys but without the field `omit`, and after them rows of another table, in one command.

        `lookup` is (table, field, name): each of the former gets in `name`, as a list of one or none, the row of
        `table` whose `_id` is its `field`. `union` is (table, keys) of the latter.
        """
        table, field, name = lookup
        union_table, union_keys = union
        # The embedded store answers exactly this form without reading every row.
        steps: list[Record] = [
            {"$match": _with_keys(keys)},
            {"$unset": omit},
            {"$lookup": {"from": table, "localField": field, "foreignField": "_id", "as": name}},
            {"$unionWith": {"coll": union_table, "pipeline": [{"$match": _with_keys(union_keys)}]}},
        ]
        with translate_mongo_errors():
            rows: list[Record] = await self._read_collection.aggregate(steps).to_list(None)
            return rows

    async def pages(
        self, where: Filter, key: str, size: int, fields: Mapping[str, int] | None = None, fast: bool = False
    ) -> AsyncIterator[list[Record]]:
        """All rows in the order of the unique `key`, a page at a time; no cursor stays open that could time out.

        A condition of `where` on the key, if any, must be an object of operators. `fast` as in `find`.
        """
        after: Filter = where
        while rows := await self.find(after, [(key, 1)], size, fields, fast):
            yield rows
            if len(rows) < size:
                return
            # One object; for an $and the embedded store would read every row of the table.
            after = {**where, key: {**where.get(key, {}), "$gt": rows[-1][key]}}

    async def batches(
        self, where: Filter, fields: Mapping[str, int] | None = None
    ) -> AsyncIterator[list[Record]]:
        """All rows in no order, some at a time: to reduce a million rows in one pass."""
        cursor = self._collection.find(_exact(where), fields, batch_size=_READ_BATCH)
        while True:
            with translate_mongo_errors():
                rows: list[Record] = await cursor.to_list(_READ_BATCH)
            if not rows:
                return
            yield rows

    async def group(self, where: Filter, by: Any, sums: Mapping[str, Any]) -> list[Record]:
        """Sums by group. Counting is done with it, too: the embedded store's count_documents reads every document."""
        with translate_mongo_errors():
            cursor = self._collection.aggregate([{"$match": where}, {"$group": {"_id": by, **sums}}])
            rows: list[Record] = await cursor.to_list(None)
            return rows

    async def find_matching(
        self, where: Filter, expression: Mapping[str, Any], sort: Sort, limit: int
    ) -> list[Record]:
        """The first rows for which an expression of the aggregation language holds as well."""
        steps: list[Record] = [
            {"$match": _exact(where)},
            {"$match": {"$expr": expression}},
            {"$sort": dict(sort)},
            {"$limit": limit},
        ]
        with translate_mongo_errors():
            rows: list[Record] = await self._collection.aggregate(steps).to_list(None)
            return rows

    async def storage_size(self, where: Filter) -> StorageSize:
        rows = await self.group(where, None, {"n": {"$sum": 1}, "bytes": {"$sum": {"$bsonSize": "$$ROOT"}}})
        return StorageSize(int(rows[0]["n"]), int(rows[0]["bytes"])) if rows else StorageSize(0, 0)

    async def insert_one(self, row: Record) -> None:
        """Raises Conflict when another row has its `_id` or a unique key.

        Not when that is this very row: the driver sends an insertion again whose answer was late.
        """
        await self.insert_many([row])

    async def insert_many(self, rows: Sequence[Record]) -> None:
        """As `insert_one`; rows before one that is refused are inserted."""
        for at in range(0, len(rows), _INSERT_PAGE):
            await self._insert_page(rows[at : at + _INSERT_PAGE])

    async def _insert_page(self, rows: Sequence[Record]) -> None:
        left = list(rows)
        while left:
            try:
                with translate_mongo_errors():
                    await self._collection.insert_many(left)
                return
            except Conflict:
                present = await self._present(left)
                missing = [row for row in left if row["_id"] not in present]
                if len(missing) == len(left):
                    raise
                left = missing

    async def _present(self, rows: Sequence[Record]) -> set[str]:
        """The `_id`s of those rows that are stored exactly so."""
        stored = await self.find(_with_keys([row["_id"] for row in rows]))
        options = self._collection.codec_options
        given = {row["_id"]: bson.decode(bson.encode(row), options) for row in rows}
        return {row["_id"] for row in stored if row == given[row["_id"]]}

    async def update_one(
        self, where: Filter, update: Mapping[str, Any], sort: Sort | None = None
    ) -> Record | None:
        """Update one row atomically; returns it as it is after the update, or None when none matched."""
        with translate_mongo_errors():
            row: Record | None = await self._collection.find_one_and_update(
                _exact(where),
                update,
                sort=list(sort) if sort else None,
                return_document=pymongo.ReturnDocument.AFTER,
            )
            return row

    async def update_fenced(self, where: Filter, update: Mapping[str, Any]) -> Record | None:
        """Like `update_one`, for a row that matches as long as the caller holds its lease; None: the lease is lost.

        On a full disk the embedded store reports that nothing matched, which would look like a lost lease: that raises
        DiskFull.
        """
        for _ in range(_ATTEMPTS):
            row = await self.update_one(where, update)
            if row is not None or await self.find_one(where) is None:
                return row
        raise DiskFull("MongoDB")

    async def update_many(self, where: Filter, update: Mapping[str, Any]) -> None:
        with translate_mongo_errors():
            await self._collection.update_many(_exact(where), update)

    async def update_in_pages(self, where: Filter, update: Mapping[str, Any], key: str) -> None:
        """Update all rows, a page at a time by the unique `key`: one large update may exceed its time limit, and delays
        others. Rows that do not match `where` any more when their page is updated are left alone."""
        async for rows in self.pages(where, key, _WRITE_PAGE, {key: 1}):
            await self.update_many({**where, "_id": {"$in": [row["_id"] for row in rows]}}, update)

    async def upsert(self, where: Filter, update: Mapping[str, Any]) -> None:
        with translate_mongo_errors():
            await self._collection.update_one(where, update, upsert=True)

    async def bulk_update(self, updates: Sequence[tuple[Filter, Mapping[str, Any]]]) -> None:
        if updates:
            with translate_mongo_errors():
                await self._collection.bulk_write(
                    [pymongo.UpdateOne(_exact(where), update) for where, update in updates], ordered=False
                )

    async def delete_in_pages(self, where: Filter) -> None:
        """Delete all rows, a page at a time, for the same reason as `update_in_pages`."""
        while rows := await self.find(where, limit=_WRITE_PAGE, fields={"_id": 1}):
            await self.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})

    async def delete_many(self, where: Filter) -> int:
        """Returns how many rows were deleted."""
        with translate_mongo_errors():
            result = await self._collection.delete_many(_exact(where))
            return int(result.deleted_count)
