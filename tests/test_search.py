"""A search finds a collection as it was remembered, and notices whatever was done to it since, here or elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantik import settings
from semantik.access import Access
from semantik.data_folder import data_lock
from semantik.embedded import embedded
from semantik.errors import NotFound
from semantik.index import Indexes
from semantik.questions import Questions
from semantik.records import Chunk, Collection, Document, Generation, User, new_id, now
from semantik.search import Hit, Question, Search
from semantik.store import Store
from semantik.vectors import Vectors

pytestmark = pytest.mark.gen_test(timeout=60)

_DIMENSION = 16
_FENCE = "fence"
_ALIKE = np.full(_DIMENSION, 0.25, np.float16)


@dataclass
class Here:
    """A server's search, the store of another one on the same MongoDB, and how often collections were asked for."""

    search: Search
    indexes: Indexes
    store: Store
    other: Store
    user: User
    collection: Collection
    asked: list[Sequence[str]]

    async def ask(self, user: User | None = None) -> tuple[Hit, ...]:
        question = Question("anything", (self.collection.id,))
        return (await self.search.ask(user or self.user, question)).hits


def _user(name: str) -> User:
    return User(new_id(), name, None, "hash", False, False, now())


def _collection(owner: User) -> Collection:
    key = new_id()
    first = Generation(key, 1, "m", "auto", 200, 20, dimension=_DIMENSION)
    return Collection(key, owner.id, "Docs", "", 1, (first,), 0, None, now(), now())


async def _embed(model: str, precision: str, texts: Sequence[str]) -> np.ndarray:
    return np.tile(_ALIKE.astype(np.float32), (len(texts), 1))


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
        indexes = Indexes(tmp_path / "index", settings.Index(), _no_merge)
        questions = Questions(_embed, settings.Search)
        user = _user("anna")
        collection = _collection(user)
        await store.collections.add(collection)
        asked: list[Sequence[str]] = []
        read = store.collections.get_many

        async def noted(ids: Sequence[str]) -> dict[str, Collection]:
            asked.append(ids)
            return await read(ids)

        store.collections.get_many = noted  # type: ignore[method-assign]
        search = Search(store, Access(store), Vectors(store, indexes), questions, settings.Search())
        try:
            yield Here(search, indexes, store, other, user, collection, asked)
        finally:
            await questions.close()
            await indexes.close()


async def _add(it: Here, text: str, seq: int) -> None:
    """A document of one passage, stored as another server does it."""
    generation = it.collection.current
    document = Document(
        new_id(), it.collection.id, 1, "s", "o", f"/{text}", 1, 1, "indexed", first_seq=seq, chunk_count=1
    )
    await it.other.documents.register([document])
    chunk = Chunk(seq, document.id, text, 0, len(text), None, None)
    await it.other.chunks.add(generation, [(chunk, _ALIKE)])
    collections = it.other.collections
    await collections.lock(it.collection.id, "an operation")
    await collections.seize(it.collection.id, "an operation", _FENCE)
    await collections.publish(generation, seq, _FENCE)
    await collections.unlock(it.collection.id, "an operation")


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
        await it.other.collections.change(it.collection.id, {"name": "Renamed"})
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
