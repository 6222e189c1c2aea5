"""A search finds a collection as it was remembered, and notices whatever was done to it since, here or elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantik.auth.authorization import Authorizer
from semantik.config import settings
from semantik.core.errors import Invalid, NotFound
from semantik.core.models import Chunk, Collection, Document, Generation, User, new_id, now
from semantik.index import IndexRegistry
from semantik.search.hydration import Hit
from semantik.search.index_sync import IndexSync
from semantik.search.query import SearchQuery
from semantik.search.query_embedder import QueryEmbedder
from semantik.search.service import SearchService
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store
from semantik.storage.mongo.collections import CollectionTable

pytestmark = pytest.mark.gen_test

_DIMENSION = 16
_FENCE = "fence"
_ALIKE = np.full(_DIMENSION, 0.25, np.float16)


@dataclass
class Here:
    """A server's search, the store of another one on the same MongoDB, how often collections were asked for, and the
    models that cannot be loaded."""

    search: SearchService
    indexes: IndexRegistry
    other: Store
    user: User
    collection: Collection
    asked: list[Sequence[str]]
    gone: set[str]

    async def ask(self, user: User | None = None, text: str = "anything", k: int = 10) -> tuple[Hit, ...]:
        question = SearchQuery(text, (self.collection.id,), k)
        return (await self.search.search(user or self.user, question)).hits


def _user(name: str) -> User:
    return User(new_id(), name, None, "hash", False, False, now())


def _collection(owner: User) -> Collection:
    key = new_id()
    first = Generation(key, 1, "m", "auto", 200, 20, dimension=_DIMENSION)
    return Collection(key, owner.id, "Docs", "", 1, (first,), 0, None, now(), now())


async def _no_merge(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
    raise AssertionError("so few vectors need no merge")


@asynccontextmanager
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    async with (
        data_lock(tmp_path) as lock,
        embedded(tmp_path, True, False, lock) as stores,
        Store(stores.mongo_url, "test", stores.mongo_reads_url) as store,
        Store(stores.mongo_url, "test") as other,
    ):
        indexes = IndexRegistry(tmp_path / "index", settings.IndexSettings(), _no_merge)
        gone: set[str] = set()

        async def embed(model: str, precision: str, texts: Sequence[str]) -> np.ndarray:
            if model in gone:
                raise Invalid(f"The model {model} is gone.")
            return np.tile(_ALIKE.astype(np.float32), (len(texts), 1))

        questions = QueryEmbedder(embed, settings.SearchSettings)
        user = _user("anna")
        collection = _collection(user)
        await store.collections.add(collection)
        asked: list[Sequence[str]] = []
        read = store.collections.get_many

        async def noted(ids: Sequence[str]) -> dict[str, Collection]:
            asked.append(ids)
            return await read(ids)

        store.collections.get_many = noted  # type: ignore[method-assign]
        search = SearchService(
            store, Authorizer(store), IndexSync(store, indexes), questions, settings.SearchSettings
        )
        try:
            yield Here(search, indexes, other, user, collection, asked, gone)
        finally:
            await questions.close()
            await indexes.close()


async def _add(it: Here, text: str, seq: int, count: int = 1) -> None:
    """A document of some passages with this text, stored as another server does it."""
    generation = it.collection.current
    await _store(it, generation, text, seq, count)
    await _publish(it, generation, seq + count - 1)


async def _store(it: Here, generation: Generation, text: str, seq: int, count: int = 1) -> None:
    document = Document(
        new_id(), it.collection.id, generation.number, "s", "o", f"/{text}", 1, 1, "indexed",
        first_seq=seq, chunk_count=count,
    )  # fmt: skip
    await it.other.documents.register([document])
    chunks = [Chunk(n, document.id, text, n, n + 1, None, None) for n in range(seq, seq + count)]
    await it.other.chunks.add(generation, [(each, _ALIKE) for each in chunks])


async def _publish(it: Here, generation: Generation, last_seq: int) -> None:
    async with _at_work(it) as collections:
        await collections.set_last_seq(generation, last_seq, _FENCE)


@asynccontextmanager
async def _at_work(it: Here) -> AsyncIterator[CollectionTable]:
    """The other server has the collection."""
    collections, operation = it.other.collections, "an operation"
    await collections.lock(it.collection.id, operation)
    await collections.force_lock(it.collection.id, operation, _FENCE)
    yield collections
    await collections.unlock(it.collection.id, operation)


def _texts(hits: Sequence[Hit]) -> list[str]:
    return [hit.chunk.text for hit in hits]


async def test_a_collection_at_rest_is_asked_for_once(tmp_path: Path) -> None:
    async with here(tmp_path) as it:
        await _add(it, "one", 0)
        for _ in range(3):
            assert _texts(await it.ask()) == ["one"]
        assert len(it.asked) == 1


async def test_what_another_server_adds_is_found_at_once(tmp_path: Path) -> None:
    async with here(tmp_path) as it:
        await _add(it, "one", 0)
        assert _texts(await it.ask()) == _texts(await it.ask()) == ["one"]
        await _add(it, "two", 1)
        assert _texts(await it.ask()) == ["one", "two"]
        assert len(it.asked) == 2


async def test_a_new_name_is_shown_at_once(tmp_path: Path) -> None:
    async with here(tmp_path) as it:
        await _add(it, "one", 0)
        await it.ask()
        await it.other.collections.update(it.collection.id, {"name": "Renamed"})
        assert [hit.collection.name for hit in await it.ask()] == ["Renamed"]


async def test_a_deleted_collection_is_gone_at_once(tmp_path: Path) -> None:
    async with here(tmp_path) as it:
        await _add(it, "one", 0)
        await it.ask()
        await it.other.collections.mark_deleted(it.collection.id)
        with pytest.raises(NotFound):
            await it.ask()


async def test_what_was_dropped_is_not_opened_for_what_is_remembered(tmp_path: Path) -> None:
    async with here(tmp_path) as it:
        await _add(it, "one", 0)
        await it.ask()
        await it.other.collections.mark_deleted(it.collection.id)
        await it.indexes.drop(it.collection.id)
        with pytest.raises(NotFound):
            await it.ask()
        assert not (tmp_path / "index" / it.collection.id).exists()


async def test_who_may_not_read_it_is_refused_though_it_is_remembered(tmp_path: Path) -> None:
    async with here(tmp_path) as it:
        await _add(it, "one", 0)
        await it.ask()
        with pytest.raises(NotFound):
            await it.ask(_user("eve"))


async def test_a_collection_that_is_worked_on_is_asked_for_each_time(tmp_path: Path) -> None:
    async with here(tmp_path) as it:
        await _add(it, "one", 0)
        await it.other.collections.lock(it.collection.id, "an operation")
        await it.ask()
        await it.ask()
        assert len(it.asked) == 2


async def test_what_goes_wrong_with_a_generation_of_before_is_not_told(tmp_path: Path) -> None:
    async with here(tmp_path) as it:
        await _add(it, "one", 0)
        await it.ask()
        new = replace(it.collection.current, number=2, model="another", last_seq=1)
        await _store(it, new, "two", 1)
        async with _at_work(it) as collections:
            await collections.add_generation(new, _FENCE)
            await collections.switch_generation(new, 60, _FENCE)
        it.gone.add(it.collection.current.model)
        assert _texts(await it.ask(text="Where?")) == ["two"]
        it.gone.add("another")
        with pytest.raises(Invalid, match="another is gone"):
            await it.ask(text="And when?")


async def test_more_passages_than_one_command_reads(tmp_path: Path) -> None:
    async with here(tmp_path) as it:
        await _add(it, "many", 0, 250)
        for _ in range(2):
            assert len(await it.ask(k=250)) == 250
        assert len(it.asked) == 1
        await it.other.collections.update(it.collection.id, {"name": "Renamed"})
        assert {hit.collection.name for hit in await it.ask(k=250)} == {"Renamed"}
