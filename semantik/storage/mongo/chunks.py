"""Chunks in MongoDB with their text and vectors (float16): the only permanent store of them. Runs on the loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import islice

import numpy as np
from bson import Binary
from numpy.typing import NDArray

from semantik.core.models import Chunk, Document, Generation, VectorBlock
from semantik.storage.mongo.table import Record, StorageSize, Table

_INSERT_PAGE = 1000
_PAGE = 5000
_TEXT_PAGE = 2000
_DOCUMENT_PAGE = 1000
_NEW_PAGE = 500
_WRITE_PAGE = 20_000
_OPTIONAL = (
    "page_label",
    "title",
    "language",
    "context",
    "since",
)  # the last fields of `Chunk`; most rows lack some


class ChunkTable:
    """A chunk's key is `<collection>:<seq>`; a seq is never used twice in a collection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("collection_id", 1), ("seq", 1)], unique=True)
        await self._table.create_index([("document_id", 1), ("start", 1)])

    async def add(self, generation: Generation, chunks: Iterable[tuple[Chunk, NDArray[np.float16]]]) -> None:
        """Insert chunks, each with its vector (dimension,) of unit length.

        They are sent in slices: a long document must not block the loop, nor exceed a message.
        """
        remaining = iter(chunks)
        while rows := [_row(generation, c, v) for c, v in islice(remaining, _INSERT_PAGE)]:
            await self._table.insert_many(rows)

    async def by_seqs(self, collection_id: str, seqs: Sequence[int]) -> dict[int, Chunk]:
        keys = [chunk_key(collection_id, seq) for seq in seqs]
        # With their vectors: to omit them takes the embedded store longer than to send them.
        rows = await self._table.find({"_id": {"$in": keys}}, fast=True)
        return {row["seq"]: chunk_from_row(row) for row in rows}

    async def with_vector(self, generation: Generation, seq: int) -> tuple[Chunk, NDArray[np.float32]] | None:
        """A chunk and its vector (dimension,); None when the generation has no such chunk."""
        where = {"_id": chunk_key(generation.collection_id, seq), "generation": generation.number}
        row = await self._table.find_one(where, fast=True)
        if row is None:
            return None
        return chunk_from_row(row), np.frombuffer(row["vector"], np.float16).astype(np.float32)

    async def of_document(self, document: Document, start: int, end: int) -> list[Chunk]:
        """The chunks that overlap the document's characters `start` to `end`, in order."""
        where = {
            "document_id": document.id,
            "end": {"$gt": start},
            "start": {"$lt": end},
            "seq": _seq_range(document.first_seq, document.chunk_count),
        }
        return [
            chunk_from_row(row) for row in await self._table.find(where, [("start", 1)], fields={"vector": 0})
        ]

    async def pages_with_vectors(
        self, document: Document
    ) -> AsyncIterator[list[tuple[Chunk, NDArray[np.float16]]]]:
        """All chunks of a document with their vectors (dimension,), in order, a thousand at a time."""
        begin, end = document.first_seq, document.first_seq + document.chunk_count
        for at in range(begin, end, _DOCUMENT_PAGE):
            seqs = _seq_range(at, min(_DOCUMENT_PAGE, end - at))
            where = {"collection_id": document.collection_id, "seq": seqs}
            rows = await self._table.find(where, [("seq", 1)])
            yield [(chunk_from_row(row), np.frombuffer(row["vector"], np.float16)) for row in rows]

    async def with_vectors(
        self, documents: Sequence[Document]
    ) -> dict[str, list[tuple[Chunk, NDArray[np.float16]]]]:
        """All chunks of some documents of a collection with their vectors (dimension,), in order, by document."""
        found: dict[str, list[tuple[Chunk, NDArray[np.float16]]]] = {}
        for first, end in _merge_spans(
            [(one.first_seq, one.first_seq + one.chunk_count) for one in documents]
        ):
            for at in range(first, end, _DOCUMENT_PAGE):
                seqs = _seq_range(at, min(_DOCUMENT_PAGE, end - at))
                where = {"collection_id": documents[0].collection_id, "seq": seqs}
                for row in await self._table.find(where, [("seq", 1)]):
                    pair = (chunk_from_row(row), np.frombuffer(row["vector"], np.float16))
                    found.setdefault(row["document_id"], []).append(pair)
        return found

    async def vectors(self, generation: Generation, after: int, last: int) -> AsyncIterator[VectorBlock]:
        """Vectors of the chunks `after` < seq <= `last`, in order, some thousands at a time."""
        where = {**_in_generation(generation), "seq": {"$gt": after, "$lte": last}}
        async for rows in self._table.pages(where, "seq", _PAGE, {"seq": 1, "vector": 1}):
            seqs = np.array([row["seq"] for row in rows], dtype=np.int64)
            joined = b"".join(row["vector"] for row in rows)
            yield VectorBlock(seqs, np.frombuffer(joined, dtype=np.float16).reshape(len(rows), -1))

    async def texts(self, generation: Generation, after: int, last: int) -> AsyncIterator[list[Chunk]]:
        """The chunks `after` < seq <= `last`, in order, some thousands at a time."""
        where = {**_in_generation(generation), "seq": {"$gt": after, "$lte": last}}
        async for rows in self._table.pages(where, "seq", _TEXT_PAGE, {"vector": 0}):
            yield [chunk_from_row(row) for row in rows]

    async def seqs(self, generation: Generation) -> AsyncIterator[NDArray[np.int64]]:
        """The seqs of all chunks of a generation, in order, some thousands at a time."""
        async for rows in self._table.pages(_in_generation(generation), "seq", _PAGE, {"seq": 1}):
            yield np.array([row["seq"] for row in rows], dtype=np.int64)

    async def owners(self, generation: Generation, last: int) -> AsyncIterator[list[tuple[int, str]]]:
        """(seq, document id) of the chunks up to seq `last`, in order, some thousands at a time."""
        where = {**_in_generation(generation), "seq": {"$lte": last}}
        async for rows in self._table.pages(where, "seq", _PAGE, {"seq": 1, "document_id": 1}):
            yield [(row["seq"], row["document_id"]) for row in rows]

    async def storage_size(
        self, generation: Generation, first: int, last: int, document_id: str
    ) -> StorageSize:
        """The size of a document's chunks from seq `first` to seq `last`."""
        size = StorageSize(0, 0)
        for begin in range(first, last + 1, _WRITE_PAGE):
            seqs = _seq_range(begin, min(_WRITE_PAGE, last + 1 - begin))
            where = {**_in_generation(generation), "seq": seqs, "document_id": document_id}
            size += await self._table.storage_size(where)
        return size

    async def new(
        self, generation: Generation, after: int, last: int
    ) -> AsyncIterator[list[tuple[Chunk, NDArray[np.float16]]]]:
        """The chunks `after` < seq <= `last` with their vectors (dimension,), in order, some hundred at a time."""
        where = {**_in_generation(generation), "seq": {"$gt": after, "$lte": last}}
        async for rows in self._table.pages(where, "seq", _NEW_PAGE, fast=True):
            yield [(chunk_from_row(row), np.frombuffer(row["vector"], np.float16)) for row in rows]

    async def last_seq(self, collection_id: str) -> int:
        """The highest seq of all chunks of a collection, or -1."""
        row = await self._table.find_one({"collection_id": collection_id}, [("seq", -1)])
        return int(row["seq"]) if row else -1

    async def spans_after(self, generation: Generation, seq: int) -> dict[str, tuple[int, int]]:
        """(first seq, length of the span) of the chunks above `seq`, by document: what a crash may have left."""
        rows = await self._table.group(
            {**_in_generation(generation), "seq": {"$gt": seq}},
            "$document_id",
            {"first": {"$min": "$seq"}, "n": {"$sum": 1}, "last": {"$max": "$seq"}},
        )
        return {row["_id"]: (int(row["first"]), int(row["last"]) - int(row["first"]) + 1) for row in rows}

    async def count(self, generation: Generation) -> int:
        rows = await self._table.group(_in_generation(generation), None, {"n": {"$sum": 1}})
        return int(rows[0]["n"]) if rows else 0

    async def remove_spans(self, collection_id: str, spans: Sequence[tuple[int, int]]) -> None:
        """Remove the chunks of half-open ranges of seqs.

        Adjacent ranges are merged, and then removed in slices: one large deletion may exceed its time limit.
        """
        for first, end in _merge_spans(spans):
            for begin in range(first, end, _WRITE_PAGE):
                seqs = _seq_range(begin, min(end - begin, _WRITE_PAGE))
                await self._table.delete_many({"collection_id": collection_id, "seq": seqs})

    async def remove_generation(self, generation: Generation, end: int) -> None:
        """Remove a generation's chunks, all of which lie below seq `end`."""
        for begin in range(0, end, _WRITE_PAGE):
            await self._table.delete_many(
                {**_in_generation(generation), "seq": _seq_range(begin, _WRITE_PAGE)}
            )


