"""Documents in MongoDB, read: one, some, all of a folder or a generation, and pages of a list."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import AsyncIterator, Sequence

import numpy as np
from numpy.typing import NDArray

from semantik.core.models import Document, Failure, Filters, Generation
from semantik.storage.mongo.rows import milliseconds
from semantik.storage.mongo.table import Record, Table

_PAGE = 500
_ALIKE = 20
_NS_IN_MS = 1_000_000
_AS_THEY_ARE = [name for name in Document.__dataclass_fields__ if name not in ("id", "failure", "missing")]


class DocumentReads:
    """What is asked for by a field's value is put so that one index leads to it (see docs/decisions.md)."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def any_due(self, generation: Generation) -> bool:
        """Whether anything of a generation is still to be read."""
        async for operation_id in self._due_operations():
            # An operation is of one collection, which is not asked for, so that there is one index to choose.
            row = await self._table.get({"due": operation_id, "generation": generation.number})
            if row is not None and row["collection_id"] == generation.collection_id:
                return True
        return False

    async def known(self, generation: Generation, paths: Sequence[str]) -> dict[str, Document]:
        """Those at `paths`, which had better lie close together: all that lie between them are looked at."""
        if not paths:
            return {}
        # By $in alone the embedded store uses no index.
        where = {
            **generation_rows(generation),
            "path": {"$gte": min(paths), "$lte": max(paths), "$in": list(paths)},
        }
        return {row["path"]: document_of(row) for row in await self._table.find(where)}

    async def get(self, collection_id: str, document_id: str) -> Document | None:
        row = await self._table.get({"_id": document_id, "collection_id": collection_id})
        return document_of(row) if row else None

    async def by_ids(self, ids: Sequence[str]) -> dict[str, Document]:
        rows = await self._table.find({"_id": {"$in": list(ids)}}, quick=True)
        return {row["_id"]: document_of(row) for row in rows}

    async def due(self, operation_id: str) -> AsyncIterator[list[Document]]:
        """What an operation has still to read, in the order of the paths, a page at a time."""
        async for rows in self._table.pages({"due": operation_id}, "path", _PAGE):
            yield [document_of(row) for row in rows]

    async def of_source(
        self, generation: Generation, source_id: str, status: str | None = None
    ) -> AsyncIterator[list[Document]]:
        """A source's documents in the order of the paths, a page at a time; `status` leaves out all others."""
        where: Record = {"source_id": source_id, "generation": generation.number}
        if status is not None:
            where["status"] = status
        async for rows in self._table.pages(where, "path", _PAGE):
            yield [document_of(row) for row in rows]

    async def of_folder(
        self, generation: Generation, source_id: str, folder: str
    ) -> AsyncIterator[list[Document]]:
        """Those of a source's documents that lie in the folder itself, a page at a time."""
        start = folder.rstrip("/") + "/"
        where = {"source_id": source_id, "generation": generation.number}
        after: Record = {"$gt": start}
        while rows := await self._table.find(
            {**where, "path": {**after, "$lt": _behind(start)}}, [("path", 1)], _PAGE
        ):
            yield [document_of(row) for row in rows if "/" not in row["path"][len(start) :]]
            last = str(rows[-1]["path"])
            name, slash, _ = last[len(start) :].partition("/")
            # The rest of a folder below is passed over.
            after = {"$gte": _behind(f"{start}{name}/")} if slash else {"$gt": last}

    async def of_generation(self, generation: Generation) -> AsyncIterator[list[Document]]:
        """All documents of a generation in the order of the paths, a page at a time."""
        async for rows in self._table.pages(generation_rows(generation), "path", _PAGE):
            yield [document_of(row) for row in rows]

    async def with_content(self, generation: Generation, content_hash: str) -> Document | None:
        """An indexed document of the generation whose file has this content."""
        # Nothing else is asked for, so that there is one index to choose.
        where = {"collection_id": generation.collection_id, "content_hash": content_hash}
        rows = await self._table.find(where, limit=_ALIKE)
        found = (row for row in rows if row["generation"] == generation.number and row["status"] == "indexed")
        return next(map(document_of, found), None)

    async def failed(self, operation_id: str) -> AsyncIterator[Document]:
        """Those that an operation has read, and that failed."""
        where = {"operation_id": operation_id, "status": "failed", "due": None}
        async for rows in self._table.pages(where, "path", _PAGE):
            for row in rows:
                yield document_of(row)

    async def with_leavings(self, generation: Generation) -> list[Document]:
        """Some that have chunks of before, which are still to be removed."""
        where = {**generation_rows(generation), "old_first": {"$gte": 0}}
        return [document_of(row) for row in await self._table.find(where, limit=_PAGE)]

    async def last_held(self, generation: Generation) -> int:
        """The highest seq that a document holds, or -1."""
        where = {**generation_rows(generation), "status": "indexed"}
        row = await self._table.get(where, [("first_seq", -1)])
        return int(row["first_seq"]) + int(row["chunk_count"]) - 1 if row else -1

    async def removing(self, generation: Generation) -> list[Document]:
        """Some that are about to go."""
        where = {**generation_rows(generation), "status": "removing"}
        return [document_of(row) for row in await self._table.find(where, limit=_PAGE)]

    async def page(
        self, generation: Generation, status: str | None, name: str | None, after_path: str, limit: int
    ) -> list[Document]:
        """Documents by path after `after_path`; `name` is any part of the path, whatever its case."""
        after: Record = {"path": {"$gt": after_path}}
        if status == "pending":
            rows = [
                row
                async for left in self._due_operations()
                for row in await self._named(
                    {"due": left, "generation": generation.number, **after}, name, limit
                )
                if row["collection_id"] == generation.collection_id
            ]
            rows = sorted(rows, key=lambda row: str(row["path"]))[:limit]
        else:
            with_status = {"status": status} if status else {}
            rows = await self._named({**generation_rows(generation), **with_status, **after}, name, limit)
        return [document_of(row) for row in rows]

    async def _named(self, where: Record, name: str | None, limit: int) -> list[Record]:
        """The first rows by path."""
        if not name:
            return await self._table.find(where, [("path", 1)], limit)
        if name.isascii():
            # Of all ways to look for a part, the one that the embedded store does in its index.
            part = {"$indexOfCP": [{"$toLower": "$path"}, {"$literal": name.lower()}]}
            return await self._table.matching(where, {"$gte": [part, 0]}, [("path", 1)], limit)
        path = {**where["path"], "$regex": f"(?i){re.escape(name)}"}
        return await self._table.find({**where, "path": path}, [("path", 1)], limit)

    async def _due_operations(self) -> AsyncIterator[str]:
        """The operations that have something still to read; the index leads from one to the next."""
        last = ""
        while row := await self._table.get({"due": {"$gt": last}}, [("due", 1)]):
            last = str(row["due"])
            yield last

    async def spans(self, generation: Generation, filters: Filters) -> NDArray[np.int64]:
        """The seqs of the indexed documents that satisfy `filters`: half-open ranges, int64 (n, 2)."""
        where: Record = {**generation_rows(generation), "status": "indexed", **_conditions(filters)}
        fields = {"_id": 0, "first_seq": 1, "chunk_count": 1}
        ranges = [_ranges(rows) async for rows in self._table.batches(where, fields)]
        return np.concatenate(ranges) if ranges else np.empty((0, 2), np.int64)


