"""Rows of any table by their owner, a collection or an operation, which may not exist any more. Runs on the loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Literal, get_args

from semantik.storage.mongo.table import Record, StorageSize, Table

_PAGE = 5000
_SLICE = 20_000
RowKind = Literal[
    "chunks",
    "documents",
    "sources",
    "listings",
    "recognised_pages",
    "operations",
    "shares",
    "failures",
    "uploads",
    "alerts",
    "alert_cursors",
    "saved_searches",
    "webhooks",
    "deliveries",
]

_OWNER_FIELDS: dict[RowKind, str] = {
    "chunks": "collection_id",
    "documents": "collection_id",
    "sources": "collection_id",
    "listings": "collection_id",
    "recognised_pages": "collection_id",
    "operations": "collection_id",
    "shares": "collection_id",
    "failures": "operation_id",
    "uploads": "collection_id",
    "alerts": "collection_id",
    "alert_cursors": "collection_id",
    "saved_searches": "user_id",
    "webhooks": "user_id",
    "deliveries": "user_id",
}


class RowsByOwner:
    """`kind` is the name of a table; the owner of a failure is its operation, of others a user or a
    collection."""

    kinds: tuple[RowKind, ...] = get_args(RowKind)

    def __init__(self, tables: Mapping[RowKind, Table]) -> None:
        self._tables = tables

    async def owners(self, kind: RowKind) -> set[str]:
        """The ids of all owners that the rows name; each step is one look-up in the index."""
        table, field = self._tables[kind], _OWNER_FIELDS[kind]
        found: set[str] = set()
        last = ""
        while row := await table.find_one({field: {"$gt": last}}, [(field, 1)]):
            last = str(row[field])
            found.add(last)
        return found

    async def generations(self, kind: RowKind, collection_id: str) -> set[int]:
        """The generations that the chunks or documents of a collection name."""
        table, where = self._tables[kind], {"collection_id": collection_id}
        key = "seq" if kind == "chunks" else "_id"
        found: set[int] = set()
        async for rows in table.pages(where, key, _PAGE, {key: 1, "generation": 1}):
            found |= {int(row["generation"]) for row in rows}
        return found

    async def storage_size(self, kind: RowKind, owner: str, generation: int | None = None) -> StorageSize:
        size = StorageSize(0, 0)
        async for where in self._slices(kind, _where(kind, owner, generation)):
            size += await self._tables[kind].storage_size(where)
        return size

    async def remove(self, kind: RowKind, owner: str, generation: int | None = None) -> None:
        if kind != "chunks":
            await self._tables[kind].delete_in_pages(_where(kind, owner, generation))
            return
        async for where in self._slices(kind, _where(kind, owner, generation)):
            await self._tables[kind].delete_many(where)

    async def _slices(self, kind: RowKind, where: Record) -> AsyncIterator[Record]:
        """The filter in slices for chunks: a command on very many rows may exceed its time limit."""
        if kind != "chunks":
            yield where
            return
        row = await self._tables[kind].find_one({"collection_id": where["collection_id"]}, [("seq", -1)])
        for begin in range(0, row["seq"] + 1 if row else 0, _SLICE):
            yield {**where, "seq": {"$gte": begin, "$lt": begin + _SLICE}}


def _where(kind: RowKind, owner: str, generation: int | None) -> Record:
    where: Record = {_OWNER_FIELDS[kind]: owner}
    if generation is not None:
        where["generation"] = generation
    return where
