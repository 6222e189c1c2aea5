"""`…/deliveries`: what was sent to a webhook, or by mail for a saved search; and each of it once more."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.pagination import PAGE, page_json
from handlers.serializers import timestamp_json
from semantik.auth.principal import ACCOUNT
from semantik.core.models import MAIL, Delivery

_LIST = vol.Schema({**PAGE})


class WebhookDeliveriesHandler(RestHandler):
    scope = ACCOUNT

    async def get(self, webhook_id: str) -> None:
        query = self.query(_LIST)
        page = await self.services.webhooks.deliveries(
            self.principal, webhook_id, query.get("cursor"), query["limit"]
        )
        self.reply(page_json(page, delivery_json))


class WebhookDeliveryAgainHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"POST": "webhook.send_again"}

    async def post(self, webhook_id: str, delivery_id: str) -> None:
        delivery = await self.services.webhooks.again(self.principal, webhook_id, delivery_id)
        self.reply(delivery_json(delivery), HTTPStatus.ACCEPTED)


class MailDeliveriesHandler(RestHandler):
    async def get(self, search_id: str) -> None:
        query = self.query(_LIST)
        page = await self.services.saved_searches.deliveries(
            self.principal, search_id, query.get("cursor"), query["limit"]
        )
        self.reply(page_json(page, delivery_json))


class MailDeliveryAgainHandler(RestHandler):
    audit: ClassVar = {"POST": "saved_search.send_again"}

    async def post(self, search_id: str, delivery_id: str) -> None:
        delivery = await self.services.saved_searches.again(self.principal, search_id, delivery_id)
        self.reply(delivery_json(delivery), HTTPStatus.ACCEPTED)


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    by_mail = delivery.target.startswith(MAIL)
    return {
        "id": delivery.id,
        "webhook_id": None if by_mail else delivery.target,
        "search_id": delivery.target.removeprefix(MAIL) if by_mail else None,
        "alert_id": delivery.alert_id,
        "event": delivery.event,
        "status": delivery.state,
        "attempts": delivery.attempts,
        "status_code": delivery.status_code,
        "error": delivery.error,
        "took_ms": delivery.took_ms,
        "created_at": timestamp_json(delivery.created_at),
        "next_attempt_at": timestamp_json(delivery.next_at) if delivery.state == "pending" else None,
        "ended_at": timestamp_json(delivery.ended_at),
    }
