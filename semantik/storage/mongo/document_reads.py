"""Documents in MongoDB, the queries: one, some, all of a folder or a generation, and pages of a list."""

from __future__ import annotations

import asyncio
import fnmatch
import re
from collections.abc import AsyncIterator, Sequence

import numpy as np
from numpy.typing import NDArray

from semantik.core.models import Document, DocumentStatus, Filters, Generation
from semantik.query import DocumentColumns, matching
from semantik.storage.mongo.document_pages import SCANNED_FIELDS, DocumentPage, document_page
from semantik.storage.mongo.document_rows import document_from_row, in_generation, recognition_queue
from semantik.storage.mongo.listing_columns import LISTED_FIELDS, ListingColumns
from semantik.storage.mongo.rows import milliseconds
from semantik.storage.mongo.table import Record, Table

_PAGE = 500
_SAME_CONTENT = 20  # rows with the same content that are read to find one in the generation
_NS_IN_MS = 1_000_000
_SCAN_PAGE = 2000
_LISTED_PAGE = 4000
_NO_FILTERS = Filters()


class DocumentReads:
    """Each filter is written so that exactly one index fits it (see docs/decisions.md)."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def any_due(self, generation: Generation) -> bool:
        """Whether any document of a generation has still to be read."""
        async for operation_id in self._due_operations():
            # An operation belongs to one collection; it is not in the filter, so that only one index fits.
            row = await self._table.find_one({"due": operation_id, "generation": generation.number})
            if row is not None and row["collection_id"] == generation.collection_id:
                return True
        return False

    async def by_paths(self, generation: Generation, paths: Sequence[str]) -> dict[str, Document]:
        """Those at `paths`, by path."""
        found: dict[str, Document] = {}
        for at in range(0, len(paths), _PAGE):
            page = list(paths[at : at + _PAGE])
            where = {**in_generation(generation), "path": {"$in": page}}
            rows = await self._table.find(where, limit=len(page), fast=True)
            found |= {row["path"]: document_from_row(row) for row in rows}
        return found

    async def get(self, collection_id: str, document_id: str) -> Document | None:
        row = await self._table.find_one({"_id": document_id, "collection_id": collection_id})
        return document_from_row(row) if row else None

    async def by_ids(self, ids: Sequence[str]) -> dict[str, Document]:
        rows = await self._table.find({"_id": {"$in": list(ids)}}, fast=True)
        return {row["_id"]: document_from_row(row) for row in rows}

    async def with_columns(self, ids: Sequence[str]) -> tuple[list[Document], DocumentColumns]:
        """Those of the documents that have chunks, and what filters need of them, in the same order."""
        rows = await self._table.find({"_id": {"$in": list(ids)}}, fast=True)
        held = [row for row in rows if row["chunk_count"]]
        return [document_from_row(row) for row in held], document_page(held).columns

    async def due(self, operation_id: str) -> AsyncIterator[list[Document]]:
        """The documents that an operation has still to read, in the order of the paths, a page at a time."""
        async for rows in self._table.pages({"due": operation_id}, "path", _PAGE):
            yield [document_from_row(row) for row in rows]

    async def of_source(
        self, generation: Generation, source_id: str, status: DocumentStatus | None = None
    ) -> AsyncIterator[list[Document]]:
        """A source's documents, all or those of one status, in the order of the paths, a page at a time."""
        where: Record = {"source_id": source_id, "generation": generation.number}
        if status is not None:
            where["status"] = status
        async for rows in self._table.pages(where, "path", _PAGE):
            yield [document_from_row(row) for row in rows]

    async def parts_of(self, container_id: str) -> AsyncIterator[list[Document]]:
        """The parts directly in a container, in the order of the paths, a page at a time."""
        async for rows in self._table.pages({"container_id": container_id}, "path", _PAGE):
            yield [document_from_row(row) for row in rows]

    async def of_generation(self, generation: Generation) -> AsyncIterator[list[Document]]:
        """All documents of a generation in the order of the paths, a page at a time."""
        async for rows in self._table.pages(in_generation(generation), "path", _PAGE):
            yield [document_from_row(row) for row in rows]

    async def with_content(self, generation: Generation, content_hash: str) -> Document | None:
        """An indexed document of the generation whose file has this content."""
        # Nothing else is in the filter, so that only one index fits.
        where = {"collection_id": generation.collection_id, "content_hash": content_hash}
        found = map(document_from_row, await self._table.find(where, limit=_SAME_CONTENT))
        return next(
            (one for one in found if one.generation == generation.number and one.status == "indexed"), None
        )

    async def with_contents(
        self, generation: Generation, content_hashes: Sequence[str]
    ) -> dict[str, Document]:
        """As `with_content` for several contents, by their hashes."""
        if not content_hashes:
            return {}
        where = {
            "collection_id": generation.collection_id,
            "content_hash": {"$in": list(content_hashes)},
        }
        limit = _SAME_CONTENT * len(content_hashes)
        rows = await self._table.find(where, limit=limit, fast=True)
        found: dict[str, Document] = {}
        for one in map(document_from_row, rows):
            if one.generation == generation.number and one.status == "indexed" and one.content_hash:
                found.setdefault(one.content_hash, one)
        if len(rows) == limit:  # one content may have taken the place of others
            for missing in set(content_hashes) - found.keys():
                if (other := await self.with_content(generation, missing)) is not None:
                    found[missing] = other
        return found

    async def has_content(self, collection_id: str, content_hash: str) -> bool:
        """Whether any document of the collection has this content, in whatever generation."""
        where = {"collection_id": collection_id, "content_hash": content_hash}
        return await self._table.find_one(where) is not None

    async def to_recognise(self, generation: Generation) -> AsyncIterator[list[Document]]:
        """The documents with pages whose text is still to be recognised, by path, a page at a time."""
        queue = recognition_queue(generation.collection_id, generation.number)
        async for rows in self._table.pages({"recognition_queue": queue}, "path", _PAGE):
            yield [document_from_row(row) for row in rows]

    async def count_to_recognise(self, generation: Generation, operation_id: str) -> int:
        """How many documents that an operation has read have such pages."""
        queue = recognition_queue(generation.collection_id, generation.number)
        where = {"recognition_queue": queue, "operation_id": operation_id, "due": None}
        rows = await self._table.group(where, None, {"n": {"$sum": 1}})
        return int(rows[0]["n"]) if rows else 0

    async def failed(self, operation_id: str) -> AsyncIterator[Document]:
        """Those that an operation has read and that failed."""
        status: DocumentStatus = "failed"
        where = {"operation_id": operation_id, "status": status, "due": None}
        async for rows in self._table.pages(where, "path", _PAGE):
            for row in rows:
                yield document_from_row(row)

    async def with_old_chunks(self, generation: Generation) -> list[Document]:
        """A page of those that have chunks from an earlier reading, which are still to be removed."""
        where = {**in_generation(generation), "old_first": {"$gte": 0}}
        return [document_from_row(row) for row in await self._table.find(where, limit=_PAGE)]

    async def last_indexed_seq(self, generation: Generation) -> int:
        """The highest seq of all chunks of indexed documents, or -1."""
        row = await self._table.find_one(in_generation(generation, "indexed"), [("first_seq", -1)])
        return max(-1, int(row["first_seq"]) + int(row["chunk_count"]) - 1) if row else -1

    async def removing(self, generation: Generation) -> list[Document]:
        """A page of those that are marked for removal."""
        rows = await self._table.find(in_generation(generation, "removing"), limit=_PAGE)
        return [document_from_row(row) for row in rows]

    async def page(
        self,
        generation: Generation,
        status: DocumentStatus | None,
        name: str | None,
        after_path: str,
        limit: int,
        warned: bool = False,
    ) -> list[Document]:
        """Documents by path after `after_path`. `pending` means all that have still to be read, whatever their status;
        `warned` only those with warnings; `name` is any part of the path, case-insensitive."""
        after: Record = {"path": {"$gt": after_path}}
        if warned:
            after["warned"] = 1
        if status == "pending":
            rows = [
                row
                async for operation_id in self._due_operations()
                for row in await self._find_by_name(
                    {"due": operation_id, "generation": generation.number, **after}, name, limit
                )
                if row["collection_id"] == generation.collection_id
            ]
            rows = sorted(rows, key=lambda row: str(row["path"]))[:limit]
        else:
            rows = await self._find_by_name({**in_generation(generation, status), **after}, name, limit)
        return [document_from_row(row) for row in rows]

    async def listed(self, generation: Generation, most: int) -> ListingColumns | None:
        """What lists need of all documents of a generation, by path; None where there are more than `most`."""
        columns = ListingColumns()
        where = in_generation(generation)
        async for rows in self._table.pages(where, "path", _LISTED_PAGE, LISTED_FIELDS, fast=True):
            await asyncio.to_thread(columns.add, rows)
            if len(columns) > most:
                return None
        return columns

    async def _find_by_name(self, where: Record, name: str | None, limit: int) -> list[Record]:
        """The first rows by path whose path contains `name`."""
        if not name:
            return await self._table.find(where, [("path", 1)], limit)
        if name.isascii():
            # Of all expressions for "contains", the one that the embedded store evaluates within its index.
            part = {"$indexOfCP": [{"$toLower": "$path"}, {"$literal": name.lower()}]}
            return await self._table.find_matching(where, {"$gte": [part, 0]}, [("path", 1)], limit)
        path = {**where["path"], "$regex": f"(?i){re.escape(name)}"}
        return await self._table.find({**where, "path": path}, [("path", 1)], limit)

    async def _due_operations(self) -> AsyncIterator[str]:
        """The operations that have documents still to read; each step is one look-up in the index."""
        last = ""
        while row := await self._table.find_one({"due": {"$gt": last}}, [("due", 1)]):
            last = str(row["due"])
            yield last

    async def spans(self, generation: Generation, filters: Filters) -> NDArray[np.int64]:
        """The seqs of the indexed documents that satisfy `filters`: half-open ranges, int64 (n, 2)."""
        ranges = []
        async for page in self.scan(generation, filters):
            found = await asyncio.to_thread(matching, page.columns, filters)
            ranges.append(page.spans[list(found)])
        return np.concatenate(ranges) if ranges else np.empty((0, 2), np.int64)

    async def scan(
        self, generation: Generation, filters: Filters = _NO_FILTERS
    ) -> AsyncIterator[DocumentPage]:
        """What filters need of all indexed documents that have chunks, in the order of their paths, a page at a time.

        Documents that do not satisfy `filters` may be left out.
        """
        where = {**in_generation(generation, "indexed"), **_filter_conditions(filters)}
        if (
            "path" in where or "$or" in where
        ):  # the embedded store evaluates expressions on one pass through all rows
            pages = self._table.batches(where, SCANNED_FIELDS)
        else:
            pages = self._table.pages(where, "path", _SCAN_PAGE, SCANNED_FIELDS, fast=True)
        async for rows in pages:
            yield await asyncio.to_thread(document_page, rows)


