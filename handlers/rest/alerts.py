"""`GET /api/v2/alerts`: what the user's saved searches have found."""

from __future__ import annotations

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import text
from handlers.pagination import PAGE, page_json
from semantik.services.notifications.content import alert_data

_LIST = vol.Schema({**PAGE, vol.Optional("search_id"): text(1, 100)})


class AlertsHandler(RestHandler):
    async def get(self) -> None:
        query = self.query(_LIST)
        search_id = query.get("search_id")
        if search_id is not None:
            await self.services.saved_searches.one(self.principal, search_id)
        page = await self.services.alerts.page(self.principal, search_id, query.get("cursor"), query["limit"])
        self.reply(page_json(page, lambda each: alert_data(each.alert, each.collection.name)))
