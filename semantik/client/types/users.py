"""Types of the calls on users. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import TypedDict

from semantik.client.types.shared import User


class Account(User):
    roots: list[str]
    disabled: bool
    created_at: str


class AccountList(TypedDict):
    items: list[Account]
    next_cursor: str | None
