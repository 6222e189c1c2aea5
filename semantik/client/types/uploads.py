"""Types of the calls on uploads. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Literal, TypedDict


class Upload(TypedDict):
    id: str
    collection_id: str
    name: str
    size: int
    state: Literal["receiving", "storing", "stored"]
    content_hash: str | None
    operation_id: str | None
    created_at: str


class UploadList(TypedDict):
    items: list[Upload]
    next_cursor: str | None


class UploadWithDocument(Upload):
    document: UploadWithDocumentDocument | None


class UploadWithDocumentDocument(TypedDict):
    """Null until the operation has found it."""

    id: str
    status: Literal["pending", "indexed", "failed", "skipped"]


class Uploaded(TypedDict):
    items: list[UploadedItemsItem]
    refused: list[UploadedRefusedItem]


class UploadedItemsItem(Upload):
    duplicate: bool


class UploadedRefusedItem(TypedDict):
    name: str
    detail: str
