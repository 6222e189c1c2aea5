"""Webhooks of users, and deliveries: messages on their way to a webhook or to a mail address. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

OperationEvent = Literal[
    "operation.started",  # it runs
    "operation.completed",
    "operation.failed",
    "operation.cancelled",
]
OPERATION_EVENTS: tuple[OperationEvent, ...] = get_args(OperationEvent)

DeliveryState = Literal[
    "pending",  # still to be sent, for the first time or again
    "delivered",  # the receiver has accepted it
    "failed",  # every attempt has failed
    "dropped",  # not sent: what it is about may not be read any more, or is gone
]

_ID_DIGITS = 32
MAIL = "mail:"  # begins the target of a delivery by mail; the rest is the id of the saved search


@dataclass(frozen=True)
class Webhook:
    """An address that gets a signed request for each of its `events`, and for alerts of saved searches that name it.

    The events are those of the operations of `collection_ids`; None: of all that its user may read. `sealed_secret`
    signs the requests; the one before it, `sealed_previous`, signs them as well until `previous_until`. `disabled`: why
    nothing is sent any more, or None.
    """

    id: str
    user_id: str
    name: str
    url: str
    events: tuple[OperationEvent, ...]
    sealed_secret: str
    created_at: datetime
    collection_ids: tuple[str, ...] | None = None
    paused: bool = False
    disabled: str | None = None
    sealed_previous: str | None = None
    previous_until: datetime | None = None

    def sealed_secrets(self, moment: datetime) -> tuple[str, ...]:
        """Those that sign what is sent at `moment`, the newest first."""
        if self.sealed_previous is None or self.previous_until is None or self.previous_until <= moment:
            return (self.sealed_secret,)
        return (self.sealed_secret, self.sealed_previous)


def delivery_id(*parts: str) -> str:
    """The id of the delivery that follows from these parts, as of an event and its target."""
    return "msg_" + hashlib.sha256(":".join(parts).encode()).hexdigest()[:_ID_DIGITS]


@dataclass(frozen=True)
class Delivery:
    """One message to one target: the id of a webhook, or `MAIL` and that of a saved search.

    `event` is what it tells, `content` its data as JSON; of an alert it is made when it is sent, from `alert_id`. It
    is due at `next_at`, which a server that sends it moves ahead first: if that server dies, another one sends it
    then. `status_code`, `error` and `took_ms` are of the last attempt.
    """

    id: str
    user_id: str
    target: str
    event: str
    created_at: datetime
    next_at: datetime
    content: str = ""
    alert_id: str | None = None
    collection_id: str | None = None
    state: DeliveryState = "pending"
    attempts: int = 0
    status_code: int | None = None
    error: str | None = None
    took_ms: int | None = None
    ended_at: datetime | None = None
