"""Types of the calls on groups. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import TypedDict

from semantik.client.types.shared import Owner


class Group(TypedDict):
    id: str
    name: str
    members: list[Owner]
    roots: list[str]
    created_at: str


class GroupList(TypedDict):
    items: list[Group]
    next_cursor: str | None
