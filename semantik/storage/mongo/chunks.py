"""Chunks in MongoDB: passages and their vectors (float16), the only place where they live for good."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import islice

import numpy as np
from bson import Binary
from numpy.typing import NDArray

from semantik.core.models import Chunk, Document, Generation, VectorBlock
from semantik.storage.mongo.table import Record, Table, Weight

_INSERT = 1000
_PAGE = 5000
_DOCUMENT_PAGE = 1000
_REMOVE = 20_000


class ChunkTable:
    """A chunk's key is `<collection>:<seq>`; a seq is given out once in the life of a collection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def prepare(self) -> None:
        await self._table.index([("collection_id", 1), ("seq", 1)], unique=True)
        await self._table.index([("document_id", 1), ("start", 1)])

    async def add(self, generation: Generation, chunks: Iterable[tuple[Chunk, NDArray[np.float16]]]) -> None:
        """Insert chunks, each with its vector (dimension,) of unit length.

        They are taken and sent in slices: a long document must not hold the loop, nor exceed a message.
        """
        rest = iter(chunks)
        while rows := [_row(generation, c, v) for c, v in islice(rest, _INSERT)]:
            await self._table.insert_many(rows)

    async def by_seqs(self, collection_id: str, seqs: Sequence[int]) -> dict[int, Chunk]:
        keys = [chunk_key(collection_id, seq) for seq in seqs]
        # With their vectors: to leave them out takes the embedded store longer than to send them.
        rows = await self._table.find({"_id": {"$in": keys}}, quick=True)
        return {row["seq"]: chunk_of(row) for row in rows}

    async def of_document(self, document: Document, start: int, end: int) -> list[Chunk]:
        """The chunks that touch the document's characters `start` to `end`, in order."""
        where = {
            "document_id": document.id,
            "end": {"$gt": start},
            "start": {"$lt": end},
            "seq": _within(document.first_seq, document.chunk_count),
        }
        return [chunk_of(row) for row in await self._table.find(where, [("start", 1)], fields={"vector": 0})]

    async def embedded(self, document: Document) -> AsyncIterator[list[tuple[Chunk, NDArray[np.float16]]]]:
        """All chunks of a document with their vectors (dimension,), in order, a thousand at a time."""
        begin, end = document.first_seq, document.first_seq + document.chunk_count
        for at in range(begin, end, _DOCUMENT_PAGE):
            seqs = _within(at, min(_DOCUMENT_PAGE, end - at))
            where = {"collection_id": document.collection_id, "seq": seqs}
            rows = await self._table.find(where, [("seq", 1)])
            yield [(chunk_of(row), np.frombuffer(row["vector"], np.float16)) for row in rows]

    async def of_documents(
        self, documents: Sequence[Document]
    ) -> dict[str, list[tuple[Chunk, NDArray[np.float16]]]]:
        """All chunks of some documents of a collection with their vectors (dimension,), in order, by document."""
        found: dict[str, list[tuple[Chunk, NDArray[np.float16]]]] = {}
        for first, end in _joined([(one.first_seq, one.first_seq + one.chunk_count) for one in documents]):
            for at in range(first, end, _DOCUMENT_PAGE):
                seqs = _within(at, min(_DOCUMENT_PAGE, end - at))
                where = {"collection_id": documents[0].collection_id, "seq": seqs}
                for row in await self._table.find(where, [("seq", 1)]):
                    pair = (chunk_of(row), np.frombuffer(row["vector"], np.float16))
                    found.setdefault(row["document_id"], []).append(pair)
        return found

    async def vectors(self, generation: Generation, after: int, last: int) -> AsyncIterator[VectorBlock]:
        """Vectors of the chunks `after` < seq <= `last`, in order, some thousands at a time."""
        where = {**_of(generation), "seq": {"$gt": after, "$lte": last}}
        async for rows in self._table.pages(where, "seq", _PAGE, {"seq": 1, "vector": 1}):
            seqs = np.array([row["seq"] for row in rows], dtype=np.int64)
            joined = b"".join(row["vector"] for row in rows)
            yield VectorBlock(seqs, np.frombuffer(joined, dtype=np.float16).reshape(len(rows), -1))

    async def seqs(self, generation: Generation) -> AsyncIterator[NDArray[np.int64]]:
        """The numbers of all chunks of a generation, in order, some thousands at a time."""
        async for rows in self._table.pages(_of(generation), "seq", _PAGE, {"seq": 1}):
            yield np.array([row["seq"] for row in rows], dtype=np.int64)

    async def owners(self, generation: Generation, last: int) -> AsyncIterator[list[tuple[int, str]]]:
        """(seq, document) of the chunks up to seq `last`, in order, some thousands at a time."""
        where = {**_of(generation), "seq": {"$lte": last}}
        async for rows in self._table.pages(where, "seq", _PAGE, {"seq": 1, "document_id": 1}):
            yield [(row["seq"], row["document_id"]) for row in rows]

    async def weigh(self, generation: Generation, first: int, last: int, document_id: str) -> Weight:
        """What a document has from one seq to another."""
        weight = Weight(0, 0)
        for begin in range(first, last + 1, _REMOVE):
            seqs = _within(begin, min(_REMOVE, last + 1 - begin))
            where = {**_of(generation), "seq": seqs, "document_id": document_id}
            weight += await self._table.weigh(where)
        return weight

    async def last_seq(self, collection_id: str) -> int:
        """The highest seq of all chunks of a collection, or -1."""
        row = await self._table.get({"collection_id": collection_id}, [("seq", -1)])
        return int(row["seq"]) if row else -1

    async def spans_after(self, generation: Generation, seq: int) -> dict[str, tuple[int, int]]:
        """(first seq, number) of the chunks above `seq`, by document: what a crash may have left."""
        rows = await self._table.group(
            {**_of(generation), "seq": {"$gt": seq}},
            "$document_id",
            {"first": {"$min": "$seq"}, "n": {"$sum": 1}, "last": {"$max": "$seq"}},
        )
        return {row["_id"]: (int(row["first"]), int(row["last"]) - int(row["first"]) + 1) for row in rows}

    async def count(self, generation: Generation) -> int:
        rows = await self._table.group(_of(generation), None, {"n": {"$sum": 1}})
        return int(rows[0]["n"]) if rows else 0

    async def remove_spans(self, collection_id: str, spans: Sequence[tuple[int, int]]) -> None:
        """Remove the chunks of half-open ranges of seqs.

        Neighbours go together, and in slices, since one great deletion may outlast its deadline.
        """
        for first, end in _joined(spans):
            for begin in range(first, end, _REMOVE):
                seqs = _within(begin, min(end - begin, _REMOVE))
                await self._table.delete({"collection_id": collection_id, "seq": seqs})

    async def remove_generation(self, generation: Generation, end: int) -> None:
        """Remove a generation's chunks, all of which lie below seq `end`."""
        for begin in range(0, end, _REMOVE):
            await self._table.delete({**_of(generation), "seq": _within(begin, _REMOVE)})


def _of(generation: Generation) -> Record:
    return {"collection_id": generation.collection_id, "generation": generation.number}


def _within(first: int, count: int) -> Record:
    return {"$gte": first, "$lt": first + count}


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, end in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((first, end))
    return joined


def chunk_key(collection_id: str, seq: int) -> str:
    return f"{collection_id}:{seq}"


def _row(generation: Generation, chunk: Chunk, vector: NDArray[np.float16]) -> Record:
    return {
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


def chunk_of(row: Record) -> Chunk:
    return Chunk(
        row["seq"], row["document_id"], row["text"], row["start"], row["end"], row["page"], row["heading"]
    )