def generation_rows(generation: Generation) -> Record:
    return {"collection_id": generation.collection_id, "generation": generation.number}


def _behind(folder: str) -> str:
    """The least text behind all paths in a folder, whose own ends with a slash."""
    return folder[:-1] + chr(ord("/") + 1)


def _conditions(filters: Filters) -> Record:
    found: Record = {}
    path = ""
    if filters.extensions:
        endings = "|".join(re.escape(ending) for ending in filters.extensions)
        path = f"(?=(?s:.*)(?i:{endings})$)"
    if filters.path_glob:
        glob = filters.path_glob if filters.path_glob.startswith("/") else f"*/{filters.path_glob}"
        path += fnmatch.translate(glob)
    if path:
        found["path"] = {"$regex": f"^{path}"}
    modified = {}
    if filters.modified_after:
        modified["$gte"] = milliseconds(filters.modified_after) * _NS_IN_MS
    if filters.modified_before:
        modified["$lt"] = milliseconds(filters.modified_before) * _NS_IN_MS
    if modified:
        found["modified_ns"] = modified
    return found


def _ranges(rows: list[Record]) -> NDArray[np.int64]:
    spans = np.array([(row["first_seq"], row["chunk_count"]) for row in rows], np.int64).reshape(-1, 2)
    spans[:, 1] += spans[:, 0]
    return spans


def document_of(row: Record) -> Document:
    fields = {name: row[name] for name in _AS_THEY_ARE}
    failure = Failure(**row["failure"]) if row["failure"] else None
    return Document(id=row["_id"], failure=failure, missing=bool(row["missing"]), **fields)
