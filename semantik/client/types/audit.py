"""Types of the calls on audit. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

AuditOutcome = Literal["done", "refused", "failed"]


class AuditEvent(TypedDict):
    id: str
    at: str
    action: str
    outcome: AuditOutcome
    user_id: str | None
    username: str
    credential: str
    address: str
    request_id: str
    target: str
    details: dict[str, Any]


class AuditEventList(TypedDict):
    items: list[AuditEvent]
    next_cursor: str | None
