"""A search uses a cached collection, and notices all later changes to it, by this server or another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import numpy as np
import pytest
from support.principals import principal

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.config import settings
from semantik.core.errors import EngineAway, Invalid, NotFound
from semantik.core.models import Chunk, Collection, Document, Generation, new_id, now
from semantik.index import IndexRegistry
from semantik.search.hits import Hit
from semantik.search.index_sync import IndexSync
from semantik.search.query import SearchQuery
from semantik.search.query_embedder import QueryEmbedder
from semantik.search.rerank import Reranker
from semantik.search.service import SearchService
from semantik.search.vector_sync import LocalVectors
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store
from semantik.storage.mongo.collections import CollectionTable

pytestmark = pytest.mark.gen_test

_DIMENSION = 16
_FENCE = "fence"
_SAME_VECTOR = np.full(_DIMENSION, 0.25, np.float16)


@dataclass
class SearchSetup:
    """One server's search, another server's store on the same MongoDB, the reads of collections, and missing models."""

    search: SearchService
    indexes: IndexRegistry
    other: Store
    principal: Principal
    collection: Collection
    reads: list[Sequence[str]]
    missing_models: set[str]

    async def ask(
        self, principal: Principal | None = None, text: str = "anything", k: int = 10
    ) -> tuple[Hit, ...]:
        query = SearchQuery(text, (self.collection.id,), k)
        return (await self.search.search(principal or self.principal, query)).hits


def _collection(owner: Principal) -> Collection:
    key = new_id()
    first = Generation(key, 1, "m", "auto", 200, 20, dimension=_DIMENSION)
    return Collection(key, owner.user.id, "Docs", "", 1, (first,), 0, None, now(), now())


async def _no_merge(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
    raise AssertionError("so few vectors need no merge")


@asynccontextmanager
async def search_setup(tmp_path: Path) -> AsyncIterator[SearchSetup]:
    async with (
        data_lock(tmp_path) as lock,
        embedded(tmp_path, True, False, lock) as stores,
        Store(stores.mongo_url, "test", stores.mongo_reads_url) as store,
        Store(stores.mongo_url, "test") as other,
    ):
        indexes = IndexRegistry(tmp_path / "index", settings.IndexSettings(), _no_merge)
        missing_models: set[str] = set()

        async def embed(model: str, precision: str, texts: Sequence[str]) -> np.ndarray:
            if model in missing_models:
                raise Invalid(f"The model {model} is gone.")
            return np.tile(_SAME_VECTOR.astype(np.float32), (len(texts), 1))

        embedder = QueryEmbedder(embed, settings.SearchSettings)
        owner = principal("anna")
        collection = _collection(owner)
        await store.collections.add(collection)
        reads: list[Sequence[str]] = []
        read = store.collections.get_many

        async def recorded(ids: Sequence[str]) -> dict[str, Collection]:
            reads.append(ids)
            return await read(ids)

        store.collections.get_many = recorded  # type: ignore[method-assign]
        search = SearchService(
            store,
            Authorizer(store),
            IndexSync(store, LocalVectors(store, indexes)),
            embedder,
            settings.SearchSettings,
            Reranker(_rerank, settings.SearchSettings),
        )
        try:
            yield SearchSetup(search, indexes, other, owner, collection, reads, missing_models)
        finally:
            await embedder.close()
            await indexes.close()


async def _rerank(model: str, query: str, texts: Sequence[str]) -> list[float]:
    raise AssertionError("no reranker is set")


async def _add(setup: SearchSetup, text: str, seq: int, count: int = 1) -> None:
    """A document of `count` chunks with this text, stored and published as another server does it."""
    generation = setup.collection.current
    await _store(setup, generation, text, seq, count)
    await _publish(setup, generation, seq + count - 1)


async def _store(setup: SearchSetup, generation: Generation, text: str, seq: int, count: int = 1) -> None:
    document = Document(
        new_id(), setup.collection.id, generation.number, "s", "o", f"/{text}", 1, 1, "indexed",
        first_seq=seq, chunk_count=count,
    )  # fmt: skip
    await setup.other.documents.register([document])
    texts = [text] if count == 1 else [f"{text} {n}" for n in range(count)]
    chunks = [Chunk(seq + n, document.id, each, n, n + 1, None, None) for n, each in enumerate(texts)]
    await setup.other.chunks.add(generation, [(each, _SAME_VECTOR) for each in chunks])


async def _publish(setup: SearchSetup, generation: Generation, last_seq: int) -> None:
    async with _locked(setup) as collections:
        await collections.set_last_seq(generation, last_seq, _FENCE)


@asynccontextmanager
async def _locked(setup: SearchSetup) -> AsyncIterator[CollectionTable]:
    """The other server holds the collection's lock."""
    collections, operation = setup.other.collections, "an operation"
    await collections.lock(setup.collection.id, operation)
    await collections.force_lock(setup.collection.id, operation, _FENCE)
    yield collections
    await collections.unlock(setup.collection.id, operation)


def _texts(hits: Sequence[Hit]) -> list[str]:
    return [hit.chunk.text for hit in hits]


async def test_unchanged_collection_is_read_once(tmp_path: Path) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "one", 0)
        for _ in range(3):
            assert _texts(await setup.ask()) == ["one"]
        assert len(setup.reads) == 1


