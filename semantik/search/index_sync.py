"""Keeps the vector index in step with MongoDB: opens a collection's index and adds what it lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from semantik.core.models import Collection, Generation
from semantik.index import IndexRegistry, IndexStats, VectorIndex
from semantik.storage.mongo import Store

# A page that shows a collection does not wait longer for its index, whose files may take long to check.
_STATS_S = 2.0


class IndexSync:
    """The way to an index: what it gives holds every chunk that the generation lets be found."""

    def __init__(self, store: Store, indexes: IndexRegistry) -> None:
        self._store = store
        self._indexes = indexes
        self._locks: dict[tuple[str, int], asyncio.Lock] = {}
        # The last seqs of a collection may have no chunks; without this mark each search would look again.
        # It holds for one index: opened anew after damage, it has less.
        self._synced_to: WeakKeyDictionary[VectorIndex, int] = WeakKeyDictionary()

    async def get_synced(self, generation: Generation) -> VectorIndex | None:
        """The index of a generation, up to its `last_seq`; None while it holds no vectors."""
        if generation.dimension is None:
            return None
        index = await self._open(generation, generation.dimension)
        if self._is_behind(index, generation):
            lock = self._locks.setdefault((generation.collection_id, generation.number), asyncio.Lock())
            async with lock:
                if self._is_behind(index, generation):
                    await self._catch_up(index, generation)
        return index

    def get_if_ready(self, generation: Generation) -> VectorIndex | None:
        """The same if it is open here and lacks nothing."""
        index = self._indexes.get_if_open(generation.collection_id, generation.number)
        return None if index is None or self._is_behind(index, generation) else index

    async def delete(self, generation: Generation, spans: Sequence[tuple[int, int]]) -> None:
        """Let chunks, half-open ranges of seqs, not be found from now on; other servers notice when they come across
        one that is gone from MongoDB."""
        if generation.dimension is not None and spans:
            await (await self._open(generation, generation.dimension)).delete(spans)

    async def stats(self, generation: Generation) -> IndexStats | None:
        """How the index stands, as it is on this server; nothing is fetched for it.

        None while it holds no vectors, and while its files are still being checked.
        """
        if generation.dimension is None:
            return None
        try:
            async with asyncio.timeout(_STATS_S):
                index = await self._open(generation, generation.dimension)
        except TimeoutError:
            return None
        return index.stats()

    async def _open(self, generation: Generation, dimension: int) -> VectorIndex:
        return await self._indexes.open(generation.collection_id, generation.number, dimension)

    async def drop(self, collection: Collection) -> None:
        """Forget a collection's indexes and delete their files."""
        for generation in collection.generations:
            self._locks.pop((collection.id, generation.number), None)
        await self._indexes.drop(collection.id)

    async def drop_generation(self, generation: Generation) -> None:
        """The same of one generation."""
        self._locks.pop((generation.collection_id, generation.number), None)
        await self._indexes.drop(generation.collection_id, generation.number)

    async def drop_orphans(self) -> None:
        """Drop the indexes of what is there no more: another server may have removed it, which drops only its own."""
        opened = self._indexes.opened()  # first, so that what is made meanwhile is known
        if not opened:
            return
        there = await self._store.collections.generations_of({collection_id for collection_id, _ in opened})
        for collection_id, number in opened:
            if number not in there.get(collection_id, ()):
                self._locks.pop((collection_id, number), None)
                await self._indexes.drop(collection_id, number if collection_id in there else None)

    def _is_behind(self, index: VectorIndex, generation: Generation) -> bool:
        return max(index.last_seq, self._synced_to.get(index, -1)) < generation.last_seq

    async def _catch_up(self, index: VectorIndex, generation: Generation) -> None:
        last = generation.last_seq
        async for block in self._store.chunks.vectors(generation, index.last_seq, last):
            await index.add(block.seqs, block.vectors)
        self._synced_to[index] = last
