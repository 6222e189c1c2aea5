"""Documents in MongoDB, the changes: registration by scans, assignment to operations, outcomes and removal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from semantik.core.errors import Conflict, Unavailable
from semantik.core.models import Collection, Counts, Document, DocumentStatus, Generation
from semantik.storage.mongo.document_reads import DocumentReads
from semantik.storage.mongo.document_rows import DocumentFields, in_generation, path_metadata_row
from semantik.storage.mongo.rows import to_row
from semantik.storage.mongo.table import Record

_PAGE = 500
_OF_REINDEX = ("since_seq", "since_hash")


class DocumentTable(DocumentReads):
    """A path is unique in a generation of a collection."""

    async def create_indexes(self) -> None:
        await self._table.create_index([("collection_id", 1), ("generation", 1), ("path", 1)], unique=True)
        await self._table.create_index([("collection_id", 1), ("generation", 1), ("status", 1), ("path", 1)])
        await self._table.create_index([("operation_id", 1), ("status", 1)])
        await self._table.create_index([("due", 1), ("path", 1)])
        await self._table.create_index([("source_id", 1), ("generation", 1), ("path", 1)])
        await self._table.create_index([("collection_id", 1), ("content_hash", 1)])
        await self._table.create_index([("collection_id", 1), ("old_first", 1)])
        await self._table.create_index([("recognition_queue", 1), ("path", 1)])
        await self._table.create_index([("container_id", 1), ("path", 1)])

    async def register(self, documents: Sequence[Document]) -> None:
        """Insert new documents. The caller has queried `by_paths` and holds the collection's lock.

        Raises Unavailable when a path exists by now: inserted by a server that has lost the lock, or by an insertion of
        the caller's own whose answer was late. The caller queries `by_paths` again and retries.
        """
        try:
            await self._table.insert_many([_new_row(document) for document in documents])
        except Conflict as error:
            raise Unavailable(
                "Some of the files were registered meanwhile; they are compared again."
            ) from error

    async def claim(self, operation_id: str, fence: str) -> None:
        """Let only the holder of this lease save the outcomes of what the operation has still to read.

        A later lease has a greater token; its claims are left alone.
        """
        where = {"due": operation_id, "fence": {"$lt": fence}}
        await self._table.update_in_pages(where, {"$set": {"fence": fence}}, "path")

    async def reassign_due(
        self, generation: Generation, source_id: str, operation_id: str, fence: str
    ) -> None:
        """Assign to an operation the documents of a source that earlier operations did not read."""
        update = {"$set": _due_by(operation_id, fence)}
        async for earlier in self._due_operations():
            first = await self._table.find_one({"due": earlier})  # an operation belongs to one collection
            if first is None or first["collection_id"] != generation.collection_id:
                continue
            async for rows in self._table.pages({"due": earlier}, "path", _PAGE):
                ids = [
                    row["_id"]
                    for row in rows
                    if row["source_id"] == source_id and row["generation"] == generation.number
                ]
                if ids:
                    await self._table.update_many({"_id": {"$in": ids}, "due": earlier}, update)

    async def mark_for_retry(
        self, generation: Generation, document_ids: Sequence[str] | None, operation_id: str, fence: str
    ) -> None:
        """Assign failed documents to an operation, to be read again: the given ones, or all."""
        where = in_generation(generation, "failed")
        if document_ids is not None:
            where["_id"] = {"$in": list(document_ids)}
        await self._table.update_in_pages(where, {"$set": _due_by(operation_id, fence)}, "path")

    async def mark_changed(self, documents: Sequence[Document], operation_id: str, fence: str) -> None:
        """Assign changed files to an operation, to be read again; saves what the scan found of their files, and the
        `reader` that `documents` have."""
        await self._table.bulk_update(
            [
                (
                    {"_id": one.id},
                    {
                        "$set": {
                            **_due_by(operation_id, fence),
                            **_file_state(one),
                            "reader": one.reader,
                            "missing": False,
                        }
                    },
                )
                for one in documents
            ]
        )

    async def assign(self, document_ids: Sequence[str], operation_id: str) -> None:
        """Let documents count as those of an operation, though it has not to read them."""
        await self._table.update_many(
            {"_id": {"$in": list(document_ids)}}, {"$set": {"operation_id": operation_id}}
        )

    async def mark_found(self, document_ids: Sequence[str]) -> None:
        """Save that files which were missing exist again."""
        await self._table.update_many({"_id": {"$in": list(document_ids)}}, {"$set": {"missing": False}})

    async def mark_missing(self, document_ids: Sequence[str]) -> None:
        """Save that files do not exist. What was to be read again keeps its content; it is read when the file is
        back."""
        where = {"_id": {"$in": list(document_ids)}}
        # A part is compared by its digest.
        fields: DocumentFields = {"due": None, "modified_ns": 0, "digest": None}
        await self._table.update_many({**where, "due": {"$ne": None}}, {"$set": fields})
        await self._table.update_many(where, {"$set": {"missing": True}})

    async def move(self, document_id: str, found: Document) -> None:
        """Give a document the path, size, time and source of `found`, under which its moved file was registered.

        The row of `found` is deleted first: a path is unique.
        """
        await self._table.delete_many({"_id": found.id})
        fields = {**_file_state(found), "path": found.path, "source_id": found.source_id, "missing": False}
        await self._table.update_one({"_id": document_id}, {"$set": fields})

    async def update_each(self, changes: Mapping[str, DocumentFields]) -> None:
        """Set fields of documents, by document id."""
        await self._table.bulk_update(
            [({"_id": key}, {"$set": dict(fields)}) for key, fields in changes.items()]
        )

    async def set_user_tags(
        self, collection: Collection, document: Document, tags: Sequence[str], moment: int
    ) -> None:
        """Replace the tags that users gave a document, in a generation that is being built, too (`moment` in ms)."""
        fields = {"$set": {"user_tags": list(tags), "tagged_at": moment}}
        await self._table.update_one({"_id": document.id}, fields)
        for generation in collection.generations:
            if generation.number != document.generation:
                await self._table.update_one({**in_generation(generation), "path": document.path}, fields)

    async def copy_user_tags(self, old: Generation, new: Generation) -> None:
        """Give the documents of a new generation the tags of those with their paths, where these are later ones."""
        async for page in self.of_generation(old):
            tagged = [one for one in page if one.tagged_at]
            others = await self.by_paths(new, [one.path for one in tagged])
            for one in tagged:
                other = others.get(one.path)
                if other is not None and other.tagged_at < one.tagged_at:
                    fields = {"user_tags": list(one.user_tags), "tagged_at": one.tagged_at}
                    unchanged = {"_id": other.id, "tagged_at": other.tagged_at or None}
                    await self._table.update_one(unchanged, {"$set": fields})

    async def reassign_source(self, document_ids: Sequence[str], source_id: str) -> None:
        """Move documents to another source that contains their files as well."""
        await self._table.update_many(
            {"_id": {"$in": list(document_ids)}}, {"$set": {"source_id": source_id}}
        )

    async def due_totals(self, operation_id: str) -> tuple[int, int]:
        """(files, bytes) that an operation has still to read."""
        rows = await self._table.group(
            {"due": operation_id}, None, {"n": {"$sum": 1}, "bytes": {"$sum": "$size"}}
        )
        return (int(rows[0]["n"]), int(rows[0]["bytes"])) if rows else (0, 0)

    async def save_outcomes(
        self, changes: Mapping[str, DocumentFields], operation_id: str, fence: str
    ) -> None:
        """Save the outcomes of documents that an operation had to read, by document id; each update is atomic.

        Those that a later holder of the operation's lease has claimed are left alone.
        """
        done = {"due": None, "fence": ""}
        await self._table.bulk_update(
            [
                ({"_id": key, "due": operation_id, "fence": fence}, {"$set": {**fields, **done}})
                for key, fields in changes.items()
            ]
        )

    async def mark_removing(self, document_ids: Sequence[str]) -> None:
        """Hide documents from searches; their chunks and their rows are still to be removed."""
        where = {"_id": {"$in": list(document_ids)}}
        fields: DocumentFields = {"status": "removing", "due": None}
        await self._table.update_many(where, {"$set": fields})

    async def clear_old_chunks(self, documents: Sequence[Document]) -> None:
        """Save that the old chunks of `documents` are removed, unless they have other old chunks by now."""
        fields: DocumentFields = {"old_first": -1, "old_count": 0}
        await self._table.bulk_update(
            [({"_id": one.id, "old_first": one.old_first}, {"$set": fields}) for one in documents]
        )

    async def update_if_unchanged(self, document: Document, fields: DocumentFields) -> bool:
        """Set fields of a document, unless its status or its chunks have changed since it was read."""
        same = ("status", "due", "first_seq", "chunk_count", "old_first")
        where = {"_id": document.id, **{name: getattr(document, name) for name in same}}
        return await self._table.update_one(where, {"$set": dict(fields)}) is not None

    async def due_by_operation(self, generation: Generation) -> dict[str, int]:
        """How many documents each operation has still to read, by its id."""
        rows = await self._table.group(
            {**in_generation(generation), "due": {"$ne": None}}, "$due", {"n": {"$sum": 1}}
        )
        return {row["_id"]: int(row["n"]) for row in rows}

    async def remove_ids(self, document_ids: Sequence[str]) -> None:
        await self._table.delete_many({"_id": {"$in": list(document_ids)}})

    async def counts(self, where: Mapping[str, Any]) -> Counts:
        """Count documents by status; `pending` are those that are due, whatever their status was before."""
        due = await self._table.group({**where, "due": {"$ne": None}}, None, {"n": {"$sum": 1}})
        sums = {"n": {"$sum": 1}, "chunks": {"$sum": "$chunk_count"}, "warned": {"$sum": "$warned"}}
        rows = await self._table.group({**where, "due": None}, "$status", sums)
        by_status: dict[DocumentStatus, Record] = {row["_id"]: row for row in rows}
        by_status.pop("removing", None)
        indexed = by_status.get("indexed", {})
        chunks, warned = int(indexed.get("chunks") or 0), int(indexed.get("warned") or 0)
        done: dict[str, int] = {status: int(row["n"]) for status, row in by_status.items()}
        return Counts(**{"pending": int(due[0]["n"]) if due else 0, **done}, chunks=chunks, warned=warned)

    async def counts_of(self, generation: Generation) -> Counts:
        """Count a generation's documents; `chunks` are all that a search can find, also those of due documents."""
        counts = await self.counts(in_generation(generation))
        indexed = in_generation(generation, "indexed")
        rows = await self._table.group(indexed, None, {"chunks": {"$sum": "$chunk_count"}})
        return replace(counts, chunks=int(rows[0]["chunks"]) if rows else 0)

    async def count_files(self, generation: Generation) -> int:
        """How many of a generation's documents are files and no parts of them."""
        rows = await self._table.group(
            {**in_generation(generation), "container_id": None}, None, {"n": {"$sum": 1}}
        )
        return int(rows[0]["n"]) if rows else 0

    async def count_of_source(self, generation: Generation, source_id: str) -> int:
        where = {"source_id": source_id, "generation": generation.number}
        rows = await self._table.group(where, None, {"n": {"$sum": 1}})
        return int(rows[0]["n"]) if rows else 0

    async def remove(self, collection_id: str, generation: int | None = None) -> None:
        """Remove all documents of a collection, or of one of its generations."""
        where: Record = {"collection_id": collection_id}
        if generation is not None:
            where["generation"] = generation
        await self._table.delete_in_pages(where)


_OFTEN_UNSET = ("authors", "tags", "user_tags", "tagged_at", "sidecar")


def _new_row(document: Document) -> Record:
    """Without the fields that most documents have not: a million of them are inserted at once."""
    row = to_row(document)
    for name in _OFTEN_UNSET:
        if not row[name]:
            del row[name]
    for name in _OF_REINDEX:
        if row[name] is None:
            del row[name]
    row["by_path"] = path_metadata_row(document.by_path)
    if row["by_path"] is None:
        del row["by_path"]
    return row


def _due_by(operation_id: str, fence: str) -> Record:
    return {"due": operation_id, "operation_id": operation_id, "fence": fence}


def _file_state(document: Document) -> Record:
    return {
        "size": document.size,
        "modified_ns": document.modified_ns,
        "sidecar": document.sidecar,
        "by_path": path_metadata_row(document.by_path),
        "origin": dict(document.origin) if document.origin is not None else None,
    }
