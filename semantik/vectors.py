"""Keeps the vector index in step with MongoDB: opens a collection's index and adds what it lacks."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from semantik.index import Indexes, IndexStats, VectorIndex
from semantik.records import Collection
from semantik.store import Store

# A page that shows a collection does not wait longer for its index, whose files may take long to check.
_STATS_S = 2.0


class Vectors:
    """The way to an index: what it gives holds every chunk that the collection lets be found."""

    def __init__(self, store: Store, indexes: Indexes) -> None:
        self._store = store
        self._indexes = indexes
        self._locks: dict[str, asyncio.Lock] = {}
        # The last seqs of a collection may have no chunks; without this mark each search would look again.
        # It holds for one index: opened anew after damage, it has less.
        self._reached: WeakKeyDictionary[VectorIndex, int] = WeakKeyDictionary()

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
        """How the index stands, as it is on this server; nothing is fetched for it.

        None while it holds no vectors, and while its files are still being checked.
        """
        if collection.dimension is None:
            return None
        try:
            async with asyncio.timeout(_STATS_S):
                index = await self._indexes.open(collection.id, collection.generation, collection.dimension)
        except TimeoutError:
            return None
        return index.stats()

    async def drop(self, collection_id: str) -> None:
        """Forget a collection's index and delete its files."""
        self._locks.pop(collection_id, None)
        await self._indexes.drop(collection_id)

    def _lacks(self, index: VectorIndex, collection: Collection) -> bool:
        return max(index.last_seq, self._reached.get(index, -1)) < collection.last_seq

    async def _catch_up(self, index: VectorIndex, collection: Collection) -> None:
        chunks = self._store.chunks
        last = collection.last_seq
        async for block in chunks.vectors(collection.id, collection.generation, index.last_seq, last):
            await index.add(block.seqs, block.vectors)
        self._reached[index] = last
