"""A search on behalf of a user: retrieve, fuse, hydrate, arrange; again, where something changed meanwhile.

Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.config import settings
from semantik.core.errors import Invalid, SemantikError, Unavailable
from semantik.core.models import Collection
from semantik.query import merged
from semantik.search.annotation import Annotator, best_relevance
from semantik.search.candidates import Retrieved
from semantik.search.corrections import Corrector, WordIndex
from semantik.search.fusion import fuse
from semantik.search.grouping import arrange
from semantik.search.hits import Correction, FacetCounts, Hit, Matched, SearchResult
from semantik.search.hydration import HydrationStep
from semantik.search.index_sync import IndexSync
from semantik.search.matched_set import MatchedSet, MatchedSets
from semantik.search.percolator import Percolator
from semantik.search.prepared import PreparedQuery, chosen, prepare, prepare_parsed, relaxed
from semantik.search.query import Facet, Mode, SearchQuery
from semantik.search.query_embedder import QueryEmbedder
from semantik.search.relevance import in_order
from semantik.search.rerank import CANDIDATES, Reranker
from semantik.search.retrieval import RetrievalStep, depths
from semantik.search.similar import SimilarChunks
from semantik.storage.mongo import Store

_MAX_QUERY_CHARS = 10_000
# When a change made the candidates stale. Another server stores a document before it says that indexes need it.
_MAX_ATTEMPTS, _PAUSE_S = 20, 0.005
_FIRST_HITS = 3  # that decide how relevant a result is, whatever page of it is asked for
_CHUNKS_PER_DOCUMENT = 3  # fetched for each document of a grouped result
_RELAXED = "No passage has all that is required; its words were searched for instead."
_CHANGED = "Documents changed while they were searched: passages of these may be missing."


@dataclass(frozen=True)
class _Found:
    """All hits up to the last one of the page, unless the result is `stale`. `relaxed`: none has what was required."""

    hits: Sequence[Hit]
    retrieved: Sequence[Retrieved]
    stale: bool
    relaxed: bool = False
    facets: Mapping[Facet, FacetCounts] | None = None
    matched: Matched | None = None


class SearchService:
    """Answers the queries of users; `similar` finds more like a chunk, `percolator` queries that chunks match."""

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        indexes: IndexSync,
        embedder: QueryEmbedder,
        limits: Callable[[], settings.SearchSettings],
        reranker: Reranker,
    ) -> None:
        self._authorizer = authorizer
        self._reranker = reranker
        self._embedder = embedder
        self._limits = limits
        self._retrieval = RetrievalStep(store, indexes, embedder, limits)
        self._matched_sets = MatchedSets(
            self._retrieval, self._retrieval.catalog, lambda: limits().max_results
        )
        self._hydration = HydrationStep(store, indexes)
        self._indexes = indexes
        self._corrector = Corrector()
        self.similar = SimilarChunks(store, authorizer, indexes)
        self.percolator = Percolator(self._retrieval)

    async def close(self) -> None:
        """Stop what is measured in the background; before the indexes are closed."""
        await self._retrieval.close()

    async def search(self, principal: Principal, query: SearchQuery) -> SearchResult:
        """Raises Invalid, NotFound (a collection), or Unavailable (a store or the model does not answer)."""
        self._validate(query)
        asked = prepare(query.text)
        parsed = asked.parsed
        query = replace(query, filters=merged(query.filters, parsed.filters))
        ids = None if query.collection_ids is None else list(query.collection_ids)
        if query.mode != "words" and parsed.plain:
            self._embedder.prefetch(parsed.plain)  # while MongoDB reads the collections
        for attempt in range(_MAX_ATTEMPTS):
            if attempt:
                await asyncio.sleep((attempt - 1) * _PAUSE_S)
            cached = [] if attempt else self._cached_collections(principal, ids)
            collections = cached or await self._authorizer.collections(principal, ids)
            within = chosen(collections, parsed.filters)
            try:
                prepared, corrections = await self._correct(within, cached, query, asked)
                found = await self._answer(within, cached, query, prepared)
                without_phrases = relaxed(prepared) if query.relax else None
                if not found.hits and not found.stale and without_phrases:
                    prepared = without_phrases
                    found = replace(await self._answer(within, cached, query, prepared), relaxed=True)
            except SemantikError:
                if not cached or await self._authorizer.collections(principal, ids) == cached:
                    raise
                continue  # the cached collections were stale
            if not found.stale:
                break
        if not self._reranks(query):
            return _result(found, query, prepared, corrections)
        reranked = await self._reranker.rerank(prepared.parsed.plain, found.hits)
        result = _result(replace(found, hits=reranked.hits), query, prepared, corrections)
        failure = reranked.failure and f"Not reranked: {reranked.failure}"
        return replace(result, degraded=" ".join(filter(None, (result.degraded, failure))) or None)

    def _reranks(self, query: SearchQuery) -> bool:
        is_ranked = query.sort == "relevance"
        return query.rerank and self._reranker.is_on and is_ranked and query.offset < CANDIDATES

    async def _correct(
        self,
        collections: Sequence[Collection],
        cached: Sequence[Collection],
        query: SearchQuery,
        asked: PreparedQuery,
    ) -> tuple[PreparedQuery, tuple[Correction, ...]]:
        """The query with the words corrected that none of the collections has; as it is while one is not at hand."""
        indexes: list[WordIndex] = []
        for each in collections if query.correct else ():
            if each.current.dimension is not None:
                index = self._indexes.words_if_ready(each.current)
                if index is None and not cached:  # a cached collection may have been deleted
                    index = await self._indexes.words_soon(each.current)
                if index is None:
                    return asked, ()
                indexes.append(index)
        try:
            corrected = await self._corrector.correct(asked.parsed, asked.languages, indexes)
        except Unavailable:  # the search does without that index, or raises the same
            return asked, ()
        return (
            prepare_parsed(corrected.parsed) if corrected.corrections else asked,
            corrected.corrections,
        )

    async def _answer(
        self,
        collections: Sequence[Collection],
        cached: Sequence[Collection],
        query: SearchQuery,
        prepared: PreparedQuery,
    ) -> _Found:
        """The hits, with the facets of the matched set where they are wanted."""
        if query.sort == "relevance" and not query.facets:
            return await self._find(collections, cached, query, prepared)
        matched = await self._matched_sets.find(collections, query, prepared)
        if query.sort == "relevance":
            found = await self._find(collections, cached, query, prepared)
        else:
            found = await self._find_sorted(matched, cached, query)
        if not query.facets:
            return found
        facets = await asyncio.to_thread(matched.facets, query.facets, query.facet_values)
        return replace(found, facets=facets, matched=matched.matched)

    async def _find_sorted(
        self, matched: MatchedSet, cached: Sequence[Collection], query: SearchQuery
    ) -> _Found:
        candidates = await asyncio.to_thread(matched.sorted_by, query.sort, query.descending)
        wanted = query.offset + query.k
        needed = wanted * _CHUNKS_PER_DOCUMENT if query.group_by == "document" else wanted
        while True:
            hydrated = await self._hydration.hydrate(candidates[:needed], cached)
            hits = arrange(hydrated.hits, query)
            if hydrated.stale or len(hits) >= wanted or needed >= len(candidates):
                return _Found(hits, matched.retrieved, hydrated.stale)
            needed *= 2

    async def _find(
        self,
        collections: Sequence[Collection],
        cached: Sequence[Collection],
        query: SearchQuery,
        prepared: PreparedQuery,
    ) -> _Found:
        wanted = query.offset + query.k
        if self._reranks(query):
            wanted = max(wanted, CANDIDATES)
        needed = wanted * _CHUNKS_PER_DOCUMENT if query.group_by == "document" else wanted
        asked = needed
        depth, words_depth = depths(needed, query.mode)
        retrieved = await self._retrieval.retrieve(collections, query, prepared, depth, needed, words_depth)
        while True:
            candidates = fuse(retrieved, query.mode, needed)
            too_few = len(candidates) < needed
            # Those that could not be among fewer were left out: more are wanted now.
            outgrown = needed > asked and not all(each.complete for each in retrieved)
            if (too_few or outgrown) and not all(each.exhausted for each in retrieved):
                if too_few:
                    depth *= 4
                    words_depth = max(words_depth, depth)
                asked = needed
                retrieved = await self._retrieval.retrieve(
                    collections, query, prepared, depth, needed, words_depth, retrieved
                )
                continue
            hydrated = await self._hydration.hydrate(candidates, cached)
            hits = arrange(hydrated.hits, query)
            if hydrated.stale or len(hits) >= wanted or too_few:
                break
            needed = 2 * needed + hydrated.dropped
        return _Found(hits, retrieved, hydrated.stale)

    def _validate(self, query: SearchQuery) -> None:
        """Raises Invalid."""
        if not 0 < len(query.text.strip()) <= _MAX_QUERY_CHARS:
            raise Invalid(f"query must have 1 to {_MAX_QUERY_CHARS} characters.")
        max_results = self._limits().max_results
        if query.k + query.offset > max_results:
            raise Invalid(f"offset + k may be {max_results} at most.")
        if query.mode == "words" and query.threshold is not None:
            raise Invalid(
                "score_threshold is a bound on the meaning's score, which mode words does not compute."
            )

    def _cached_collections(self, principal: Principal, ids: list[str] | None) -> list[Collection]:
        """The collections as last read, or none. Hydration checks them against MongoDB.

        Only with indexes that are ready: the index of a collection that was deleted meanwhile must not be opened.
        """
        found = self._authorizer.cached(principal, ids)
        return found if self._retrieval.is_ready(found) else []


def _result(
    found: _Found, query: SearchQuery, prepared: PreparedQuery, corrections: tuple[Correction, ...]
) -> SearchResult:
    mode: Mode = query.mode
    degraded = None
    searched = [each for each in found.retrieved if each.meaning or each.words]
    failure = next((each.failure for each in searched if each.failure), None)
    if failure is not None:
        mode, degraded = "words", f"Found by their words alone: {failure}"
    elif mode == "hybrid" and any(each.words is None for each in searched):
        mode, degraded = "meaning", "Found by their meaning alone: the index of words is being built."
    if found.relaxed and found.hits:
        degraded = " ".join(filter(None, (degraded, _RELAXED)))
    if found.stale:
        degraded = " ".join(filter(None, (degraded, _CHANGED)))
    annotator = Annotator(prepared, found.retrieved)
    page = found.hits[query.offset : query.offset + query.k]
    hits = tuple(annotator.annotate(hit) for hit in page)
    if query.sort == "relevance":
        hits = in_order(hits)
    first = hits if not query.offset else tuple(annotator.annotate(hit) for hit in found.hits[:_FIRST_HITS])
    relevance = best_relevance(first)
    considered = sum(each.considered for each in found.retrieved)
    return SearchResult(hits, considered, mode, degraded, relevance, corrections, found.facets, found.matched)
