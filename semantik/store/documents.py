"""Documents in MongoDB: what the scan registered, and how each ended."""

from __future__ import annotations

import asyncio
import fnmatch
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantik.records import Collection, Counts, Document, Failure, Filters
from semantik.store.rows import milliseconds, to_row
from semantik.store.table import Record, Table

_PAGE = 500
_NS_IN_MS = 1_000_000


class Documents:
    """A path is unique in a generation of a collection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def prepare(self) -> None:
        await self._table.index([("collection_id", 1), ("generation", 1), ("path", 1)], unique=True)
        await self._table.index([("operation_id", 1), ("status", 1), ("path", 1)])
        await self._table.index([("collection_id", 1), ("status", 1), ("path", 1)])

    async def register(self, documents: Sequence[Document]) -> None:
        """Insert new documents; the caller has asked `known` and holds the collection."""
        await self._table.insert_many([to_row(document) for document in documents])

    async def known(self, collection_id: str, generation: int, paths: Sequence[str]) -> dict[str, Document]:
        where = {"collection_id": collection_id, "generation": generation, "path": {"$in": list(paths)}}
        return {row["path"]: _document(row) for row in await self._table.find(where)}

    async def get(self, collection_id: str, document_id: str) -> Document | None:
        row = await self._table.get({"_id": document_id, "collection_id": collection_id})
        return _document(row) if row else None

    async def by_ids(self, ids: Sequence[str]) -> dict[str, Document]:
        return {row["_id"]: _document(row) for row in await self._table.find({"_id": {"$in": list(ids)}})}

    async def pending(self, operation_id: str) -> AsyncIterator[list[Document]]:
        """What an operation has still to do, in the order of the paths, a page at a time."""
        where = {"operation_id": operation_id, "status": "pending"}
        async for rows in self._table.pages(where, "path", _PAGE):
            yield [_document(row) for row in rows]

    async def adopt(self, source_id: str, operation_id: str) -> None:
        """Let an operation do what earlier ones of the same source left undone."""
        where = {"source_id": source_id, "status": "pending"}
        await self._table.change_all(where, {"$set": {"operation_id": operation_id}})

    async def pending_bytes(self, operation_id: str) -> tuple[int, int]:
        """How many files an operation has still to do, and how many bytes they have."""
        where = {"operation_id": operation_id, "status": "pending"}
        rows = await self._table.group(where, None, {"n": {"$sum": 1}, "bytes": {"$sum": "$size"}})
        return (int(rows[0]["n"]), int(rows[0]["bytes"])) if rows else (0, 0)

    async def failed(self, operation_id: str) -> AsyncIterator[Document]:
        where = {"operation_id": operation_id, "status": "failed"}
        async for rows in self._table.pages(where, "path", _PAGE):
            for row in rows:
                yield _document(row)

    async def finish(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Set how pending documents ended, by id, all in one message; those that have ended already stay."""
        await self._table.update_each(
            [({"_id": key, "status": "pending"}, {"$set": dict(fields)}) for key, fields in changes.items()]
        )

    async def counts(self, where: Mapping[str, str]) -> Counts:
        """Count by status, of a collection or of an operation: `{"operation_id": …}`."""
        rows = await self._table.group(
            where, "$status", {"n": {"$sum": 1}, "chunks": {"$sum": "$chunk_count"}}
        )
        by_status = {row["_id"]: int(row["n"]) for row in rows}
        return Counts(**by_status, chunks=sum(int(row["chunks"]) for row in rows))

    async def counts_by_source(self, collection_id: str) -> dict[str, int]:
        rows = await self._table.group({"collection_id": collection_id}, "$source_id", {"n": {"$sum": 1}})
        return {row["_id"]: int(row["n"]) for row in rows}

    async def page(
        self, collection_id: str, status: str | None, name: str | None, after_path: str, limit: int
    ) -> list[Document]:
        """Documents by path after `after_path`; `name` is any part of the path, whatever its case."""
        where: Record = {"collection_id": collection_id, "path": {"$gt": after_path}}
        if status:
            where["status"] = status
        if name:
            where = {"$and": [where, {"path": {"$regex": re.escape(name), "$options": "i"}}]}
        return [_document(row) for row in await self._table.find(where, [("path", 1)], limit)]

    async def spans(self, collection: Collection, filters: Filters) -> NDArray[np.int64]:
        """The seqs of the indexed documents that satisfy `filters`: half-open ranges, int64 (n, 2)."""
        where = {"collection_id": collection.id, "generation": collection.generation, "status": "indexed"}
        where = {"$and": [where, *_conditions(filters)]}
        rows = await self._table.find(where, fields={"_id": 0, "first_seq": 1, "chunk_count": 1})
        return await asyncio.to_thread(_ranges, rows)

    async def remove(self, collection_id: str) -> int:
        return await self._table.delete({"collection_id": collection_id})


def _conditions(filters: Filters) -> list[Record]:
    found: list[Record] = []
    if filters.path_glob:
        glob = filters.path_glob if filters.path_glob.startswith("/") else f"*/{filters.path_glob}"
        found.append({"path": {"$regex": "^" + fnmatch.translate(glob)}})
    if filters.extensions:
        endings = "|".join(re.escape(ending) for ending in filters.extensions)
        found.append({"path": {"$regex": f"({endings})$", "$options": "i"}})
    if filters.modified_after:
        found.append({"modified_ns": {"$gte": milliseconds(filters.modified_after) * _NS_IN_MS}})
    if filters.modified_before:
        found.append({"modified_ns": {"$lt": milliseconds(filters.modified_before) * _NS_IN_MS}})
    return found


def _ranges(rows: list[Record]) -> NDArray[np.int64]:
    spans = np.array([(row["first_seq"], row["chunk_count"]) for row in rows], np.int64).reshape(-1, 2)
    spans[:, 1] += spans[:, 0]
    return spans


def _document(row: Record) -> Document:
    fields = {name: row[name] for name in Document.__dataclass_fields__ if name not in ("id", "failure")}
    failure = Failure(**row["failure"]) if row["failure"] else None
    return Document(id=row["_id"], failure=failure, **fields)
