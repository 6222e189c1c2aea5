"""The strong matches of a saved search among new chunks. Runs on the loop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from semantik.auth.principal import Principal
from semantik.core.errors import Unavailable
from semantik.core.models import Alert, Chunk, Collection, Document, SavedSearch, now
from semantik.query import parse
from semantik.search.hits import Hit, SearchResult
from semantik.search.query import MODES, SearchQuery
from semantik.search.service import SearchService
from semantik.services.notifications.new_chunks import NewChunks

_MAX_TEXT = 2000  # characters of a chunk that an alert keeps


class AlertFinder:
    """Asks as the user would: with the same rights, ranking and relevance as any search."""

    def __init__(self, search: SearchService) -> None:
        self._search = search

    async def find(
        self, search: SavedSearch, collection: Collection, reader: Principal, new: NewChunks, limit: int
    ) -> list[Alert]:
        """Alerts without numbers, best first. Raises Unavailable while the search cannot be done as it was saved."""
        mode = next(each for each in MODES if each == search.mode)
        query = SearchQuery(
            search.query,
            (collection.id,),
            k=limit,
            filters=search.filters,
            mode=mode,
            correct=False,
            rerank=False,
            relax=False,
            within=new.seqs,
        )
        result = await self._search.search(reader, query)
        filters_only = parse(search.query).only_filters
        if result.mode != search.mode and not filters_only:
            raise Unavailable(result.degraded or "Its index is not ready.")
        moment = now()
        return [
            _alert(search, collection, found, new.origins[found[0].seq], moment)
            for found in _strong(result, filters_only)
            if found[0].seq in new.origins
        ]


def _strong(result: SearchResult, filters_only: bool) -> Iterator[tuple[Chunk, Document, float | None]]:
    """The hits that match strongly, and their copies; of filters alone each hit."""
    for hit in result.hits:
        if filters_only or hit.relevance == "strong":
            yield hit.chunk, hit.document, _score(hit)
            for copy in hit.also_in:
                yield copy.chunk, copy.document, _score(hit)


def _score(hit: Hit) -> float | None:
    return hit.scores.meaning


def _alert(
    search: SavedSearch,
    collection: Collection,
    found: tuple[Chunk, Document, float | None],
    origin: int,
    moment: datetime,
) -> Alert:
    chunk, document, score = found
    return Alert(
        id=f"{search.id}:{collection.id}:{origin}",
        number=0,
        user_id=search.user_id,
        search_id=search.id,
        search_name=search.name,
        collection_id=collection.id,
        generation=collection.generation,
        seq=chunk.seq,
        document_id=document.id,
        path=document.path,
        name=document.name,
        title=document.metadata.title,
        page=chunk.page,
        heading=chunk.heading,
        text=chunk.text[:_MAX_TEXT],
        score=score,
        created_at=moment,
    )
