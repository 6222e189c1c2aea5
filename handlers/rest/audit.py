"""`GET /api/v2/audit`: the audit trail, for administrators; nothing can be changed in it."""

from __future__ import annotations

from typing import Any

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import one_of, text
from handlers.pagination import PAGE, page_json
from handlers.rest.search import timestamp
from handlers.serializers import timestamp_json
from semantik.core.models import AUDIT_OUTCOMES, AuditEvent, AuditFilter

_LIST = vol.Schema(
    {
        **PAGE,
        vol.Optional("user"): text(1, 200),
        vol.Optional("action"): text(1, 100),
        vol.Optional("outcome"): one_of(*AUDIT_OUTCOMES),
        vol.Optional("address"): text(1, 100),
        vol.Optional("request_id"): text(1, 100),
        vol.Optional("target"): text(1, 500),
        vol.Optional("since"): timestamp,
        vol.Optional("until"): timestamp,
    }
)


class AuditHandler(RestHandler):
    scope = "admin"

    async def get(self) -> None:
        query = self.query(_LIST)
        user, cursor, limit = (query.pop(name, None) for name in ("user", "cursor", "limit"))
        page = await self.services.audit.page(self.principal, AuditFilter(**query), user, cursor, limit)
        self.reply(page_json(page, _event_json))


def _event_json(event: AuditEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": timestamp_json(event.at),
        "action": event.action,
        "outcome": event.outcome,
        "user_id": event.user_id,
        "username": event.username,
        "credential": event.credential,
        "address": event.address,
        "request_id": event.request_id,
        "target": event.target,
        "details": dict(event.details),
    }
