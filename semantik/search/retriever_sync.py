"""The retrievers of one kind, kept in step with MongoDB: opened, and given the chunks that they lack.

Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from semantik.core.models import Generation
from semantik.index import Retriever, RetrieverRegistry

R = TypeVar("R", bound=Retriever[Any])


class RetrieverSync(Generic[R]):
    """`add_missing(retriever, generation)` adds from MongoDB the chunks above the retriever's `last_seq` up to the
    generation's."""

    def __init__(
        self, registry: RetrieverRegistry[R], add_missing: Callable[[R, Generation], Awaitable[None]]
    ) -> None:
        self.registry = registry
        self._add_missing = add_missing
        self._locks: WeakKeyDictionary[Retriever[Any], asyncio.Lock] = WeakKeyDictionary()
        # The last seqs of a generation may have no chunks; without this mark each search would look for them again.
        # It is kept for a retriever, not for a generation: one that was opened again after damage has less.
        self._synced_to: WeakKeyDictionary[Retriever[Any], int] = WeakKeyDictionary()

    async def open(self, generation: Generation) -> R:
        """The retriever as it is. Raises Unavailable when it cannot be used."""
        assert generation.dimension is not None
        return await self.registry.open(generation.collection_id, generation.number, generation.dimension)

    async def open_synced(self, generation: Generation) -> R:
        """The retriever, up to the generation's `last_seq`. Raises Unavailable, also when MongoDB cannot be read."""
        retriever = await self.open(generation)
        if self.missing(retriever, generation):
            async with self.lock(retriever):
                if self.missing(retriever, generation):
                    await self._add_missing(retriever, generation)
                    self.set_synced(retriever, generation.last_seq)
        return retriever

    def ready(self, generation: Generation) -> R | None:
        """The retriever, if it is open here and up to date."""
        retriever = self.registry.get_if_open(generation.collection_id, generation.number)
        return None if retriever is None or self.missing(retriever, generation) else retriever

    def missing(self, retriever: R, generation: Generation) -> int:
        """How many seqs the retriever is behind the generation; not all of them have chunks."""
        return max(0, generation.last_seq - self.synced_to(retriever))

    def synced_to(self, retriever: R) -> int:
        return max(retriever.last_seq, self._synced_to.get(retriever, -1))

    def set_synced(self, retriever: R, seq: int) -> None:
        self._synced_to[retriever] = seq

    def lock(self, retriever: R) -> asyncio.Lock:
        """Who adds to a retriever holds this."""
        return self._locks.setdefault(retriever, asyncio.Lock())
