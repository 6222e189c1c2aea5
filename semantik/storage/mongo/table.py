"""One MongoDB collection behind the few verbs we use; here alone pymongo's errors become the domain's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pymongo
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

from semantik.core.errors import Conflict, DiskFull, Unavailable

Record = dict[str, Any]
Filter = Mapping[str, Any]
Sort = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Weight:
    """How many rows, and how many bytes they have as BSON."""

    rows: int
    bytes: int

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.rows + other.rows, self.bytes + other.bytes)


_DUPLICATE = 11000
_NO_SUCH_INDEX = 27
_OUT_OF_DISK_SPACE = 14031
_FULL = ("disk is full", "No space left")  # as SQLite and the system say it
_ATTEMPTS = 3
_READ_BATCH = 1000
_CHANGED_TOGETHER = 2000


@contextmanager
def reaching_mongo() -> Iterator[None]:
    """Turn pymongo's errors into Unavailable (try again) or Conflict (a unique key is taken)."""
    try:
        yield
    except DuplicateKeyError as error:
        raise Conflict("It exists already.") from error
    except (AutoReconnect, ExecutionTimeout, WTimeoutError) as error:
        raise Unavailable("MongoDB cannot be reached at the moment; please try again shortly.") from error
    except BulkWriteError as error:
        # Their other fields hold what was to be written, which is nobody's business but its owner's.
        refused = [
            (e.get("code"), str(e.get("errmsg"))) for e in (error.details or {}).get("writeErrors", [])
        ]
        for code, reason in refused:
            if code != _DUPLICATE:
                raise _refusal(code, reason) from None
        raise Conflict("It exists already.") from None
    except OperationFailure as error:
        raise _refusal(error.code, str((error.details or {}).get("errmsg", error))) from error
    except PyMongoError as error:
        raise Unavailable(f"MongoDB answered with an error: {error}.") from error


def _refusal(code: int | None, reason: str) -> Unavailable:
    if code == _OUT_OF_DISK_SPACE or any(word in reason for word in _FULL):
        return DiskFull("MongoDB")
    return Unavailable(f"MongoDB answered with an error: {reason.rstrip('.')}.")


def _exact(where: Filter) -> Record:
    """The same filter, with "equals" said by its operator.

    Said by the value alone, it also means a list that holds the value, and for that the embedded store looks at every
    row of the table, whatever its indexes. No field of ours that is searched is a list.
    """
    return {
        name: {"$eq": value} if isinstance(value, (str, int)) and name != "_id" else value
        for name, value in where.items()
    }


def _of_keys(keys: Sequence[str]) -> Record:
    return {"_id": {"$in": list(keys)}}


