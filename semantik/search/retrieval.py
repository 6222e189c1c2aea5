"""Retrieve, the first step of a search: every retriever of every collection ranks its best chunks. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from semantik.core.errors import Unavailable
from semantik.core.models import Collection, Generation
from semantik.index import RetrievalQuery, Retriever, ScoredSeq
from semantik.search.index_sync import IndexSync
from semantik.search.query import SearchQuery
from semantik.search.query_embedder import QueryEmbedder
from semantik.storage.mongo import Store


@dataclass(frozen=True)
class Retrieved:
    """The ranked lists of one collection's retrievers, best chunks first.

    `considered` is the number of chunks that were compared. When `exhausted`, no retriever has more.
    """

    collection: Collection
    lists: tuple[list[ScoredSeq], ...]
    considered: int
    exhausted: bool


class RetrievalStep:
    """Opens indexes where needed and asks their retrievers."""

    def __init__(
        self, store: Store, indexes: IndexSync, embedder: QueryEmbedder, timeout_s: Callable[[], float]
    ) -> None:
        """`timeout_s()` is the longest wait for an index that has to catch up with MongoDB."""
        self._store = store
        self._indexes = indexes
        self._embedder = embedder
        self._timeout_s = timeout_s

    def is_ready(self, collections: Sequence[Collection]) -> bool:
        """Whether all indexes of the collections are open here and up to date."""
        return all(self._indexes.get_if_ready(each.current) for each in collections)

    async def retrieve(
        self, collections: Sequence[Collection], query: SearchQuery, depth: int
    ) -> list[Retrieved]:
        """The `depth` best chunks of each retriever of each collection.

        Raises Unavailable when an index, the model or MongoDB does not answer in time.
        """
        return await asyncio.gather(*(self._retrieve(each, query, depth) for each in collections))

    async def _retrieve(self, collection: Collection, query: SearchQuery, depth: int) -> Retrieved:
        generation = collection.current
        retrievers = self._indexes.get_if_ready(generation) or await self._get_synced(generation)
        if not retrievers:
            return Retrieved(collection, (), 0, True)
        allowed = None
        if query.filters.any:
            allowed = await self._store.documents.spans(generation, query.filters)
        embed = partial(self._embedder.embed, generation.model, generation.precision, query.text)
        request = RetrievalQuery(query.text, embed)
        lists = [await each.search(request, depth, allowed, query.threshold) for each in retrievers]
        if allowed is None:
            considered = max(each.size for each in retrievers)
        else:
            considered = int(np.sum(allowed[:, 1] - allowed[:, 0]))
        return Retrieved(collection, tuple(lists), considered, all(len(each) < depth for each in lists))

    async def _get_synced(self, generation: Generation) -> tuple[Retriever[Any], ...]:
        try:
            async with asyncio.timeout(self._timeout_s()):
                return await self._indexes.get_synced(generation)
        except TimeoutError as error:
            # The index keeps what it has read so far, so the next search waits less.
            raise Unavailable("The index is being rebuilt; please ask again shortly.", 5) from error
