"""Keeps the indexes in step with MongoDB: opens those of a generation and adds the chunks that they lack.

Runs on the loop. All kinds of retrievers share this life cycle; what is special to one is its `RetrieverKind`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from semantik.core.models import Collection, Generation
from semantik.index import IndexRegistry, IndexStats, Retriever, RetrieverRegistry, VectorIndex
from semantik.storage.mongo import Store

# A page that shows a collection waits no longer for its index, whose files may take long to check.
_STATS_S = 2.0

R = TypeVar("R", bound=Retriever[Any])


@dataclass(frozen=True)
class RetrieverKind(Generic[R]):
    """A kind of retrievers: where they are opened, and how to add what they lack.

    `add_missing(retriever, generation)` adds from MongoDB the chunks above the retriever's `last_seq` up to the
    generation's.
    """

    registry: RetrieverRegistry[R]
    add_missing: Callable[[R, Generation], Awaitable[None]]


class IndexSync:
    """The access to all indexes: one that it returns holds every chunk that the generation lets be found."""

    def __init__(self, store: Store, vectors: IndexRegistry) -> None:
        self._store = store
        self._vectors: RetrieverKind[VectorIndex] = RetrieverKind(vectors, partial(_add_vectors, store))
        self._kinds: tuple[RetrieverKind[Any], ...] = (self._vectors,)
        self._locks: WeakKeyDictionary[Retriever[Any], asyncio.Lock] = WeakKeyDictionary()
        # The last seqs of a generation may have no chunks; without this mark each search would look for them again.
        # It is kept for a retriever, not for a generation: one that was opened again after damage has less.
        self._synced_to: WeakKeyDictionary[Retriever[Any], int] = WeakKeyDictionary()

    async def get_synced(self, generation: Generation) -> tuple[Retriever[Any], ...]:
        """The retrievers of a generation, up to its `last_seq`; none while it holds no chunks.

        Raises Unavailable when files or MongoDB cannot be read.
        """
        if generation.dimension is None:
            return ()
        return tuple(
            [await self._open_synced(kind, generation, generation.dimension) for kind in self._kinds]
        )

    async def get_synced_vectors(self, generation: Generation) -> VectorIndex | None:
        """The same of the vector index alone; None while there are no vectors."""
        if generation.dimension is None:
            return None
        return await self._open_synced(self._vectors, generation, generation.dimension)

    def get_if_ready(self, generation: Generation) -> tuple[Retriever[Any], ...]:
        """The retrievers of a generation if all are open here and up to date, else none."""
        ready = []
        for kind in self._kinds:
            retriever = kind.registry.get_if_open(generation.collection_id, generation.number)
            if retriever is None or self._is_behind(retriever, generation):
                return ()
            ready.append(retriever)
        return tuple(ready)

    async def delete(self, generation: Generation, seqs: Sequence[tuple[int, int]]) -> None:
        """Let chunks, half-open ranges of seqs, not be found from now on.

        Other servers delete a chunk when one of their searches finds it and MongoDB no longer has it.
        """
        if generation.dimension is not None and seqs:
            for kind in self._kinds:
                retriever = await _open(kind, generation, generation.dimension)
                await retriever.delete(seqs)

    async def stats(self, generation: Generation) -> IndexStats | None:
        """The state of the vector index on this server, without adding what it lacks.

        None while it holds no vectors, and while its files are being checked.
        """
        if generation.dimension is None:
            return None
        try:
            async with asyncio.timeout(_STATS_S):
                index = await _open(self._vectors, generation, generation.dimension)
        except TimeoutError:
            return None
        return index.stats()

    async def drop(self, collection: Collection) -> None:
        """Close a collection's indexes and delete their files."""
        for kind in self._kinds:
            await kind.registry.drop(collection.id)

    async def drop_generation(self, generation: Generation) -> None:
        """Close the indexes of one generation and delete their files."""
        for kind in self._kinds:
            await kind.registry.drop(generation.collection_id, generation.number)

    async def drop_orphans(self) -> None:
        """Drop the indexes of collections and generations that another server has removed: it drops only its own."""
        for kind in self._kinds:
            opened = (
                kind.registry.open_keys()
            )  # before the read, so that nothing newer is taken for an orphan
            if not opened:
                continue
            current = await self._store.collections.generation_numbers({key for key, _ in opened})
            for collection_id, number in opened:
                if number not in current.get(collection_id, ()):
                    await kind.registry.drop(collection_id, number if collection_id in current else None)

    async def _open_synced(self, kind: RetrieverKind[R], generation: Generation, dimension: int) -> R:
        retriever = await _open(kind, generation, dimension)
        if self._is_behind(retriever, generation):
            async with self._locks.setdefault(retriever, asyncio.Lock()):
                if self._is_behind(retriever, generation):
                    await kind.add_missing(retriever, generation)
                    self._synced_to[retriever] = generation.last_seq
        return retriever

    def _is_behind(self, retriever: Retriever[Any], generation: Generation) -> bool:
        return max(retriever.last_seq, self._synced_to.get(retriever, -1)) < generation.last_seq


async def _open(kind: RetrieverKind[R], generation: Generation, dimension: int) -> R:
    return await kind.registry.open(generation.collection_id, generation.number, dimension)


async def _add_vectors(store: Store, index: VectorIndex, generation: Generation) -> None:
    async for block in store.chunks.vectors(generation, index.last_seq, generation.last_seq):
        await index.add(block.seqs, block.vectors)
