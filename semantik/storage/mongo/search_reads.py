"""What a search reads of MongoDB, in one command: passages, the documents that they are of, and collections."""

from __future__ import annotations

from collections.abc import Sequence

from semantik.core.models import Chunk, Collection, Document
from semantik.storage.mongo.batch_loader import BatchLoader
from semantik.storage.mongo.chunks import chunk_key, chunk_of
from semantik.storage.mongo.collection_rows import collection_of
from semantik.storage.mongo.document_reads import document_of
from semantik.storage.mongo.table import Record, Table

Passage = tuple[str, int]  # a collection, and the seq of a chunk of it
Found = dict[Passage, tuple[Chunk, Document | None]]

_JOINED = 100  # long passages must not exceed a message
_SEPARATOR = ":"  # stands in the keys of chunks alone
_DOCUMENT = "document"


class SearchReads:
    """Searches that wait at the same time share a command."""

    def __init__(self, chunks: Table) -> None:
        self._chunks = chunks
        self._together = BatchLoader(self._read, _JOINED)

    async def read(
        self, passages: Sequence[Passage], collection_ids: Sequence[str]
    ) -> tuple[Found, dict[str, Collection]]:
        """Those that there are: chunks, each with its document as it was at that moment, and collections, as they are
        after that where it takes more than one command."""
        wanted = {chunk_key(*passage): passage for passage in passages}
        keys = [*wanted, *collection_ids]
        rows: dict[str, Record] = {}
        for begin in range(0, len(keys), _JOINED):
            rows |= await self._together.get(keys[begin : begin + _JOINED])
        found = {wanted[key]: _chunk_and_document(row) for key, row in rows.items() if key in wanted}
        there = (rows[key] for key in collection_ids if key in rows)
        return found, {row["_id"]: collection_of(row) for row in there if not row["deleted"]}

    async def _read(self, keys: Sequence[str]) -> dict[str, Record]:
        chunks = [key for key in keys if _SEPARATOR in key]
        collections = [key for key in keys if _SEPARATOR not in key]
        rows = await self._chunks.joined(
            chunks, "vector", ("documents", "document_id", _DOCUMENT), ("collections", collections)
        )
        return {row["_id"]: row for row in rows}


def _chunk_and_document(row: Record) -> tuple[Chunk, Document | None]:
    document = next(iter(row[_DOCUMENT]), None)
    return chunk_of(row), None if document is None else document_of(document)
