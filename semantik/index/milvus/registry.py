"""The vector indexes in Milvus: one collection there for each generation of a collection. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from semantik.config.milvus_settings import MilvusSettings
from semantik.core.cancellation import is_asked_to_end
from semantik.core.errors import Conflict, EngineAway
from semantik.index.milvus import expressions
from semantik.index.milvus.collection import MilvusCollection
from semantik.index.milvus.connection import CollectionGone, MilvusConnection
from semantik.index.milvus.vectors import MilvusVectors


class MilvusRegistry:
    """A `RetrieverRegistry`. `close` must be called."""

    def __init__(self, settings: MilvusSettings, is_away: Callable[[], bool] = lambda: False) -> None:
        self._connection = MilvusConnection(settings, is_away)
        self._prefix = settings.prefix
        self._opened: dict[tuple[str, int], asyncio.Task[MilvusVectors]] = {}

    async def open(self, collection_id: str, generation: int, dimension: int) -> MilvusVectors:
        """The index, the same object for every caller. Made in Milvus when it is not there.

        Raises Invalid for an id that cannot be in a name, Conflict when it is open with another dimension, EngineAway.
        """
        key = (collection_id, generation)
        known = self._opened.get(key)
        if known is None or (known.done() and _unusable(known)):
            name = expressions.collection_name(self._prefix, collection_id, generation)
            known = self._opened[key] = asyncio.create_task(self._open(name, dimension), name="milvus-open")
        try:
            index = await asyncio.shield(known)
        except asyncio.CancelledError as error:
            if is_asked_to_end():
                raise
            raise EngineAway("The index is being deleted; please ask again shortly.", 2) from error
        if index.dimension != dimension:
            raise Conflict(f"The index is open for vectors of {index.dimension} numbers, not {dimension}.")
        return index

    def get_if_open(self, collection_id: str, generation: int) -> MilvusVectors | None:
        """The index, if it is open already."""
        known = self._opened.get((collection_id, generation))
        return None if known is None or not known.done() or _unusable(known) else known.result()

    def open_keys(self) -> list[tuple[str, int]]:
        """The collections and generations whose indexes are open, or about to be."""
        return list(self._opened)

    async def drop(self, collection_id: str, generation: int | None = None) -> None:
        """Drop one generation's collection in Milvus, or all of the collection's. Raises EngineAway."""
        if generation is None:
            numbers = [one for id_, one in await self.names() if id_ == collection_id.replace("-", "_")]
        else:
            numbers = [generation]
        for number in numbers:
            await self._stop((collection_id, number))
            name = expressions.collection_name(self._prefix, collection_id, number)
            await MilvusCollection(self._connection, name, 0).drop()
        for key in [key for key in self._opened if key[0] == collection_id and generation in (None, key[1])]:
            await self._stop(key)

    async def names(self) -> list[tuple[str, int]]:
        """What there is in Milvus: ids of collections, with _ for -, and generations. Raises EngineAway."""
        names = await self._connection.call("list_collections")
        found = [expressions.parse_name(self._prefix, name) for name in names]
        return [each for each in found if each is not None]

    async def close(self) -> None:
        """No other call may follow."""
        for key in list(self._opened):
            await self._stop(key)
        await self._connection.close()

    async def _open(self, name: str, dimension: int) -> MilvusVectors:
        collection = MilvusCollection(self._connection, name, dimension)
        try:
            mark = await collection.open()
            return MilvusVectors(collection, dimension, mark, await collection.count())
        except CollectionGone as error:
            raise EngineAway(f"Milvus has dropped {name} meanwhile; please ask again shortly.", 2) from error

    async def _stop(self, key: tuple[str, int]) -> None:
        task = self._opened.pop(key, None)
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and not task.exception():
            task.result().stop()


def _unusable(task: asyncio.Task[MilvusVectors]) -> bool:
    return task.cancelled() or task.exception() is not None or task.result().closed
