"""Keeps the vector index in step with MongoDB: opens a collection's index and adds what it lacks."""

from __future__ import annotations

import asyncio

from semantik.index import Indexes, IndexStats, VectorIndex
from semantik.records import Collection
from semantik.store import Store


class Vectors:
    """The way to an index: what it gives holds every chunk that the collection lets be found."""

    def __init__(self, store: Store, indexes: Indexes) -> None:
        self._store = store
        self._indexes = indexes
        self._locks: dict[str, asyncio.Lock] = {}
        # The last seqs of a collection may have no chunks; without this mark each search would look again.
        self._reached: dict[str, int] = {}

    async def of(self, collection: Collection) -> VectorIndex | None:
        """The index of a collection, up to its `last_seq`; None while it holds no vectors."""
        if collection.dimension is None:
            return None
        index = await self._indexes.open(collection.id, collection.generation, collection.dimension)
        if self._lacks(index, collection):
            async with self._locks.setdefault(collection.id, asyncio.Lock()):
                if self._lacks(index, collection):
                    await self._catch_up(index, collection)
        return index

    async def stats(self, collection: Collection) -> IndexStats | None:
        """How the index stands, as it is on this server; nothing is fetched for it."""
        if collection.dimension is None:
            return None
        return (await self._indexes.open(collection.id, collection.generation, collection.dimension)).stats()

    async def drop(self, collection_id: str) -> None:
        """Forget a collection's index and delete its files."""
        self._locks.pop(collection_id, None)
        self._reached.pop(collection_id, None)
        await self._indexes.drop(collection_id)

    def _lacks(self, index: VectorIndex, collection: Collection) -> bool:
        return max(index.last_seq, self._reached.get(collection.id, -1)) < collection.last_seq

    async def _catch_up(self, index: VectorIndex, collection: Collection) -> None:
        chunks = self._store.chunks
        last = collection.last_seq
        async for block in chunks.vectors(collection.id, collection.generation, index.last_seq, last):
            await index.add(block.seqs, block.vectors)
        self._reached[collection.id] = last
