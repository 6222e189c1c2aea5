"""What is in Milvus, seen from outside: the integrity checks compare it with MongoDB. Runs on the loop.

Reading makes no collection. Servers may run meanwhile, also while something is repaired.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from numpy.typing import NDArray

from semantik.config.milvus_settings import MilvusSettings
from semantik.index.milvus import expressions
from semantik.index.milvus.collection import MOST_ROWS, MilvusCollection
from semantik.index.milvus.connection import CollectionGone, MilvusConnection
from semantik.index.ranges import Ranges


class MilvusInspector:
    """Made by `milvus_inspector`. Raises EngineAway from every call."""

    def __init__(self, connection: MilvusConnection) -> None:
        self._connection = connection

    async def names(self) -> list[str]:
        """The collections of this installation."""
        prefix = self._connection.settings.prefix
        names = await self._connection.call("list_collections")
        return sorted(name for name in names if expressions.parse_name(prefix, name))

    def name(self, collection_id: str, generation: int) -> str:
        return expressions.collection_name(self._connection.settings.prefix, collection_id, generation)

    async def stored(self, name: str, end: int) -> tuple[int, NDArray[np.int64]] | None:
        """Up to which seq all were added, and the seqs (ascending) below `end` or that which can be found.

        None for a collection that is not there, or that nothing was added to.
        """
        collection = MilvusCollection(self._connection, name, 0)
        try:
            await self._connection.call("load_collection", name)
            if (mark := await collection.mark()) is None:
                return None
            last = max(mark.last_seq, end - 1)
            pages = [
                await collection.seqs(after, min(after + MOST_ROWS, last))
                for after in range(-1, last, MOST_ROWS)
            ]
        except CollectionGone:
            return None
        return mark.last_seq, np.concatenate([np.empty(0, np.int64), *pages])

    async def add(self, name: str, seqs: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        """Add vectors that are missing (n, dimension), by their seqs (n)."""
        await MilvusCollection(self._connection, name, vectors.shape[1]).add(seqs, vectors)

    async def delete(self, name: str, seqs: Ranges) -> None:
        await MilvusCollection(self._connection, name, 0).delete(seqs)

    async def drop(self, name: str) -> None:
        await MilvusCollection(self._connection, name, 0).drop()


@asynccontextmanager
async def milvus_inspector(settings: MilvusSettings) -> AsyncIterator[MilvusInspector]:
    connection = MilvusConnection(settings)
    try:
        yield MilvusInspector(connection)
    finally:
        await connection.close()
