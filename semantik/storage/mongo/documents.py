"""Documents in MongoDB: what the scans found, what is still to be read, and how each ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from semantik.core.errors import Conflict, Unavailable
from semantik.core.models import Counts, Document, Generation
from semantik.storage.mongo.document_reads import DocumentReads, generation_rows
from semantik.storage.mongo.rows import to_row
from semantik.storage.mongo.table import Record

_PAGE = 500


class DocumentTable(DocumentReads):
    """A path is unique in a generation of a collection."""

    async def prepare(self) -> None:
        await self._table.index([("collection_id", 1), ("generation", 1), ("path", 1)], unique=True)
        await self._table.index([("collection_id", 1), ("generation", 1), ("status", 1), ("path", 1)])
        await self._table.index([("operation_id", 1), ("status", 1)])
        await self._table.index([("due", 1), ("path", 1)])
        await self._table.index([("source_id", 1), ("generation", 1), ("path", 1)])
        await self._table.index([("collection_id", 1), ("content_hash", 1)])
        await self._table.index([("collection_id", 1), ("old_first", 1)])

    async def register(self, documents: Sequence[Document]) -> None:
        """Insert new documents; the caller has asked `known` and holds the collection.

        Raises Unavailable when a path is taken by now: by a server that has lost the collection, or by an insertion of
        the caller's own whose answer was late. Who asks `known` again goes on.
        """
        try:
            await self._table.insert_many([to_row(document) for document in documents])
        except Conflict as error:
            raise Unavailable(
                "Some of the files were registered meanwhile; they are compared again."
            ) from error

    async def claim(self, operation_id: str, fence: str) -> None:
        """Let only the holder of this lease say how what the operation has still to read ended.

        Nothing is taken from a later lease, which has the greater token.
        """
        where = {"due": operation_id, "fence": {"$lt": fence}}
        await self._table.change_pages(where, {"$set": {"fence": fence}}, "path")

    async def adopt(self, generation: Generation, source_id: str, operation_id: str, fence: str) -> None:
        """Let an operation read what earlier ones have left of a source."""
        update = {"$set": _taken_by(operation_id, fence)}
        async for left in self._due_operations():
            first = await self._table.get({"due": left})  # an operation is of one collection
            if first is None or first["collection_id"] != generation.collection_id:
                continue
            async for rows in self._table.pages({"due": left}, "path", _PAGE):
                ids = [
                    row["_id"]
                    for row in rows
                    if row["source_id"] == source_id and row["generation"] == generation.number
                ]
                if ids:
                    await self._table.change_all({"_id": {"$in": ids}, "due": left}, update)

    async def retry(
        self, generation: Generation, document_ids: Sequence[str] | None, operation_id: str, fence: str
    ) -> None:
        """Let an operation read failed documents again: those that are named, or all."""
        where = {**generation_rows(generation), "status": "failed"}
        if document_ids is not None:
            where["_id"] = {"$in": list(document_ids)}
        await self._table.change_pages(where, {"$set": _taken_by(operation_id, fence)}, "path")

    async def mark_changed(self, documents: Sequence[Document], operation_id: str, fence: str) -> None:
        """Let an operation read documents again whose files have the size and time that they have here."""
        await self._table.update_each(
            [
                (
                    {"_id": one.id},
                    {"$set": {**_taken_by(operation_id, fence), **_as_found(one), "missing": False}},
                )
                for one in documents
            ]
        )

    async def mark_found(self, document_ids: Sequence[str]) -> None:
        """Note that files which were missing are there again."""
        await self._table.change_all({"_id": {"$in": list(document_ids)}}, {"$set": {"missing": False}})

    async def mark_missing(self, document_ids: Sequence[str]) -> None:
        """Note that files are not there. What was to be read again stays as it is, and is read when it is back."""
        where = {"_id": {"$in": list(document_ids)}}
        await self._table.change_all(
            {**where, "due": {"$ne": None}}, {"$set": {"due": None, "modified_ns": 0}}
        )
        await self._table.change_all(where, {"$set": {"missing": True}})

    async def move(self, document_id: str, found: Document) -> None:
        """Let a document take the path, size, time and source under which its file was found anew, as `found`.

        The record of what was found goes first: a path stands once.
        """
        await self._table.delete({"_id": found.id})
        fields = {**_as_found(found), "path": found.path, "source_id": found.source_id, "missing": False}
        await self._table.change({"_id": document_id}, {"$set": fields})

    async def hand_over(self, document_ids: Sequence[str], source_id: str) -> None:
        """Let documents belong to another source, which holds them as well."""
        await self._table.change_all({"_id": {"$in": list(document_ids)}}, {"$set": {"source_id": source_id}})

    async def due_bytes(self, operation_id: str) -> tuple[int, int]:
        """How many files an operation has still to read, and how many bytes they have."""
        rows = await self._table.group(
            {"due": operation_id}, None, {"n": {"$sum": 1}, "bytes": {"$sum": "$size"}}
        )
        return (int(rows[0]["n"]), int(rows[0]["bytes"])) if rows else (0, 0)

    async def finish(self, changes: Mapping[str, Mapping[str, Any]], operation_id: str, fence: str) -> None:
        """Set how documents ended that an operation had to read, by id, each in one step.

        Those that another holder of the operation's lease has claimed meanwhile stay as they are.
        """
        done = {"due": None, "fence": ""}
        await self._table.update_each(
            [
                ({"_id": key, "due": operation_id, "fence": fence}, {"$set": {**fields, **done}})
                for key, fields in changes.items()
            ]
        )

    async def mark_removing(self, document_ids: Sequence[str]) -> None:
        """Let no search find them any more; their chunks and they themselves are still to be removed."""
        where = {"_id": {"$in": list(document_ids)}}
        await self._table.change_all(where, {"$set": {"status": "removing", "due": None}})

    async def clear_leavings(self, documents: Sequence[Document]) -> None:
        """Note that what these have left is gone; not what they may have left since."""
        gone = {"$set": {"old_first": -1, "old_count": 0}}
        await self._table.update_each(
            [({"_id": one.id, "old_first": one.old_first}, gone) for one in documents]
        )

    async def mend(self, document: Document, fields: Mapping[str, Any]) -> bool:
        """Set fields of a document, unless what it holds has changed since it was read."""
        same = ("status", "due", "first_seq", "chunk_count", "old_first")
        where = {"_id": document.id, **{name: getattr(document, name) for name in same}}
        return await self._table.change(where, {"$set": dict(fields)}) is not None

    async def due_by_operation(self, generation: Generation) -> dict[str, int]:
        """How many documents operations have still to read."""
        rows = await self._table.group(
            {**generation_rows(generation), "due": {"$ne": None}}, "$due", {"n": {"$sum": 1}}
        )
        return {row["_id"]: int(row["n"]) for row in rows}

    async def remove_ids(self, document_ids: Sequence[str]) -> None:
        await self._table.delete({"_id": {"$in": list(document_ids)}})

    async def counts(self, where: Mapping[str, Any]) -> Counts:
        """Count documents by how they stand; `pending` are those that are due, whatever was found of them before."""
        due = await self._table.group({**where, "due": {"$ne": None}}, None, {"n": {"$sum": 1}})
        sums = {"n": {"$sum": 1}, "chunks": {"$sum": "$chunk_count"}}
        rows = await self._table.group({**where, "due": None}, "$status", sums)
        done = {row["_id"]: int(row["n"]) for row in rows if row["_id"] != "removing"}
        chunks = sum(int(row["chunks"]) for row in rows if row["_id"] == "indexed")
        return Counts(**{"pending": int(due[0]["n"]) if due else 0, **done}, chunks=chunks)

    async def counts_of(self, generation: Generation) -> Counts:
        """The same of a generation; the chunks are all that can be found."""
        counts = await self.counts(generation_rows(generation))
        found = {**generation_rows(generation), "status": "indexed"}
        rows = await self._table.group(found, None, {"chunks": {"$sum": "$chunk_count"}})
        return replace(counts, chunks=int(rows[0]["chunks"]) if rows else 0)

    async def count_of_source(self, generation: Generation, source_id: str) -> int:
        where = {"source_id": source_id, "generation": generation.number}
        rows = await self._table.group(where, None, {"n": {"$sum": 1}})
        return int(rows[0]["n"]) if rows else 0

    async def remove(self, collection_id: str, generation: int | None = None) -> None:
        """Remove all of a collection, or of one generation."""
        where: Record = {"collection_id": collection_id}
        if generation is not None:
            where["generation"] = generation
        await self._table.delete_pages(where)


def _taken_by(operation_id: str, fence: str) -> Record:
    return {"due": operation_id, "operation_id": operation_id, "fence": fence}


def _as_found(document: Document) -> Record:
    return {"size": document.size, "modified_ns": document.modified_ns}
