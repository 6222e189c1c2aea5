"""Types of the calls on api keys. Written by `make clients` from docs/openapi.yaml: do not change it by
hand.
"""

from __future__ import annotations

from typing import Literal, TypedDict

Scope = Literal["read", "write", "admin"]


class ApiKey(TypedDict):
    id: str
    name: str
    start: str
    scopes: list[Scope]
    collections: list[str] | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None


class ApiKeyList(TypedDict):
    items: list[ApiKey]
    next_cursor: str | None


class NewApiKey(ApiKey):
    key: str
