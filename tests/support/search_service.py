"""A search service on stores of its own, whose collection gets documents without a server: for tests of what is found.

Its model is the bundled one, run in this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.principals import principal

from pipeline.compute.messages import ModelSpec
from pipeline.embedding.query_model import embed_queries
from semantik.analysis import detect_language
from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.config import settings
from semantik.core.errors import Unavailable
from semantik.core.models import Chunk, Collection, Document, Generation, new_id, now
from semantik.index import IndexRegistry
from semantik.index.keyword import KeywordRegistry
from semantik.search.hits import SearchResult
from semantik.search.index_sync import IndexSync
from semantik.search.query import SearchQuery
from semantik.search.query_embedder import QueryEmbedder
from semantik.search.rerank import Reranker
from semantik.search.service import SearchService
from semantik.search.vector_sync import LocalVectors
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store

MODEL = settings.EmbeddingSettings().model
DIMENSION = 384


@dataclass
class SearchFixture:
    """`broken` makes the model fail; documents are named by their paths."""

    service: SearchService
    store: Store
    principal: Principal
    traced: Path
    broken: list[str] = field(default_factory=list)
    collections: list[Collection] = field(default_factory=list)

    async def collection(self, name: str = "Docs") -> Collection:
        key = new_id()
        first = Generation(key, 1, MODEL, "float32", 200, 20, dimension=DIMENSION)
        made = Collection(key, self.principal.user.id, name, "", 1, (first,), 0, None, now(), now())
        await self.store.collections.add(made)
        self.collections.append(made)
        return made

    async def add(self, collection: Collection, documents: dict[str, Sequence[str]], first: int = 0) -> None:
        """Documents by their paths, each with the texts of its chunks; `first` is the seq of the first chunk."""
        texts = [text for chunks in documents.values() for text in chunks]
        vectors = await self.embed(MODEL, "float32", texts)
        seq = first
        for path, chunks in documents.items():
            document = Document(
                new_id(), collection.id, 1, "s", "o", path, 1, seq, "indexed",
                first_seq=seq, chunk_count=len(chunks), language=detect_language(" ".join(chunks)),
            )  # fmt: skip
            await self.store.documents.register([document])
            rows = [
                Chunk(seq + n, document.id, text, n, n + len(text), None, None, language=document.language)
                for n, text in enumerate(chunks)
            ]
            pairs = [(row, vectors[row.seq - first].astype(np.float16)) for row in rows]
            await self.store.chunks.add(collection.current, pairs)
            seq += len(chunks)
        await self.store.collections.lock(collection.id, "o")
        await self.store.collections.force_lock(collection.id, "o", "fence")
        await self.store.collections.set_last_seq(collection.current, seq - 1, "fence")
        await self.store.collections.unlock(collection.id, "o")

    async def embed(self, model: str, precision: str, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.broken:
            raise Unavailable(self.broken[0], 5)
        spec = ModelSpec(model, precision)
        vectors = await asyncio.to_thread(embed_queries, spec, list(texts), str(self.traced), True)
        assert vectors is not None
        return vectors

    async def ask(self, text: str, **more: Any) -> SearchResult:
        return await self.service.search(self.principal, SearchQuery(text, **more))


@asynccontextmanager
async def search_fixture(tmp_path: Path) -> AsyncIterator[SearchFixture]:
    async def in_thread(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        return await asyncio.to_thread(function, *args)

    async with (
        data_lock(tmp_path) as lock,
        embedded(tmp_path, True, False, lock) as stores,
        Store(stores.mongo_url, "test", stores.mongo_reads_url) as store,
    ):
        vectors = IndexRegistry(tmp_path / "index", settings.IndexSettings(), in_thread)
        keywords = KeywordRegistry(tmp_path / "keywords", in_thread)
        indexes = IndexSync(store, LocalVectors(store, vectors), keywords)
        limits = replace(settings.SearchSettings(), meaning_wait_s=30.0)
        fixture: SearchFixture
        embedder = QueryEmbedder(lambda *args: fixture.embed(*args), lambda: limits)
        service = SearchService(
            store,
            Authorizer(store),
            indexes,
            embedder,
            lambda: limits,
            Reranker(_no_reranker, lambda: limits),
        )
        fixture = SearchFixture(service, store, principal("anna"), tmp_path / "traced")
        try:
            yield fixture
        finally:
            await service.close()
            await embedder.close()
            await indexes.close()
            await keywords.close()
            await vectors.close()


def paths(result: SearchResult) -> list[str]:
    return [hit.document.path for hit in result.hits]


async def _no_reranker(model: str, query: str, texts: Sequence[str]) -> list[float]:
    raise AssertionError("no reranker is set")
