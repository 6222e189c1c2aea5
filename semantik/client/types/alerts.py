"""Types of the calls on alerts. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import TypedDict

from semantik.client.types.shared import Filters, Mode


class Alert(TypedDict):
    id: str
    number: int
    search: NamedThing
    collection: NamedThing
    document: AlertDocument
    seq: int
    page: int | None
    heading: str | None
    passage: str
    score: float | None
    found_at: str
    url: str | None


class AlertDocument(TypedDict):
    """As it was when the passage was found."""

    id: str
    path: str
    name: str
    title: str | None


class AlertList(TypedDict):
    items: list[Alert]
    next_cursor: str | None


class FeedAddress(TypedDict):
    url: str


class NamedThing(TypedDict):
    id: str
    name: str


class SavedSearch(TypedDict):
    id: str
    name: str
    query: str
    mode: Mode
    filters: Filters
    collection_ids: list[str] | None
    webhook_ids: list[str]
    mail: bool
    paused: bool
    has_feed: bool
    problem: str | None
    created_at: str
    alert_count: int
    last_alert_at: str | None


class SavedSearchList(TypedDict):
    items: list[SavedSearch]
    next_cursor: str | None
