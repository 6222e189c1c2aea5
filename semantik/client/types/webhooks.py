"""Types of the calls on webhooks. Written by `make clients` from docs/openapi.yaml: do not change it by
hand.
"""

from __future__ import annotations

from typing import Literal, TypedDict

OperationEvent = Literal[
    "operation.started", "operation.completed", "operation.failed", "operation.cancelled"
]


class Delivery(TypedDict):
    id: str
    webhook_id: str
    event: str
    status: Literal["pending", "delivered", "failed", "dropped"]
    attempts: int
    status_code: int | None
    error: str | None
    took_ms: int | None
    created_at: str
    next_attempt_at: str | None
    ended_at: str | None


class DeliveryList(TypedDict):
    items: list[Delivery]
    next_cursor: str | None


class Webhook(TypedDict):
    id: str
    name: str
    url: str
    events: list[OperationEvent]
    collection_ids: list[str] | None
    paused: bool
    disabled: str | None
    created_at: str


class NewWebhook(Webhook):
    secret: str


class WebhookList(TypedDict):
    items: list[Webhook]
    next_cursor: str | None