def _in_generation(generation: Generation) -> Record:
    return {"collection_id": generation.collection_id, "generation": generation.number}


def _seq_range(first: int, count: int) -> Record:
    return {"$gte": first, "$lt": first + count}


def _merge_spans(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, end in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((first, end))
    return merged


def chunk_key(collection_id: str, seq: int) -> str:
    return f"{collection_id}:{seq}"


def _row(generation: Generation, chunk: Chunk, vector: NDArray[np.float16]) -> Record:
    row: Record = {
        "_id": chunk_key(generation.collection_id, chunk.seq),
        "collection_id": generation.collection_id,
        "generation": generation.number,
        "document_id": chunk.document_id,
        "seq": chunk.seq,
        "start": chunk.start,
        "end": chunk.end,
        "page": chunk.page,
        "heading": chunk.heading,
        "text": chunk.text,
        "vector": Binary(vector.astype(np.float16, copy=False).tobytes()),
    }
    if chunk.recognised:  # few chunks are: the others have no such field
        row["recognised"] = True
    row |= {name: value for name in _OPTIONAL if (value := getattr(chunk, name)) is not None}
    return row


def chunk_from_row(row: Record) -> Chunk:
    return Chunk(
        row["seq"],
        row["document_id"],
        row["text"],
        row["start"],
        row["end"],
        row["page"],
        row["heading"],
        bool(row.get("recognised")),
        *(row.get(name) for name in _OPTIONAL),
    )
