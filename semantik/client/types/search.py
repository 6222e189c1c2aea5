"""Types of the calls on search. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Literal, TypedDict

from semantik.client.types.shared import Mode

Facet = Literal["author", "tag", "type", "language", "year", "collection", "folder", "recognised"]


Grouping = Literal["chunk", "document"]


Relevance = Literal["strong", "fair", "weak"] | None


SearchResultCorrectionsItem = TypedDict("SearchResultCorrectionsItem", {"from": str, "to": str})


class Place(TypedDict):
    """Where a chunk stands in its document."""

    seq: int
    start: int
    end: int
    page: int | None
    page_label: str | None
    heading: str | None
    recognised: bool
    document: HitDocument
    collection: HitCollection


class Copy(Place):
    """A place of nearly the same text."""


class FacetCounts(TypedDict):
    values: list[FacetCountsValuesItem]
    missing: int
    others: int


class FacetCountsValuesItem(TypedDict):
    value: str
    count: int


class Hit(Place):
    score: float | None
    scores: HitScores
    relevance: Relevance
    passage: str
    highlights: list[list[int]]
    best_sentence: list[int] | None
    matched: list[str]
    also_in: list[Copy]
    more: list[Hit]


class HitCollection(TypedDict):
    id: str
    name: str


class HitDocument(TypedDict):
    id: str
    path: str
    name: str
    title: str | None
    mime: str | None
    modified_at: str
    author: str | None
    authors: list[str]
    date: str | None
    language: str | None
    tags: list[str]
    container_id: str | None
    part: str | None


class HitScores(TypedDict):
    meaning: float | None
    words: float | None
    fused: float
    rerank: float | None


class SearchResult(TypedDict):
    hits: list[Hit]
    total_considered: int
    mode: Mode
    degraded: str | None
    relevance: Relevance
    corrections: list[SearchResultCorrectionsItem]
    facets: dict[str, FacetCounts] | None
    matched: SearchResultMatched | None
    took_ms: float


class SearchResultMatched(TypedDict):
    """The documents that facets count; set with them."""

    documents: int
    complete: bool


class Suggestions(TypedDict):
    suggestions: list[SuggestionsSuggestionsItem]
    took_ms: float


class SuggestionsSuggestionsItem(TypedDict):
    text: str
    kind: Literal["title", "heading", "word"]
    document_id: str | None
    collection_id: str | None
