"""Chunks in MongoDB: passages and their vectors (float16), the only place where they live for good."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import islice

import numpy as np
from bson import Binary
from numpy.typing import NDArray

from semantik.records import Chunk, VectorBlock
from semantik.store.table import Record, Table

_INSERT = 1000
_PAGE = 5000
_REMOVE = 20_000


class Chunks:
    """A chunk's key is `<collection>:<seq>`; a seq is given out once in the life of a collection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def prepare(self) -> None:
        await self._table.index([("collection_id", 1), ("seq", 1)], unique=True)
        await self._table.index([("document_id", 1), ("start", 1)])

    async def add(
        self, collection_id: str, generation: int, chunks: Iterable[tuple[Chunk, NDArray[np.float16]]]
    ) -> None:
        """Insert chunks, each with its vector (dimension,) of unit length.

        They are taken and sent in slices: a long document must not hold the loop, nor exceed a message.
        """
        rest = iter(chunks)
        while rows := [_row(collection_id, generation, c, v) for c, v in islice(rest, _INSERT)]:
            await self._table.insert_many(rows)

    async def by_seqs(self, collection_id: str, seqs: Sequence[int]) -> dict[int, Chunk]:
        keys = [_key(collection_id, seq) for seq in seqs]
        rows = await self._table.find({"_id": {"$in": keys}}, fields={"vector": 0})
        return {row["seq"]: _chunk(row) for row in rows}

    async def of_document(self, document_id: str, start: int, end: int) -> list[Chunk]:
        """The chunks that touch the document's characters `start` to `end`, in order."""
        where = {"document_id": document_id, "end": {"$gt": start}, "start": {"$lt": end}}
        return [_chunk(row) for row in await self._table.find(where, [("start", 1)], fields={"vector": 0})]

    async def vectors(
        self, collection_id: str, generation: int, after: int, last: int
    ) -> AsyncIterator[VectorBlock]:
        """Vectors of the chunks `after` < seq <= `last`, in order, some thousands at a time."""
        where = {
            "collection_id": collection_id,
            "generation": generation,
            "seq": {"$gt": after, "$lte": last},
        }
        async for rows in self._table.pages(where, "seq", _PAGE, {"seq": 1, "vector": 1}):
            seqs = np.array([row["seq"] for row in rows], dtype=np.int64)
            joined = b"".join(row["vector"] for row in rows)
            yield VectorBlock(seqs, np.frombuffer(joined, dtype=np.float16).reshape(len(rows), -1))

    async def spans_after(self, collection_id: str, seq: int) -> dict[str, tuple[int, int]]:
        """(first seq, number) of the chunks above `seq`, by document: what a crash may have left."""
        rows = await self._table.group(
            {"collection_id": collection_id, "seq": {"$gt": seq}},
            "$document_id",
            {"first": {"$min": "$seq"}, "n": {"$sum": 1}},
        )
        return {row["_id"]: (int(row["first"]), int(row["n"])) for row in rows}

    async def remove_documents(self, document_ids: Sequence[str]) -> int:
        return await self._table.delete({"document_id": {"$in": list(document_ids)}})

    async def remove_seqs(self, collection_id: str, first: int, end: int) -> None:
        """Remove the chunks `first` <= seq < `end`, in slices, since one great deletion may outlast its deadline."""
        for begin in range(first, end, _REMOVE):
            seqs = {"$gte": begin, "$lt": min(end, begin + _REMOVE)}
            await self._table.delete({"collection_id": collection_id, "seq": seqs})


def _key(collection_id: str, seq: int) -> str:
    return f"{collection_id}:{seq}"


def _row(collection_id: str, generation: int, chunk: Chunk, vector: NDArray[np.float16]) -> Record:
    return {
        "_id": _key(collection_id, chunk.seq),
        "collection_id": collection_id,
        "generation": generation,
        "document_id": chunk.document_id,
        "seq": chunk.seq,
        "start": chunk.start,
        "end": chunk.end,
        "page": chunk.page,
        "heading": chunk.heading,
        "text": chunk.text,
        "vector": Binary(vector.astype(np.float16, copy=False).tobytes()),
    }


def _chunk(row: Record) -> Chunk:
    return Chunk(
        row["seq"], row["document_id"], row["text"], row["start"], row["end"], row["page"], row["heading"]
    )