class Table:
    """The verbs; filters and updates are MongoDB's own.

    What is read with `quick` comes from where nothing is written, if there is such a place: a few rows, by a key.
    """

    def __init__(
        self, collection: AsyncIOMotorCollection[Record], reads: AsyncIOMotorCollection[Record] | None = None
    ) -> None:
        self._at = collection
        self._reads = collection if reads is None else reads

    async def index(self, keys: Sort, unique: bool = False) -> None:
        with reaching_mongo():
            await self._at.create_index(list(keys), unique=unique)

    async def drop_index(self, keys: Sort) -> None:
        """Of an index that is not there nothing is said."""
        real = "_".join(f"{name}_{direction}" for name, direction in keys)
        embedded = "_".join(name for name, _ in keys)
        for name in (real, embedded):
            with reaching_mongo():
                try:
                    await self._at.drop_index(name)
                except OperationFailure as error:
                    if error.code != _NO_SUCH_INDEX:
                        raise

    async def get(self, where: Filter, sort: Sort | None = None, quick: bool = False) -> Record | None:
        with reaching_mongo():
            at = self._reads if quick else self._at
            found: Record | None = await at.find_one(_exact(where), sort=list(sort) if sort else None)
            return found

    async def find(
        self,
        where: Filter,
        sort: Sort | None = None,
        limit: int = 0,
        fields: Mapping[str, int] | None = None,
        quick: bool = False,
    ) -> list[Record]:
        with reaching_mongo():
            at = self._reads if quick else self._at
            cursor = at.find(_exact(where), fields, limit=limit, batch_size=_READ_BATCH)
            if sort:
                cursor = cursor.sort(list(sort))
            rows: list[Record] = await cursor.to_list(None)
            return rows

    async def joined(
        self,
        keys: Sequence[str],
        without: str,
        named: tuple[str, str, str],
        beside: tuple[str, Sequence[str]],
    ) -> list[Record]:
        """The rows with these keys, `without` a field of theirs, and then rows of another table, `beside` (its name,
        keys), in one command.

        `named` is (table, field, name): each of the former has in `name`, as a list, the row of that table which its
        `field` names.
        """
        table, field, name = named
        other, other_keys = beside
        # In this form alone the embedded store answers it without looking at every row.
        steps: list[Record] = [
            {"$match": _of_keys(keys)},
            {"$unset": without},
            {"$lookup": {"from": table, "localField": field, "foreignField": "_id", "as": name}},
            {"$unionWith": {"coll": other, "pipeline": [{"$match": _of_keys(other_keys)}]}},
        ]
        with reaching_mongo():
            rows: list[Record] = await self._reads.aggregate(steps).to_list(None)
            return rows

    async def pages(
        self, where: Filter, key: str, size: int, fields: Mapping[str, int] | None = None
    ) -> AsyncIterator[list[Record]]:
        """All rows by the unique `key`, a page at a time; no cursor is held that could time out.

        What `where` says of the key, if anything, is an object of operators.
        """
        after: Filter = where
        while rows := await self.find(after, [(key, 1)], size, fields):
            yield rows
            if len(rows) < size:
                return
            # One object without $and, for which the embedded store would read every row of the table.
            after = {**where, key: {**where.get(key, {}), "$gt": rows[-1][key]}}

    async def batches(
        self, where: Filter, fields: Mapping[str, int] | None = None
    ) -> AsyncIterator[list[Record]]:
        """All rows, as they come: for who makes something smaller of a million, at once."""
        cursor = self._at.find(_exact(where), fields, batch_size=_READ_BATCH)
        while True:
            with reaching_mongo():
                rows: list[Record] = await cursor.to_list(_READ_BATCH)
            if not rows:
                return
            yield rows

    async def group(self, where: Filter, by: Any, sums: Mapping[str, Any]) -> list[Record]:
        """Sums by group. Also the way to count: the embedded store's count_documents reads every document."""
        with reaching_mongo():
            cursor = self._at.aggregate([{"$match": where}, {"$group": {"_id": by, **sums}}])
            rows: list[Record] = await cursor.to_list(None)
            return rows

    async def matching(
        self, where: Filter, expression: Mapping[str, Any], sort: Sort, limit: int
    ) -> list[Record]:
        """The first rows for which an expression of the aggregation language holds as well."""
        steps: list[Record] = [
            {"$match": _exact(where)},
            {"$match": {"$expr": expression}},
            {"$sort": dict(sort)},
            {"$limit": limit},
        ]
        with reaching_mongo():
            rows: list[Record] = await self._at.aggregate(steps).to_list(None)
            return rows

    async def weigh(self, where: Filter) -> Weight:
        rows = await self.group(where, None, {"n": {"$sum": 1}, "bytes": {"$sum": {"$bsonSize": "$$ROOT"}}})
        return Weight(int(rows[0]["n"]), int(rows[0]["bytes"])) if rows else Weight(0, 0)

    async def insert(self, row: Record) -> None:
        with reaching_mongo():
            await self._at.insert_one(row)

    async def insert_many(self, rows: Sequence[Record]) -> None:
        if rows:
            with reaching_mongo():
                await self._at.insert_many(rows)

    async def change(
        self, where: Filter, update: Mapping[str, Any], sort: Sort | None = None
    ) -> Record | None:
        """Update one row atomically and return it as it is afterwards, or None when none matched."""
        with reaching_mongo():
            row: Record | None = await self._at.find_one_and_update(
                _exact(where),
                update,
                sort=list(sort) if sort else None,
                return_document=pymongo.ReturnDocument.AFTER,
            )
            return row

    async def change_held(self, where: Filter, update: Mapping[str, Any]) -> Record | None:
        """The same for a row that is the caller's while it matches. Raises DiskFull, where the embedded store says of a
        full disk that nothing matched: it would pass for a lost lease."""
        for _ in range(_ATTEMPTS):
            row = await self.change(where, update)
            if row is not None or await self.get(where) is None:
                return row
        raise DiskFull("MongoDB")

    async def change_all(self, where: Filter, update: Mapping[str, Any]) -> None:
        with reaching_mongo():
            await self._at.update_many(_exact(where), update)

    async def change_pages(self, where: Filter, update: Mapping[str, Any], key: str) -> None:
        """Update all rows, a page at a time by the unique `key`: one great update may outlast its deadline, and others
        wait for it. What is not as `where` says any more when its turn comes is left alone."""
        async for rows in self.pages(where, key, _CHANGED_TOGETHER, {key: 1}):
            await self.change_all({**where, "_id": {"$in": [row["_id"] for row in rows]}}, update)

    async def upsert(self, where: Filter, update: Mapping[str, Any]) -> None:
        with reaching_mongo():
            await self._at.update_one(where, update, upsert=True)

    async def update_each(self, updates: Sequence[tuple[Filter, Mapping[str, Any]]]) -> None:
        if updates:
            with reaching_mongo():
                await self._at.bulk_write(
                    [pymongo.UpdateOne(_exact(where), update) for where, update in updates], ordered=False
                )

    async def delete_pages(self, where: Filter) -> None:
        """Delete all rows, some at a time, for the same reason."""
        while rows := await self.find(where, limit=_CHANGED_TOGETHER, fields={"_id": 1}):
            await self.delete({"_id": {"$in": [row["_id"] for row in rows]}})

    async def delete(self, where: Filter) -> int:
        with reaching_mongo():
            result = await self._at.delete_many(_exact(where))
            return int(result.deleted_count)
