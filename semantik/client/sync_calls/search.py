"""Queries, similar chunks, and the completion of a query. Written by `make clients` from docs/openapi.yaml:
do not change it by hand.
"""

from __future__ import annotations

from typing import Literal

from semantik.client.portal import Portal
from semantik.client.types.search import Facet, Grouping, SearchResult, Suggestions
from semantik.client.types.shared import Filters, Mode
from semantik.client.values import UNSET, Unset


class SearchSyncCalls(Portal):
    """Queries, similar chunks, and the completion of a query."""

    def find_similar(
        self,
        collection_id: str,
        document_id: str,
        seq: int,
        *,
        k: int | Unset = UNSET,
        offset: int | Unset = UNSET,
        group_by: Grouping | Unset = UNSET,
    ) -> SearchResult:
        """Chunks that are like one of a document."""
        return self.run(
            lambda client: client.find_similar(
                collection_id, document_id, seq, k=k, offset=offset, group_by=group_by
            )
        )

    def search(
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
        """Search."""
        return self.run(
            lambda client: client.search(
                query,
                collection_ids=collection_ids,
                k=k,
                offset=offset,
                score_threshold=score_threshold,
                mode=mode,
                group_by=group_by,
                per_document=per_document,
                correct=correct,
                rerank=rerank,
                facets=facets,
                facet_values=facet_values,
                sort=sort,
                order=order,
                filters=filters,
            )
        )

    def suggest(
        self, query: str, *, collection_ids: list[str] | Unset | None = UNSET, limit: int | Unset = UNSET
    ) -> Suggestions:
        """Complete the beginning of a query."""
        return self.run(lambda client: client.suggest(query, collection_ids=collection_ids, limit=limit))
