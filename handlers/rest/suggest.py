"""`POST /api/v2/suggest`: the beginning of a query in, completions out."""

from __future__ import annotations

import time
from typing import ClassVar

import voluptuous as vol

from handlers.audit_trail import READ
from handlers.base import RestHandler
from handlers.fields import integer, list_of, optional, text
from handlers.hit_serializers import suggestion_json

_SUGGEST = vol.Schema(
    {
        vol.Required("query"): text(0, 1000),
        vol.Optional("collection_ids"): optional(list_of(text(1, 100), 1000, "collections' ids")),
        vol.Optional("limit", default=8): integer(1, 50),
    }
)


class SuggestHandler(RestHandler):
    scope = "read"
    rate_group = "search"
    audit: ClassVar = {"POST": READ}

    async def post(self) -> None:
        started = time.perf_counter()
        body = self.body(_SUGGEST)
        found = await self.services.suggestions.suggest(
            self.principal, body["query"], body.get("collection_ids"), body["limit"]
        )
        self.reply(
            {
                "suggestions": [suggestion_json(each) for each in found],
                "took_ms": round((time.perf_counter() - started) * 1000, 2),
            }
        )
