"""Types of the calls on sources. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from semantik.client.types.shared import Accepted


class Folder(TypedDict):
    path: str | None
    parent: str | None
    folders: list[FolderFoldersItem]
    files: int
    bytes: int
    truncated: bool


class FolderFoldersItem(TypedDict):
    name: str
    path: str


class FolderLanguages(TypedDict):
    languages: dict[str, int]
    recommended_model: str | None


class Source(TypedDict):
    id: str
    path: str
    created_at: str
    scanned_at: str | None
    interval_s: int | None
    immediate: bool
    removing: bool
    kind: str
    options: dict[str, Any]
    has_secret: bool
    exclude: list[str]
    excluded_count: int
    server: str | None


class SourceAccepted(Accepted):
    source: Source


class SourceField(TypedDict):
    """One option of a source."""

    name: str
    label: str
    type: Literal["text", "secret", "list", "choice", "integer"]
    required: bool
    fixed: bool
    hint: str
    default: str | int
    choices: list[str]
    low: int
    high: int


class SourceKind(TypedDict):
    kind: str
    title: str
    fields: list[SourceField]


class SourceKindList(TypedDict):
    items: list[SourceKind]
    next_cursor: None


class SourceList(TypedDict):
    items: list[SourceWithCount]
    next_cursor: str | None


class SourceWithCount(Source):
    document_count: int
