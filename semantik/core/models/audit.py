"""One entry of the audit trail: who did what, to what, from where, and with which outcome. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

AuditOutcome = Literal[
    "done",
    "refused",  # a 4xx: not signed in, not allowed, not found, not valid, too many
    "failed",  # a 5xx
]
AUDIT_OUTCOMES: tuple[AuditOutcome, ...] = get_args(AuditOutcome)


@dataclass(frozen=True)
class AuditEvent:
    """`id` begins with the time, so ids sort as the events came. `action` is `noun.verb`, as `collection.delete`.

    `user_id` is None for somebody who is not signed in. `credential` is `session:ID`, `key:ID` or empty. `target` is a
    path below `/api/v2/`, as `collections/ID/sources/ID`. `details` never hold a secret.
    """

    id: str
    at: datetime
    action: str
    outcome: AuditOutcome
    user_id: str | None
    username: str
    credential: str
    address: str
    request_id: str
    target: str
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditFilter:
    """What listed events must have; None is any. `action` is one action, or the noun of several.

    `user_id` and `username`: the one that acted; an event has to match both where both are given.
    """

    action: str | None = None
    outcome: str | None = None
    user_id: str | None = None
    username: str | None = None
    address: str | None = None
    request_id: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None
