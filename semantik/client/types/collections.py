"""Types of the calls on collections. Written by `make clients` from docs/openapi.yaml: do not change it by
hand.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from semantik.client.types.shared import Owner

Access = Literal["read", "write", "manage", "own"]


CollectionStatus = Literal["empty", "indexing", "ready", "incomplete", "failed"]


Precision = Literal["auto", "float32", "bfloat16"]


class Collection(TypedDict):
    id: str
    name: str
    description: str
    share_count: int | None
    watched: bool
    status: CollectionStatus
    embedding_model: str
    precision: Precision
    chunk_size: int
    chunk_overlap: int
    generation: int
    document_count: int
    chunk_count: int
    pending_count: int
    failed_count: int
    skipped_count: int
    warned_count: int
    created_at: str
    updated_at: str
    active_operation_id: str | None
    access: Access
    owner: Owner
    public: bool


class CollectionList(TypedDict):
    items: list[Collection]
    next_cursor: str | None


class CollectionStatistics(TypedDict):
    documents: int
    bytes: int
    chunks: int
    warned: int
    missing: int
    statuses: dict[str, int]
    types: list[DocumentTally]
    languages: list[DocumentTally]
    reasons: dict[str, int]
    sizes: list[HistogramBar]
    chunk_lengths: list[HistogramBar]
    sampled_chunks: int
    mean_chunk_length: int | None


class CollectionWithStats(Collection):
    stats: IndexStats


class DocumentTally(TypedDict):
    value: str
    documents: int
    bytes: int
    chunks: int


class ExportedChunk(TypedDict):
    seq: int
    text: str
    start: int
    end: int
    page: int | None
    page_label: str | None
    heading: str | None
    recognised: bool
    vector: NotRequired[list[float] | str]
    document: ExportedChunkDocument


class ExportedChunkDocument(TypedDict):
    id: str
    path: str
    mime: str | None
    title: str | None
    authors: list[str]
    date: str | None
    language: str | None
    tags: list[str]


class HistogramBar(TypedDict):
    below: int | None
    count: int


class IndexStats(TypedDict):
    """The state of a collection's indexes; `bytes` and `engine` are left out while its vectors are not open."""

    vectors: int
    segments: int
    bytes: NotRequired[int]
    engine: NotRequired[str | None]
    measured_recall: float | None
    keywords: IndexStatsKeywords


class IndexStatsKeywords(TypedDict):
    state: Literal["ready", "building"]
    chunks: int
    bytes: int


class NewCollection(Collection):
    operation_id: str | None
    initial_operation_id: str | None
