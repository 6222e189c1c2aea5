"""Types of the calls on webhooks. Written by `make clients` from docs/openapi.yaml: do not change it by
hand.
"""

from __future__ import annotations

from typing import Literal, TypedDict

OperationEvent = Literal[
    "operation.started", "operation.completed", "operation.failed", "operation.cancelled"
]


class Webhook(TypedDict):
    id: str
    name: str
    url: str
    events: list[OperationEvent]
    collection_ids: list[str] | None
    paused: bool
    disabled: str | None
    previous_secret_until: str | None
    created_at: str


class NewWebhook(Webhook):
    secret: str


class WebhookList(TypedDict):
    items: list[Webhook]
    next_cursor: str | None
