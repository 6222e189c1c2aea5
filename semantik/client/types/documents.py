"""Types of the calls on documents. Written by `make clients` from docs/openapi.yaml: do not change it by
hand.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from semantik.client.types.shared import Accepted, FailureCategory, FailureReason

DocumentSort = Literal["path", "name", "type", "size", "changed", "chunks", "status"]


DocumentStatus = Literal["pending", "indexed", "failed", "skipped"]


class Content(TypedDict):
    text: str
    offset: int
    length: int
    next_offset: int | None


class Document(TypedDict):
    id: str
    path: str
    name: str
    size: int
    modified_at: str
    status: DocumentStatus
    source_id: str
    due: bool
    missing: bool
    mime: str | None
    title: str | None
    pages: int | None
    length: int
    content_hash: str | None
    chunk_count: int
    author: str | None
    authors: list[str]
    date: str | None
    language: str | None
    tags: list[str]
    user_tags: list[str]
    container_id: str | None
    part: str | None
    part_count: int | None
    origin: dict[str, str] | None
    quality: Quality | None
    error: FailureReason | None


class DocumentFilters(TypedDict):
    """Documents for which all of these hold; an empty object chooses all."""

    document_ids: NotRequired[list[str]]
    status: NotRequired[DocumentStatus]
    warned: NotRequired[bool]
    name: NotRequired[str]
    type: NotRequired[str]
    folder: NotRequired[str]
    reason: NotRequired[FailureCategory]
    source_id: NotRequired[str]


class DocumentList(TypedDict):
    items: list[Document]
    next_cursor: str | None
    offset: NotRequired[int]
    total: NotRequired[int]
    changing: NotRequired[bool]
    found: NotRequired[bool]


class DocumentsAccepted(Accepted):
    documents: int


class DocumentsTagged(TypedDict):
    changed: int


class Quality(TypedDict):
    """How well a document was read."""

    characters: int
    unknown_share: float
    left_out: int
    pages_without_text: int
    recognised_pages: int
    warnings: list[str]
