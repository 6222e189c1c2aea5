"""Queries, similar chunks, and the completion of a query. Written by `make clients` from docs/openapi.yaml:
do not change it by hand.
"""

from __future__ import annotations

from typing import Literal

from semantik.client.transport import Transport
from semantik.client.types.search import Facet, Grouping, SearchResult, Suggestions
from semantik.client.types.shared import Filters, Mode
from semantik.client.values import UNSET, Unset, fill


class SearchCalls(Transport):
    """Queries, similar chunks, and the completion of a query."""

    async def find_similar(
        self,
        collection_id: str,
        document_id: str,
        seq: int,
        *,
        k: int | Unset = UNSET,
        offset: int | Unset = UNSET,
        group_by: Grouping | Unset = UNSET,
    ) -> SearchResult:
        """Chunks that are like one of a document.

        k: How many hits.
        offset: How many hits to leave out before them.
        group_by: `document`: each document once, with its best chunk.

        Raises Refused (401, 404, 409, 421, 422, 429, 503) and Unavailable.
        """
        answer: SearchResult = await self.read_json(
            "GET",
            fill("collections/{}/documents/{}/chunks/{}/similar", collection_id, document_id, seq),
            query={"k": k, "offset": offset, "group_by": group_by},
        )
        return answer

    async def search(
        self,
        query: str,
        *,
        collection_ids: list[str] | Unset | None = UNSET,
        k: int | Unset = UNSET,
        offset: int | Unset = UNSET,
        score_threshold: float | Unset | None = UNSET,
        mode: Mode | Unset = UNSET,
        group_by: Grouping | Unset = UNSET,
        per_document: int | Unset | None = UNSET,
        correct: bool | Unset = UNSET,
        rerank: bool | Unset = UNSET,
        facets: list[Facet] | Unset = UNSET,
        facet_values: int | Unset = UNSET,
        sort: Literal["relevance", "title", "author", "date", "language", "tag", "type", "path"]
        | Unset = UNSET,
        order: Literal["ascending", "descending"] | Unset = UNSET,
        filters: Filters | Unset = UNSET,
    ) -> SearchResult:
        """Search.

        query: Words, a question, or the query language; 1 to 10 000 characters that are not all blank.
        collection_ids: Only these; null: all that you may read.
        k: How many hits.
        offset: How many hits to leave out before them.
        score_threshold: The lowest cosine of a hit.
        mode: By meaning and by words; by meaning alone; by words alone.
        per_document: Chunks of one document at most; null: no limit, or 3 where grouped by document.
        correct: Whether words that no collection has are corrected.
        rerank: Whether `search.reranker` orders the hits, if there is one.
        facets: What to count in the matched set.
        facet_values: So many values of each facet, the most frequent first.
        sort: What orders the matched set. Documents of which nothing is known come last.
        order: The direction of `sort`, unless that is `relevance`.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: SearchResult = await self.read_json(
            "POST",
            "search",
            body={
                "query": query,
                "collection_ids": collection_ids,
                "k": k,
                "offset": offset,
                "score_threshold": score_threshold,
                "mode": mode,
                "group_by": group_by,
                "per_document": per_document,
                "correct": correct,
                "rerank": rerank,
                "facets": facets,
                "facet_values": facet_values,
                "sort": sort,
                "order": order,
                "filters": filters,
            },
            repeatable=True,
        )
        return answer

    async def suggest(
        self, query: str, *, collection_ids: list[str] | Unset | None = UNSET, limit: int | Unset = UNSET
    ) -> Suggestions:
        """Complete the beginning of a query.

        Raises Refused (401, 403, 404, 408, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Suggestions = await self.read_json(
            "POST",
            "suggest",
            body={"query": query, "collection_ids": collection_ids, "limit": limit},
            repeatable=True,
        )
        return answer