def _filter_conditions(filters: Filters) -> Record:
    conditions: Record = {}
    endings = "|".join(re.escape(ending) for ending in filters.extensions)
    ending = f"(?=(?s:.*)(?i:{endings})$)" if endings else ""
    if filters.path_glob and not filters.path_glob.startswith("/"):
        in_path, in_part = (fnmatch.translate(glob) for glob in (f"*/{filters.path_glob}", filters.path_glob))
        # The name of a part follows a "#" in the path, where a glob for names at any depth would not begin.
        below = fnmatch.translate(f"*/{filters.path_glob}")
        conditions["$or"] = [
            {"path": {"$regex": f"^{ending}{in_path}"}},
            {"part": {"$regex": f"^{ending}(?:{in_part}|{below})"}},
        ]
    elif ending or filters.path_glob:
        glob = fnmatch.translate(filters.path_glob) if filters.path_glob else ""
        conditions["path"] = {"$regex": f"^{ending}{glob}"}
    modified = {}
    if filters.modified_after:
        modified["$gte"] = milliseconds(filters.modified_after) * _NS_IN_MS
    if filters.modified_before:
        modified["$lt"] = milliseconds(filters.modified_before) * _NS_IN_MS
    if modified:
        conditions["modified_ns"] = modified
    return conditions
