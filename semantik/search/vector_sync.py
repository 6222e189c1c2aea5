"""Which vector index answers for a generation: the local one, or that of an engine once it has all vectors.

Runs on the loop. An engine is filled from MongoDB in the background, beside the local index, which answers meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Protocol

from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import Generation
from semantik.index import EngineState, IndexRegistry, RetrieverRegistry, VectorRetriever
from semantik.index.milvus import milvus_monitor, milvus_registry
from semantik.index.retriever import SharedVectorRetriever
from semantik.index.vector_index import RunInPool
from semantik.search.retriever_sync import RetrieverSync
from semantik.storage.mongo import Store

log = logging.getLogger(__name__)

_RETRY_S = 10.0
_GRACE_S = 10.0  # after which no search uses the local index any more

Key = tuple[str, int]


class VectorSync(Protocol):
    """The vector indexes of this server; all generations given have a dimension."""

    @property
    def registries(self) -> Sequence[RetrieverRegistry[VectorRetriever]]: ...

    @property
    def engine_state(self) -> EngineState | None:
        """Whether the engine that many servers share answers; None without one. Never waits."""

    async def open_synced(self, generation: Generation, writes: bool = False) -> VectorRetriever:
        """The index that answers, up to the generation's `last_seq`. `writes`: the chunks that it lacks were written
        by this server. Raises Unavailable."""

    async def open(self, generation: Generation) -> VectorRetriever:
        """The index that answers, as it is. Raises Unavailable."""

    def ready(self, generation: Generation) -> VectorRetriever | None:
        """The index that answers, if it is open here and up to date."""

    async def delete(self, generation: Generation, seqs: Sequence[tuple[int, int]]) -> None:
        """Let chunks not be found from now on. Raises Unavailable."""

    async def stop(self, keys: Sequence[Key] | None = None) -> None:
        """Stop what is done in the background, for all generations or for these."""


class LocalVectors:
    """A `VectorSync` of indexes on this machine alone."""

    def __init__(self, store: Store, registry: RetrieverRegistry[VectorRetriever]) -> None:
        self._sync: RetrieverSync[VectorRetriever] = RetrieverSync(registry, partial(_add_vectors, store))

    @property
    def registries(self) -> Sequence[RetrieverRegistry[VectorRetriever]]:
        return (self._sync.registry,)

    @property
    def engine_state(self) -> EngineState | None:
        return None

    async def open_synced(self, generation: Generation, writes: bool = False) -> VectorRetriever:
        return await self._sync.open_synced(generation)

    async def open(self, generation: Generation) -> VectorRetriever:
        return await self._sync.open(generation)

    def ready(self, generation: Generation) -> VectorRetriever | None:
        return self._sync.ready(generation)

    async def delete(self, generation: Generation, seqs: Sequence[tuple[int, int]]) -> None:
        await (await self._sync.open(generation)).delete(seqs)

    async def stop(self, keys: Sequence[Key] | None = None) -> None:
        """Nothing is done in the background."""


class EngineVectors:
    """A `VectorSync` of an engine that many servers share, with local indexes for what it does not have yet."""

    def __init__(
        self,
        store: Store,
        local: RetrieverRegistry[VectorRetriever],
        engine: RetrieverRegistry[SharedVectorRetriever],
        catch_up: int,
        state: Callable[[], EngineState],
    ) -> None:
        """With more than `catch_up` chunks missing in the engine, the local index answers until it has them."""
        self._store = store
        self._local = LocalVectors(store, local)
        self._engine: RetrieverSync[SharedVectorRetriever] = RetrieverSync(
            engine, partial(_add_vectors, store)
        )
        self._catch_up = catch_up
        self._state = state
        self._filling: set[Key] = set()
        self._without_local: set[Key] = set()
        self._tasks: dict[asyncio.Task[None], Key] = {}
        self._one_fill = asyncio.Lock()

    @property
    def registries(self) -> Sequence[RetrieverRegistry[VectorRetriever]]:
        return (*self._local.registries, self._engine.registry)

    @property
    def engine_state(self) -> EngineState | None:
        return self._state()

    async def open_synced(self, generation: Generation, writes: bool = False) -> VectorRetriever:
        if _key(generation) in self._filling:
            return await self._local.open_synced(generation)
        engine = await self._engine.open(generation)
        if self._engine.missing(engine, generation) and not writes:
            await engine.refresh()
        if self._engine.missing(engine, generation) > self._catch_up:
            there = await self._store.chunks.count(generation)
            if there - engine.size > self._catch_up:
                self._start_filling(generation)
                return await self._local.open_synced(generation)
        synced = await self._engine.open_synced(generation)
        if not self._tasks:
            await self._drop_local(generation)
        return synced

    async def open(self, generation: Generation) -> VectorRetriever:
        if _key(generation) in self._filling:
            return await self._local.open(generation)
        return await self._engine.open(generation)

    def ready(self, generation: Generation) -> VectorRetriever | None:
        if _key(generation) in self._filling:
            return self._local.ready(generation)
        return self._engine.ready(generation)

    async def delete(self, generation: Generation, seqs: Sequence[tuple[int, int]]) -> None:
        await (await self._engine.open(generation)).delete(seqs)
        for registry in self._local.registries:
            if (local := registry.get_if_open(*_key(generation))) is not None:
                await local.delete(seqs)

    async def stop(self, keys: Sequence[Key] | None = None) -> None:
        tasks = [task for task, key in self._tasks.items() if keys is None or key in keys]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _start_filling(self, generation: Generation) -> None:
        key = _key(generation)
        if key not in self._filling:
            self._filling.add(key)
            task = asyncio.create_task(self._fill(generation), name="engine-fill")
            self._tasks[task] = key
            task.add_done_callback(self._tasks.pop)

    async def _fill(self, generation: Generation) -> None:
        """Give the engine what it lacks; what is added meanwhile, the next search gives it."""
        key = _key(generation)
        try:
            async with self._one_fill:
                await self._copy(generation)
        finally:
            self._filling.discard(key)
            self._without_local.discard(key)
        await asyncio.sleep(_GRACE_S)
        if key not in self._filling:
            await self._drop_local(generation)

    async def _copy(self, generation: Generation) -> None:
        log.info("engine   collection %s: its vectors are being copied", generation.collection_id)
        while True:
            try:
                engine = await self._engine.open_synced(generation)
                break
            except Unavailable as error:
                log.info("collection %s: the engine is filled later: %s", generation.collection_id, error)
            await asyncio.sleep(_RETRY_S)
        log.info("engine   collection %s: it has %d vectors", generation.collection_id, engine.size)

    async def _drop_local(self, generation: Generation) -> None:
        """Free the disk: the engine has all that the local index had."""
        key = _key(generation)
        if key not in self._without_local:
            self._without_local.add(key)
            for registry in self._local.registries:
                await registry.drop(*key)


@asynccontextmanager
async def open_vectors(settings: Settings, store: Store, run_in_pool: RunInPool) -> AsyncIterator[VectorSync]:
    """The vector indexes that the settings name. Raises ConfigError when the packages for an engine are missing."""
    chosen = settings.index
    shares = chosen.engine == "milvus"
    local = IndexRegistry(
        settings.data / "index", replace(chosen, engine="codes") if shares else chosen, run_in_pool
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(local.close)
        if not shares:
            yield LocalVectors(store, local)
            return
        monitor = await stack.enter_async_context(milvus_monitor(settings.milvus))
        shared = milvus_registry(settings.milvus, lambda: monitor.state.state == "away")
        stack.push_async_callback(shared.close)
        yield EngineVectors(store, local, shared, settings.milvus.catch_up, lambda: monitor.state)


def _key(generation: Generation) -> Key:
    return generation.collection_id, generation.number


async def _add_vectors(store: Store, index: VectorRetriever, generation: Generation) -> None:
    async for block in store.chunks.vectors(generation, index.last_seq, generation.last_seq):
        await index.add(block.seqs, block.vectors)
