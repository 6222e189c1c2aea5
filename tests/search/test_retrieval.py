"""The first steps of a search: retrievers get what they need, and their lists are merged in order."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from semantik.config.settings import SearchSettings
from semantik.core.models import Collection, Generation, now
from semantik.index import RetrievalQuery, Retriever, ScoredSeq
from semantik.index.ranges import Ranges
from semantik.search.fusion import fuse
from semantik.search.index_sync import IndexSync
from semantik.search.query import SearchQuery
from semantik.search.query_embedder import QueryEmbedder
from semantik.search.retrieval import RetrievalStep, Retrieved
from semantik.storage.mongo import Store

pytestmark = pytest.mark.gen_test


class TextRetriever:
    """Finds one chunk for each word of the query."""

    last_seq, size = 9, 10

    async def add(self, seqs: NDArray[np.int64], contents: Sequence[str]) -> None:
        raise NotImplementedError

    async def delete(self, seqs: Sequence[tuple[int, int]] | Ranges) -> None:
        raise NotImplementedError

    async def search(
        self,
        query: RetrievalQuery,
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None = None,
        threshold: float | None = None,
    ) -> list[ScoredSeq]:
        return [ScoredSeq(seq, 1.0) for seq, _ in enumerate(query.text.split())][:k]

    async def scores(self, query: RetrievalQuery, seqs: Sequence[int]) -> dict[int, float]:
        return {seq: 1.0 for seq in seqs if seq < len(query.text.split())}


async def test_query_is_not_embedded_when_no_retriever_needs_its_vector() -> None:
    retriever: Retriever[Sequence[str]] = TextRetriever()
    indexes = cast(IndexSync, SimpleNamespace(get_if_ready=lambda generation: (retriever,)))

    async def embed(model: str, precision: str, texts: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError("no retriever needs a vector")

    embedder = QueryEmbedder(embed, SearchSettings)
    step = RetrievalStep(cast(Store, None), indexes, embedder, lambda: 1.0)
    collections = [_collection("a"), _collection("b")]
    retrieved = await step.retrieve(collections, SearchQuery("three plain words"), 3)
    assert [[scored.seq for scored in result.lists[0]] for result in retrieved] == [[0, 1, 2]] * 2
    assert [(result.considered, result.exhausted) for result in retrieved] == [(10, False)] * 2


def test_fused_lists_are_ordered_by_score_then_collection_then_seq() -> None:
    first, second = _collection("a"), _collection("b")
    lists = (
        Retrieved(second, ([ScoredSeq(4, 0.9), ScoredSeq(1, 0.5), ScoredSeq(2, 0.5)],), 3, True),
        Retrieved(first, ([ScoredSeq(7, 0.5), ScoredSeq(3, 0.1)],), 2, True),
        Retrieved(_collection("c"), (), 0, True),
    )
    fused = [(scored.seq, collection.id) for scored, collection in fuse(lists, 4)]
    assert fused == [(4, "b"), (7, "a"), (1, "b"), (2, "b")]


def _collection(key: str) -> Collection:
    generation = Generation(key, 1, "m", "auto", 200, 20, dimension=16)
    return Collection(key, "owner", "Docs", "", 1, (generation,), 0, None, now(), now())
