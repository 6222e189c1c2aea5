"""Keeps the indexes in step with MongoDB: opens those of a generation and adds the chunks that they lack.

Runs on the loop. All retrievers share the life cycle of `RetrieverSync`; `VectorSync` says which vectors answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import EngineAway, Unavailable
from semantik.core.models import Chunk, Collection, Generation
from semantik.index import EngineState, IndexStats, Retriever, RetrieverRegistry, VectorRetriever
from semantik.index.keyword import KeywordIndex, KeywordRegistry, KeywordText
from semantik.search.away_vectors import AwayVectors
from semantik.search.retriever_sync import RetrieverSync
from semantik.search.vector_sync import VectorSync
from semantik.storage.mongo import Store

log = logging.getLogger(__name__)

# A search waits so long for a keyword index that has to be opened; one that has to be built takes longer.
_OPEN_WORDS_S = 1.0
_WORDS_ALONE_S = 5.0
_BUILDS = 2
# So long a search waits for an engine to load and take what it lacks, which goes on; then words answer alone.
_ENGINE_S = 10.0
_RETRY_S = 10.0  # after a failure, meaning alone answers for this long
# A page that shows a collection waits no longer for its index, whose files may take long to check.
_STATS_S = 2.0


@dataclass(frozen=True)
class WordsStats:
    """The keyword index of a generation: how many chunks it finds, its bytes on disk, and whether it has all chunks."""

    chunks: int
    bytes: int
    ready: bool


class IndexSync:
    """The access to all indexes: one that it returns holds every chunk that the generation lets be found."""

    def __init__(self, store: Store, vectors: VectorSync, keywords: KeywordRegistry | None = None) -> None:
        """Without `keywords` there are no keyword indexes: everything is found by its meaning."""
        self._store = store
        self._vectors = vectors
        self._words: RetrieverSync[KeywordIndex] | None = None
        if keywords is not None:
            self._words = RetrieverSync(keywords, partial(_add_texts, store))
        words: list[RetrieverRegistry[Any]] = [self._words.registry] if self._words else []
        self._registries: tuple[RetrieverRegistry[Any], ...] = (*vectors.registries, *words)
        self._builds: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._retry_at: dict[tuple[str, int], float] = {}
        self._building = asyncio.Semaphore(_BUILDS)

    @property
    def engine_state(self) -> EngineState | None:
        """Whether the engine of vectors that many servers share answers; None without one. Never waits."""
        return self._vectors.engine_state

    async def get_synced(self, generation: Generation) -> tuple[Retriever[Any], ...]:
        """The retrievers of a generation, up to its `last_seq`; none while it holds no chunks.

        The keyword index is not among them while it is built, in the background: nobody waits for it. Vectors whose
        engine is away, or needs long to load them, are `AwayVectors`, if there are words. Raises Unavailable when files
        or MongoDB cannot be read.
        """
        if generation.dimension is None:
            return ()
        try:
            vectors = await self._soon(generation)
        except EngineAway as error:
            if (words := await self._words_alone(generation)) is None:
                raise
            return AwayVectors(error, generation.dimension, words.size), words
        words = await self.words_soon(generation)
        return (vectors,) if words is None else (vectors, words)

    async def _soon(self, generation: Generation) -> VectorRetriever:
        if self.engine_state is None:
            return await self._vectors.open_synced(generation)
        try:
            async with asyncio.timeout(_ENGINE_S):
                return await self._vectors.open_synced(generation)
        except TimeoutError as error:
            raise EngineAway("The vectors are not ready yet; please ask again shortly.", 5) from error

    async def get_synced_vectors(self, generation: Generation) -> VectorRetriever | None:
        """The same of the vector index alone; None while there are no vectors."""
        if generation.dimension is None:
            return None
        return await self._vectors.open_synced(generation)

    def get_if_ready(self, generation: Generation) -> tuple[Retriever[Any], ...]:
        """The retrievers of a generation that are open here and up to date: none without the vector index.

        None also where `get_synced` has to be called to open the keyword index, or to begin to build it.
        """
        vectors = self._vectors.ready(generation)
        if vectors is None:
            return ()
        if (words := self.words_if_ready(generation)) is not None:
            return (vectors, words)
        key = (generation.collection_id, generation.number)
        waits = self._words is None or key in self._builds or self._retry_at.get(key, 0.0) > time.monotonic()
        return (vectors,) if waits else ()

    async def get_synced_words(self, generation: Generation) -> KeywordIndex | None:
        """The keyword index of a generation, up to its `last_seq`, however long that takes; None without chunks.

        Raises Unavailable when files or MongoDB cannot be read.
        """
        if generation.dimension is None or self._words is None:
            return None
        return await self._words.open_synced(generation)

    async def add_vectors(
        self, generation: Generation, before: int, first: int, vectors: NDArray[np.float16]
    ) -> None:
        """Add the vectors of chunks that were just written, from seq `first` on, to the vector index.

        Only what it lacks of the others, those up to seq `before`, is read from MongoDB.
        """
        earlier = replace(generation, last_seq=before)
        index = await self._vectors.open_synced(earlier, writes=True)
        await index.add(np.arange(first, first + len(vectors), dtype=np.int64), vectors)

    async def add_words(self, generation: Generation, before: int, chunks: Sequence[Chunk]) -> None:
        """Add chunks that were just written to the keyword index, if it has all others, those up to seq `before`.

        Otherwise it takes them from MongoDB, in the background, as it does after a failure here: no operation waits.
        """
        if generation.dimension is None or self._words is None:
            return
        try:
            words = await self._words.open(generation)
            lock = self._words.lock(words)
            if not lock.locked():
                async with lock:
                    if self._words.synced_to(words) >= before:
                        await _add_chunks(words, chunks)
                        self._words.set_synced(words, chunks[-1].seq)
                        return
        except Unavailable as error:
            log.info("collection %s: words are added later: %s", generation.collection_id, error)
        self._start_words(generation)

    async def delete(self, generation: Generation, seqs: Sequence[tuple[int, int]]) -> None:
        """Let chunks, half-open ranges of seqs, not be found from now on.

        Other servers delete a chunk when one of their searches finds it and MongoDB no longer has it.
        """
        if generation.dimension is None or not seqs:
            return
        if self._words is not None:
            try:
                await (await self._words.open(generation)).delete(seqs)
            except Unavailable as error:  # a search that finds one of them asks MongoDB, and deletes it then
                log.info("collection %s: words are deleted later: %s", generation.collection_id, error)
        await self._vectors.delete(generation, seqs)

    async def stats(self, generation: Generation) -> IndexStats | None:
        """The state of the vector index on this server, without adding what it lacks.

        None while it holds no vectors, while its files are being checked, and while its engine does not answer.
        """
        if generation.dimension is None:
            return None
        try:
            async with asyncio.timeout(_STATS_S):
                index = await self._vectors.open(generation)
        except (TimeoutError, EngineAway):
            return None
        return index.stats()

    async def words_stats(self, generation: Generation) -> WordsStats | None:
        """The state of the keyword index on this server; None while it holds no words or is not open."""
        if self._words is None or generation.dimension is None:
            return None
        words = self._words.registry.get_if_open(generation.collection_id, generation.number)
        if words is None:
            self._start_words(generation)
            return None
        try:
            return WordsStats(
                words.size, await words.disk_bytes(), not self._words.missing(words, generation)
            )
        except Unavailable:
            return None

    async def close(self) -> None:
        """Stop what is done in the background; before the registries are closed."""
        await self._stop_builds(list(self._builds))
        await self._vectors.stop()

    async def drop(self, collection: Collection) -> None:
        """Close a collection's indexes and delete their files."""
        await self._stop_builds([(collection.id, each.number) for each in collection.generations])
        for registry in self._registries:
            await registry.drop(collection.id)

    async def drop_generation(self, generation: Generation) -> None:
        """Close the indexes of one generation and delete their files."""
        await self._stop_builds([(generation.collection_id, generation.number)])
        for registry in self._registries:
            await registry.drop(generation.collection_id, generation.number)

    async def drop_orphans(self) -> None:
        """Drop the indexes of collections and generations that another server has removed: it drops only its own."""
        for registry in self._registries:
            opened = registry.open_keys()  # before the read, so that nothing newer is taken for an orphan
            if not opened:
                continue
            current = await self._store.collections.generation_numbers({key for key, _ in opened})
            for collection_id, number in opened:
                if number not in current.get(collection_id, ()):
                    await self._stop_builds([(collection_id, number)])
                    await registry.drop(collection_id, number if collection_id in current else None)

    def words_if_ready(self, generation: Generation) -> KeywordIndex | None:
        return self._words.ready(generation) if self._words else None

    async def words_soon(self, generation: Generation) -> KeywordIndex | None:
        """The keyword index of a generation if it can be opened and brought up to date within a second."""
        if (ready := self.words_if_ready(generation)) is None and self._start_words(generation):
            key = (generation.collection_id, generation.number)
            await asyncio.wait([self._builds[key]], timeout=_OPEN_WORDS_S)
            ready = self.words_if_ready(generation)
        return ready

    async def _words_alone(self, generation: Generation) -> KeywordIndex | None:
        """The keyword index where no vectors can answer: waited for longer, then as it is; None while it is empty."""
        ready, key = await self.words_soon(generation), (generation.collection_id, generation.number)
        if ready is not None or self._words is None:
            return ready
        if (build := self._builds.get(key)) is not None:
            await asyncio.wait([build], timeout=_WORDS_ALONE_S)
        known = self._words.registry.get_if_open(*key)
        return known if known is not None and known.size else None

    def _start_words(self, generation: Generation) -> bool:
        """Bring the keyword index up to date in the background, if that is not done already; whether it was begun."""
        key = (generation.collection_id, generation.number)
        if (
            self._words is None
            or generation.dimension is None
            or key in self._builds
            or self.words_if_ready(generation)
        ):
            return False
        build = self._build_words(self._words, generation)
        self._builds[key] = asyncio.create_task(build, name="keyword-build")
        self._builds[key].add_done_callback(lambda _: self._builds.pop(key, None))
        return True

    async def _build_words(self, words: RetrieverSync[KeywordIndex], generation: Generation) -> None:
        async with self._building:
            try:
                await words.open_synced(generation)
            except Unavailable as error:
                self._retry_at[generation.collection_id, generation.number] = time.monotonic() + _RETRY_S
                log.info("collection %s: its words cannot be read now: %s", generation.collection_id, error)

    async def _stop_builds(self, keys: Sequence[tuple[str, int]]) -> None:
        await self._vectors.stop(keys)
        tasks = [self._builds[key] for key in keys if key in self._builds]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _add_texts(store: Store, index: KeywordIndex, generation: Generation) -> None:
    async for chunks in store.chunks.texts(generation, index.last_seq, generation.last_seq):
        await _add_chunks(index, chunks)


async def _add_chunks(index: KeywordIndex, chunks: Sequence[Chunk]) -> None:
    texts = [KeywordText(each.text, each.title, each.heading, each.language) for each in chunks]
    await index.add(np.array([each.seq for each in chunks], np.int64), texts)