async def test_chunks_added_by_another_server_are_found_at_once(tmp_path: Path) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "one", 0)
        assert _texts(await setup.ask()) == _texts(await setup.ask()) == ["one"]
        await _add(setup, "two", 1)
        assert _texts(await setup.ask()) == ["one", "two"]
        assert len(setup.reads) == 2


async def test_new_collection_name_is_returned_at_once(tmp_path: Path) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "one", 0)
        await setup.ask()
        await setup.other.collections.update(setup.collection.id, {"name": "Renamed"})
        assert [hit.collection.name for hit in await setup.ask()] == ["Renamed"]


async def test_deleted_collection_is_not_found_at_once(tmp_path: Path) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "one", 0)
        await setup.ask()
        await setup.other.collections.mark_deleted(setup.collection.id)
        with pytest.raises(NotFound):
            await setup.ask()


async def test_dropped_index_is_not_reopened_for_a_cached_collection(tmp_path: Path) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "one", 0)
        await setup.ask()
        await setup.other.collections.mark_deleted(setup.collection.id)
        await setup.indexes.drop(setup.collection.id)
        with pytest.raises(NotFound):
            await setup.ask()
        assert not (tmp_path / "index" / setup.collection.id).exists()


async def test_cached_collection_is_not_found_by_another_user(tmp_path: Path) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "one", 0)
        await setup.ask()
        with pytest.raises(NotFound):
            await setup.ask(principal("eve"))


async def test_locked_collection_is_read_for_each_search(tmp_path: Path) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "one", 0)
        await setup.other.collections.lock(setup.collection.id, "an operation")
        await setup.ask()
        await setup.ask()
        assert len(setup.reads) == 2


async def test_a_removed_chunk_whose_vector_cannot_be_deleted_now_fails_no_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "one", 0)
        await _add(setup, "two", 1)
        assert _texts(await setup.ask()) == ["one", "two"]
        await setup.other.chunks.remove_spans(setup.collection.id, [(0, 1)])
        with monkeypatch.context() as patched:
            patched.setattr(LocalVectors, "delete", AsyncMock(side_effect=EngineAway("It is away.", 5)))
            assert _texts(await setup.ask()) == ["two"]
        index = await setup.indexes.open(setup.collection.id, setup.collection.generation, _DIMENSION)
        assert index.size == 2
        assert _texts(await setup.ask()) == ["two"] and index.size == 1


async def test_search_that_fails_on_a_stale_generation_is_retried(tmp_path: Path) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "one", 0)
        await setup.ask()
        new = replace(setup.collection.current, number=2, model="another", last_seq=1)
        await _store(setup, new, "two", 1)
        async with _locked(setup) as collections:
            await collections.add_generation(new, _FENCE)
            await collections.switch_generation(new, 60, _FENCE)
        setup.missing_models.add(setup.collection.current.model)
        assert _texts(await setup.ask(text="Where?")) == ["two"]
        setup.missing_models.add("another")
        with pytest.raises(Invalid, match="another is gone"):
            await setup.ask(text="And when?")


async def _read_again(setup: SearchSetup, text: str, seq: int) -> None:
    """Another server replaces the chunk of the first document, and does not publish it yet."""
    generation = setup.collection.current
    [hit] = await setup.ask()
    await setup.other.chunks.add(generation, [(replace(hit.chunk, seq=seq, text=text), _SAME_VECTOR)])
    await setup.other.documents.update_each({hit.document.id: {"first_seq": seq}})


async def test_a_document_that_another_server_is_publishing_is_waited_for(tmp_path: Path) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "one", 0)
        await _read_again(setup, "two", 1)
        asking = asyncio.create_task(setup.ask(text="Where?"))
        await asyncio.sleep(0.1)
        await _publish(setup, setup.collection.current, 1)
        assert _texts(await asking) == ["two"]


async def test_old_chunks_that_are_not_deleted_yet_delay_no_search(tmp_path: Path) -> None:
    """A server that has read documents again is suspended before it deletes their old chunks."""
    async with search_setup(tmp_path) as setup:
        for seq in range(5):
            await _add(setup, f"old {seq}", seq)
            assert len(await setup.ask()) == seq + 1
        for seq, hit in enumerate(await setup.ask(), 5):
            generation = setup.collection.current
            chunk = replace(hit.chunk, seq=seq, text=f"new {seq}")
            await setup.other.chunks.add(generation, [(chunk, _SAME_VECTOR)])
            await _publish(setup, generation, seq)
            await setup.other.documents.update_each({hit.document.id: {"first_seq": seq}})
        setup.reads.clear()
        assert _texts(await setup.ask(k=5)) == [f"new {seq}" for seq in range(5, 10)]
        assert len(setup.reads) == 1


async def test_passages_that_may_be_missing_are_said(tmp_path: Path) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "one", 0)
        await _read_again(setup, "two", 1)
        result = await setup.search.search(setup.principal, SearchQuery("Where?", (setup.collection.id,), 10))
        assert result.hits == () and "may be missing" in (result.degraded or "")


async def test_more_chunks_than_one_command_reads_are_found(tmp_path: Path) -> None:
    async with search_setup(tmp_path) as setup:
        await _add(setup, "many", 0, 250)
        for _ in range(2):
            assert len(await setup.ask(k=250)) == 250
        assert len(setup.reads) == 1
        await setup.other.collections.update(setup.collection.id, {"name": "Renamed"})
        assert {hit.collection.name for hit in await setup.ask(k=250)} == {"Renamed"}
