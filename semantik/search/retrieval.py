"""Retrieve, the first step of a search: each collection's candidates, with their scores by meaning and by words.

Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from semantik.config import settings
from semantik.core.errors import Unavailable
from semantik.core.models import Collection, Generation
from semantik.index import RetrievalQuery, Retriever
from semantik.search.backgrounds import Backgrounds
from semantik.search.candidates import Retrieved, Side
from semantik.search.collection_search import CollectionSearch, Opened
from semantik.search.document_catalog import DocumentCatalog
from semantik.search.index_sync import IndexSync
from semantik.search.prepared import PreparedQuery, frequencies, inverse_frequency
from semantik.search.query import Mode, SearchQuery
from semantik.search.query_embedder import QueryEmbedder, Vector
from semantik.storage.mongo import Store

# Chunks asked of each retriever beyond those wanted, which are rounded up, so that neighbouring pages of a result have
# the same candidates. Far more are asked for by words: they cost less, are looked up while the query is embedded, and
# get their cosines then; a chunk that is not among these has too few of the words to pass those nearest by meaning.
_ROUNDED = 10
_MORE, _MORE_WORDS = 10, 100


def depths(needed: int, mode: Mode) -> tuple[int, int]:
    """How many chunks are to be asked for, by meaning and by words, where `needed` ones are."""
    if mode != "hybrid":
        return needed, needed
    depth = -(-needed // _ROUNDED) * _ROUNDED + _MORE
    return depth, depth + _MORE_WORDS


class RetrievalStep:
    """Opens indexes where needed and asks their retrievers."""

    def __init__(
        self,
        store: Store,
        indexes: IndexSync,
        embedder: QueryEmbedder,
        limits: Callable[[], settings.SearchSettings],
    ) -> None:
        self.catalog = DocumentCatalog(store)
        self._indexes = indexes
        self._embedder = embedder
        self._limits = limits
        self.backgrounds = Backgrounds()

    async def close(self) -> None:
        """Stop what is measured in the background; before the indexes are closed."""
        await self.backgrounds.close()

    def is_ready(self, collections: Sequence[Collection]) -> bool:
        """Whether the indexes of the collections are open here and up to date."""
        return all(self._indexes.get_if_ready(each.current) for each in collections)

    async def retrieve(
        self,
        collections: Sequence[Collection],
        query: SearchQuery,
        prepared: PreparedQuery,
        depth: int,
        wanted: int,
        words_depth: int = 0,
        earlier: Sequence[Retrieved] = (),
    ) -> list[Retrieved]:
        """The candidates of each collection: the `depth` best by meaning and the `depth` best by words, as far as they
        may be among the `wanted` best; of a single collection the `words_depth` best by words where that is more. What
        an `earlier` call for the same query has found of it is not looked up again.

        Of a query that only has filters, the documents that satisfy them. Raises Unavailable when an index or MongoDB
        does not answer in time, or when the query needs a vector and the model does not answer.
        """
        if prepared.parsed.only_filters:
            return [await self._list(each, query, depth) for each in collections]
        if len(collections) == 1:  # the usual case needs no tasks
            known = earlier[0] if earlier else None
            return [await self._retrieve(collections[0], query, prepared, depth, wanted, words_depth, known)]
        found = await asyncio.gather(*(self._retrieve(each, query, prepared, depth) for each in collections))
        return [_scaled(each) for each in found]

    async def _list(self, collection: Collection, query: SearchQuery, depth: int) -> Retrieved:
        seqs = await self.catalog.newest(collection, query.filters, depth)
        scores = {seq: 1 / (1 + rank) for rank, seq in enumerate(seqs)}
        bound = 1 / depth if len(seqs) >= depth else None
        return Retrieved(collection, None, Side(scores, 1.0, bound), considered=len(seqs))

    async def _retrieve(
        self,
        collection: Collection,
        query: SearchQuery,
        prepared: PreparedQuery,
        depth: int,
        wanted: int | None = None,
        words_depth: int = 0,
        earlier: Retrieved | None = None,
    ) -> Retrieved:
        generation = collection.current
        opened = await self.open(generation)
        if opened is None:
            return Retrieved(collection)
        vectors, words = opened.vectors, opened.words
        allowed = None
        if query.filters.any:
            allowed = await self.catalog.spans(collection, query.filters)
        limits = self._limits()
        # Where words can answer, too, a query waits less long for the model.
        wait_s = limits.meaning_wait_s if words and query.mode == "hybrid" else limits.timeout_s
        embed = partial(self.embed, generation, wait_s)
        plain = prepared.parsed.plain
        request = RetrievalQuery(plain, partial(embed, plain), prepared.parsed, prepared.languages)
        search = CollectionSearch(
            *(collection, opened, request, allowed, query.threshold, depth, embed, wanted),
            words_depth=words_depth,
            earlier=earlier,
        )
        considered = vectors.size if allowed is None else int(np.sum(allowed[:, 1] - allowed[:, 0]))
        try:
            found = await search.run(query.mode, considered, self.backgrounds)
            counts = earlier.frequencies if earlier else None
            if words and counts is None:
                counts = await frequencies(prepared.words, words)
        except Unavailable:
            if words is None or not words.closed or query.mode == "words":
                raise
            # Its files are damaged or cannot be written. It is opened again by a later search.
            search = replace(search, opened=Opened(vectors, None))
            found, counts = await search.run(query.mode, considered, self.backgrounds), None
        return replace(found, size=vectors.size, frequencies=counts)

    async def open(self, generation: Generation) -> Opened | None:
        """Its retrievers, up to date; None while it has no chunks. Raises Unavailable."""
        return Opened.of(self._indexes.get_if_ready(generation) or await self._get_synced(generation))

    async def embed(self, generation: Generation, wait_s: float | None, text: str) -> Vector:
        """The query's vector, within `wait_s` seconds, by default those of any search. Raises Unavailable, Busy, and
        Invalid when the model at this name or path is no longer what it was."""
        vector = await self._embedder.embed(generation.model, generation.precision, text, timeout_s=wait_s)
        generation.require_dimension(len(vector))
        return vector

    async def _get_synced(self, generation: Generation) -> tuple[Retriever[Any], ...]:
        try:
            async with asyncio.timeout(self._limits().timeout_s):
                return await self._indexes.get_synced(generation)
        except TimeoutError as error:
            # The index keeps what it has read so far, so the next search waits less.
            raise Unavailable("The index is being rebuilt; please ask again shortly.", 5) from error


def _scaled(retrieved: Retrieved) -> Retrieved:
    """With its scores by words as shares of what all words of the query are worth in its collection.

    The same word is worth more in a large collection than in a small one, where fewer chunks can be without it.
    """
    if retrieved.frequencies is None:
        return retrieved
    total = sum(inverse_frequency(count, retrieved.size) for count in retrieved.frequencies)
    return replace(retrieved, words_scale=1 / total) if total > 0 else retrieved
