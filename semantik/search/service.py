"""A search on behalf of a user: retrieve, fuse, hydrate; again, where something changed meanwhile. Runs on the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from semantik.auth.authorization import Authorizer
from semantik.config import settings
from semantik.core.errors import Invalid, SemantikError
from semantik.core.models import Collection, User
from semantik.search.fusion import fuse
from semantik.search.hydration import Hit, HydrationStep
from semantik.search.index_sync import IndexSync
from semantik.search.query import SearchQuery
from semantik.search.query_embedder import QueryEmbedder
from semantik.search.retrieval import RetrievalStep
from semantik.storage.mongo import Store

_MAX_QUERY_CHARS = 10_000
_MAX_ATTEMPTS = 5  # when a change made the candidates stale, or too few of them are hits


@dataclass(frozen=True)
class SearchResult:
    """One page of hits, best first, and the number of chunks that were compared."""

    hits: tuple[Hit, ...]
    considered: int


class SearchService:
    """Answers the queries of users."""

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        indexes: IndexSync,
        embedder: QueryEmbedder,
        limits: Callable[[], settings.SearchSettings],
    ) -> None:
        self._authorizer = authorizer
        self._embedder = embedder
        self._limits = limits
        self._retrieval = RetrievalStep(store, indexes, embedder, lambda: limits().timeout_s)
        self._hydration = HydrationStep(store, indexes)

    async def search(self, user: User, query: SearchQuery) -> SearchResult:
        """Raises Invalid, NotFound (a collection), or Unavailable (a store or the model does not answer)."""
        query = self._validated(query)
        ids = None if query.collection_ids is None else list(query.collection_ids)
        self._embedder.prefetch(query.text)  # while MongoDB reads the collections
        wanted = depth = query.k + query.offset
        for attempt in range(_MAX_ATTEMPTS):
            cached = [] if attempt else self._cached_collections(user, ids)
            collections = cached or await self._authorizer.collections(user, ids)
            try:
                retrieved = await self._retrieval.retrieve(collections, query, depth)
                hydrated = await self._hydration.hydrate(fuse(retrieved, depth), cached)
            except SemantikError:
                if not cached or await self._authorizer.collections(user, ids) == cached:
                    raise
                continue  # the cached collections were stale
            enough = len(hydrated.hits) >= wanted or all(each.exhausted for each in retrieved)
            if enough and not hydrated.stale:
                break
            depth = wanted + 2 * hydrated.dropped
        page = hydrated.hits[query.offset : wanted]
        return SearchResult(page, sum(each.considered for each in retrieved))

    def _validated(self, query: SearchQuery) -> SearchQuery:
        """The query without white space around its text. Raises Invalid."""
        text = query.text.strip()
        if not text or len(text) > _MAX_QUERY_CHARS:
            raise Invalid(f"query must have 1 to {_MAX_QUERY_CHARS} characters.")
        max_results = self._limits().max_results
        if query.k + query.offset > max_results:
            raise Invalid(f"offset + k may be {max_results} at most.")
        return query if text == query.text else replace(query, text=text)

    def _cached_collections(self, user: User, ids: list[str] | None) -> list[Collection]:
        """The collections as last read, or none. Hydration checks them against MongoDB.

        Only with indexes that are ready: the index of a collection that was deleted meanwhile must not be opened.
        """
        found = self._authorizer.cached(user, ids)
        return found if self._retrieval.is_ready(found) else []
