"""Types of the calls on search. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

Grouping = Literal["chunk", "document"]


Mode = Literal["hybrid", "meaning", "words"]


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


class Filters(TypedDict):
    path_glob: NotRequired[str | None]
    extensions: NotRequired[list[str]]
    modified_after: NotRequired[str | None]
    modified_before: NotRequired[str | None]
    titles: NotRequired[list[str]]
    paths: NotRequired[list[str]]
    types: NotRequired[list[str]]
    languages: NotRequired[list[str]]
    after: NotRequired[str | None]
    before: NotRequired[str | None]


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
    date: str | None
    language: str | None
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
    took_ms: float


class Suggestions(TypedDict):
    suggestions: list[SuggestionsSuggestionsItem]
    took_ms: float


class SuggestionsSuggestionsItem(TypedDict):
    text: str
    kind: Literal["title", "heading", "word"]
    document_id: str | None
    collection_id: str | None
