"""Retrieve, the first step of a search: each collection's candidates, with their scores by meaning and by words.

Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from semantik.analysis import detect_language
from semantik.config import settings
from semantik.core.errors import Unavailable
from semantik.core.models import Collection, Generation
from semantik.index import RetrievalQuery
from semantik.query import ParsedQuery
from semantik.search.backgrounds import Backgrounds
from semantik.search.candidates import Retrieved
from semantik.search.collection_search import CollectionSearch, Opened
from semantik.search.document_catalog import DocumentCatalog
from semantik.search.index_sync import IndexSync
from semantik.search.query import SearchQuery
from semantik.search.query_embedder import QueryEmbedder
from semantik.storage.mongo import Store


class RetrievalStep:
    """Opens indexes where needed and asks their retrievers."""

    def __init__(
        self,
        store: Store,
        indexes: IndexSync,
        embedder: QueryEmbedder,
        limits: Callable[[], settings.SearchSettings],
    ) -> None:
        self._catalog = DocumentCatalog(store)
        self._indexes = indexes
        self._embedder = embedder
        self._limits = limits
        self._backgrounds = Backgrounds()

    def is_ready(self, collections: Sequence[Collection]) -> bool:
        """Whether all indexes of the collections are open here and up to date."""
        return all(self._indexes.get_if_ready(each.current) for each in collections)

    async def retrieve(
        self, collections: Sequence[Collection], query: SearchQuery, parsed: ParsedQuery, depth: int
    ) -> list[Retrieved]:
        """The candidates of each collection: the `depth` best by meaning and the `depth` best by words.

        Raises Unavailable when an index or MongoDB does not answer in time, or when the query needs a vector and the
        model does not answer.
        """
        languages = _languages(parsed)
        if len(collections) == 1:  # the usual case needs no tasks
            return [await self._retrieve(collections[0], query, parsed, languages, depth)]
        return await asyncio.gather(
            *(self._retrieve(each, query, parsed, languages, depth) for each in collections)
        )

    async def _retrieve(
        self,
        collection: Collection,
        query: SearchQuery,
        parsed: ParsedQuery,
        languages: tuple[str, ...],
        depth: int,
    ) -> Retrieved:
        generation = collection.current
        opened = self._get_if_ready(generation) or await self._get_synced(generation)
        if opened is None:
            return Retrieved(collection)
        allowed = None
        if query.filters.any:
            allowed = await self._catalog.spans(collection, query.filters)
        limits = self._limits()
        # Where words can answer, too, a query waits less long for the model.
        wait_s = limits.meaning_wait_s if opened.words and query.mode == "hybrid" else limits.timeout_s
        embed = partial(self._embedder.embed, generation.model, generation.precision, parsed.plain, wait_s)
        request = RetrievalQuery(parsed.plain, embed, parsed, languages)
        search = CollectionSearch(collection, opened, request, allowed, query.threshold, depth)
        considered = opened.size if allowed is None else int(np.sum(allowed[:, 1] - allowed[:, 0]))
        return await search.run(query.mode, considered, self._backgrounds)

    def _get_if_ready(self, generation: Generation) -> Opened | None:
        return Opened.of(self._indexes.get_if_ready(generation))

    async def _get_synced(self, generation: Generation) -> Opened | None:
        try:
            async with asyncio.timeout(self._limits().timeout_s):
                return Opened.of(await self._indexes.get_synced(generation))
        except TimeoutError as error:
            # The index keeps what it has read so far, so the next search waits less.
            raise Unavailable("The index is being rebuilt; please ask again shortly.", 5) from error


def _languages(parsed: ParsedQuery) -> tuple[str, ...]:
    """Those whose stems the query's words may have; a few words are often of no language in particular."""
    language = detect_language(parsed.plain)
    return (language,) if language else ("en",)
