"""Types of the calls on sharing. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Literal, TypedDict

from semantik.client.types.shared import Owner

ShareLevel = Literal["read", "write", "manage"]


class OwnedCollection(TypedDict):
    id: str
    name: str
    owner: Owner
    public: bool
    share_count: int
    document_count: int
    chunk_count: int
    created_at: str


class OwnedCollectionList(TypedDict):
    items: list[OwnedCollection]
    next_cursor: str | None


class Sharing(TypedDict):
    owner: Owner
    public: bool
    shares: list[SharingSharesItem]


class SharingSharesItem(TypedDict):
    kind: Literal["user", "group"]
    id: str
    name: str
    level: ShareLevel
