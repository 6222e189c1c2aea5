"""What a search gets of an index whose engine of vectors is away or slow, however far its words are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.keyword_registry import found, in_thread
from support.patience import deadline

from semantik.core.errors import EngineAway
from semantik.core.models import Chunk, Generation, now
from semantik.index import EngineState, VectorRetriever
from semantik.index.keyword import KeywordRegistry
from semantik.search import index_sync
from semantik.search.away_vectors import AwayVectors
from semantik.search.index_sync import IndexSync
from semantik.search.vector_sync import LocalVectors

pytestmark = pytest.mark.gen_test


class _Engine(LocalVectors):
    """Vectors of an engine that is away, or `hangs`."""

    hangs = False

    @property
    def engine_state(self) -> EngineState:
        return EngineState("milvus", "http://m:1", "away", now())

    async def open_synced(self, generation: Generation, writes: bool = False) -> VectorRetriever:
        if self.hangs:
            await asyncio.Event().wait()
        raise EngineAway("It is away.", 5)


class _Texts:
    """A store of chunks alone, each a text: the seq is its place. It gives none while `held`."""

    def __init__(self, *texts: str) -> None:
        self.chunks, self.rows = self, list(texts)
        self.held = False

    @property
    def generation(self) -> Generation:
        last = len(self.rows) - 1
        return Generation("c", 1, "model", "float32", 200, 20, dimension=4, last_seq=last)

    async def texts(self, generation: Generation, after: int, last: int) -> AsyncIterator[list[Chunk]]:
        if self.held:
            await asyncio.Event().wait()
        yield [
            Chunk(seq, f"d{seq}", self.rows[seq], 0, 1, None, None, language="en")
            for seq in range(after + 1, last + 1)
        ]


@asynccontextmanager
async def _indexes(folder: Path, store: Any, hangs: bool = False) -> AsyncIterator[IndexSync]:
    keywords = KeywordRegistry(folder, in_thread)
    engine = _Engine(store, keywords)  # type: ignore[arg-type] (it opens nothing)
    engine.hangs = hangs
    indexes = IndexSync(store, engine, keywords)
    try:
        yield indexes
    finally:
        await indexes.close()
        await keywords.close()


async def test_words_that_are_behind_answer_as_they_are(tmp_path: Path, monkeypatch: Any) -> None:
    store = _Texts("the lamps of the pier")
    async with _indexes(tmp_path, store) as indexes, deadline():
        vectors, words = await indexes.get_synced(store.generation)
        assert isinstance(vectors, AwayVectors) and await found(words, "lamps") == [0]
        store.rows.append("the lamps of the harbour")
        store.held = True
        monkeypatch.setattr(index_sync, "_OPEN_WORDS_S", 0.05)
        monkeypatch.setattr(index_sync, "_WORDS_ALONE_S", 0.05)
        _, behind = await indexes.get_synced(store.generation)
        assert behind is words and await found(behind, "lamps") == [0]


async def test_words_are_waited_for_longer_than_beside_vectors(tmp_path: Path, monkeypatch: Any) -> None:
    store = _Texts("the lamps of the pier")
    monkeypatch.setattr(index_sync, "_OPEN_WORDS_S", 0.0)
    async with _indexes(tmp_path, store) as indexes, deadline():
        _, words = await indexes.get_synced(store.generation)
        assert await found(words, "lamps") == [0]


async def test_without_any_words_the_absence_is_told(tmp_path: Path, monkeypatch: Any) -> None:
    store = _Texts("the lamps of the pier")
    store.held = True
    monkeypatch.setattr(index_sync, "_OPEN_WORDS_S", 0.05)
    monkeypatch.setattr(index_sync, "_WORDS_ALONE_S", 0.05)
    async with _indexes(tmp_path, store) as indexes, deadline():
        with pytest.raises(EngineAway, match="It is away"):
            await indexes.get_synced(store.generation)


async def test_an_engine_that_takes_long_leaves_the_answer_to_words(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(index_sync, "_ENGINE_S", 0.05)
    store = _Texts("the lamps of the pier")
    async with _indexes(tmp_path, store, hangs=True) as indexes, deadline():
        vectors, words = await indexes.get_synced(store.generation)
        assert isinstance(vectors, AwayVectors) and await found(words, "lamps") == [0]
