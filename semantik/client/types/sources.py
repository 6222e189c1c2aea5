"""Types of the calls on sources. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import TypedDict

from semantik.client.types.shared import Accepted


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


class SourceAccepted(Accepted):
    source: Source


class SourceList(TypedDict):
    items: list[SourceWithCount]
    next_cursor: str | None


class SourceWithCount(Source):
    document_count: int
