"""Types that several groups of calls use. Written by `make clients` from docs/openapi.yaml: do not change it
by hand.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

FailureCategory = Literal[
    "unreadable", "unsupported", "corrupt", "too_large", "timeout", "worker_died", "internal", "empty"
]


Mode = Literal["hybrid", "meaning", "words"]


OperationStatus = Literal["queued", "processing", "completed", "failed", "cancelled"]


OperationType = Literal["index", "append", "reindex", "remove_source"]


StageName = Literal[
    "scanning_documents",
    "scanning_completed",
    "processing_embeddings",
    "recognizing_text",
    "index_completed",
    "append_completed",
    "reindex_preflight",
    "staging_created",
    "validation_complete",
    "reindex_completed",
    "removing_documents",
    "remove_source_completed",
]


class Accepted(TypedDict):
    """An operation that was queued."""

    operation_id: str
    operation: Operation


class Delivery(TypedDict):
    id: str
    webhook_id: str | None
    search_id: str | None
    alert_id: str | None
    event: str
    status: Literal["pending", "delivered", "failed", "dropped"]
    attempts: int
    status_code: int | None
    error: str | None
    took_ms: int | None
    created_at: str
    next_attempt_at: str | None
    ended_at: str | None


class DeliveryList(TypedDict):
    items: list[Delivery]
    next_cursor: str | None


class FailureReason(TypedDict):
    category: FailureCategory
    message: str


class Filters(TypedDict):
    path_glob: NotRequired[str | None]
    extensions: NotRequired[list[str]]
    modified_after: NotRequired[str | None]
    modified_before: NotRequired[str | None]
    titles: NotRequired[list[str]]
    paths: NotRequired[list[str]]
    types: NotRequired[list[str]]
    languages: NotRequired[list[str]]
    authors: NotRequired[list[str]]
    tags: NotRequired[list[str]]
    after: NotRequired[str | None]
    before: NotRequired[str | None]
    recognised: NotRequired[bool | None]


class Operation(TypedDict):
    id: str
    collection_id: str
    operation_type: OperationType
    source_id: str | None
    options: dict[str, Any]
    status: OperationStatus
    stage: StageName | None
    processed_files: int
    failed_files: int
    skipped_files: int
    total_files: int
    progress_percent: float
    current_file: str | None
    created_at: str
    started_at: str | None
    completed_at: str | None
    eta_seconds: float | None
    files_per_second: float | None
    chunks_per_second: float | None
    bytes_per_second: float | None
    bytes_done: int | None
    bytes_total: int | None
    pages_done: int | None
    pages_total: int | None
    error_message: str | None
    queue_position: int | None
    waiting: str | None
    warnings: list[str]
    result: dict[str, Any] | None
    settings: dict[str, Any]
    stages: list[OperationStagesItem]
    cancel_requested: bool


class OperationStagesItem(TypedDict):
    name: StageName
    at: str


class Owner(TypedDict):
    id: str
    username: str


class User(TypedDict):
    id: str
    username: str
    email: str | None
    is_admin: bool
