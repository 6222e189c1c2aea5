"""What a search reads from MongoDB, in one command: chunks, their documents, and collections. Runs on the loop."""

from __future__ import annotations

from collections.abc import Sequence

from semantik.core.models import Chunk, Collection, Document
from semantik.storage.mongo.batch_loader import BatchLoader
from semantik.storage.mongo.chunks import chunk_from_row, chunk_key
from semantik.storage.mongo.collection_rows import collection_from_row
from semantik.storage.mongo.document_rows import document_from_row
from semantik.storage.mongo.table import Record, Table

ChunkKey = tuple[str, int]  # a collection's id, and the seq of one of its chunks
Found = dict[ChunkKey, tuple[Chunk, Document | None]]

_MAX_KEYS = 100  # long chunks must not exceed a message
_SEPARATOR = ":"  # only the keys of chunks contain it
_DOCUMENT = "document"


class SearchReads:
    """Searches that read at the same time share a command."""

    def __init__(self, chunks: Table) -> None:
        self._chunks = chunks
        self._loader = BatchLoader(self._read, _MAX_KEYS)

    async def read(
        self, chunk_keys: Sequence[ChunkKey], collection_ids: Sequence[str]
    ) -> tuple[Found, dict[str, Collection]]:
        """The chunks and collections that exist: each chunk with its document as of the same moment; collections as of
        that moment or later, where more than one command is needed."""
        wanted = {chunk_key(*pair): pair for pair in chunk_keys}
        keys = [*wanted, *collection_ids]
        rows: dict[str, Record] = {}
        for begin in range(0, len(keys), _MAX_KEYS):
            rows |= await self._loader.load(keys[begin : begin + _MAX_KEYS])
        found = {wanted[key]: _chunk_and_document(row) for key, row in rows.items() if key in wanted}
        existing = (rows[key] for key in collection_ids if key in rows)
        return found, {row["_id"]: collection_from_row(row) for row in existing if not row["deleted"]}

    async def _read(self, keys: Sequence[str]) -> dict[str, Record]:
        chunks = [key for key in keys if _SEPARATOR in key]
        collections = [key for key in keys if _SEPARATOR not in key]
        rows = await self._chunks.find_joined(
            chunks, "vector", ("documents", "document_id", _DOCUMENT), ("collections", collections)
        )
        return {row["_id"]: row for row in rows}


def _chunk_and_document(row: Record) -> tuple[Chunk, Document | None]:
    document = next(iter(row[_DOCUMENT]), None)
    if document is None:
        return chunk_from_row(row), None
    # A plain nx-27017 leaves the `_id` of joined rows out.
    return chunk_from_row(row), document_from_row({**document, "_id": row["document_id"]})
