"""`/api/v2/webhooks…`: addresses that get signed requests.

They outlive credentials, so no API key may use these routes.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import boolean, list_of, one_of, optional, text
from handlers.pagination import PAGE, page_json
from handlers.serializers import timestamp_json
from semantik.auth.principal import ACCOUNT
from semantik.core.models import OPERATION_EVENTS, Delivery, Webhook

_EVENTS = list_of(one_of(*OPERATION_EVENTS), len(OPERATION_EVENTS), "events")
_COLLECTIONS = optional(list_of(text(1, 100), 100, "collections' ids"))
_CREATE = vol.Schema(
    {
        vol.Required("name"): text(1, 200),
        vol.Required("url"): text(1, 2000),
        vol.Optional("events", default=list): _EVENTS,
        vol.Optional("collection_ids"): _COLLECTIONS,
        vol.Optional("paused", default=False): boolean(),
    }
)
_CHANGE = vol.Schema(
    {
        vol.Optional("name"): text(1, 200),
        vol.Optional("url"): text(1, 2000),
        vol.Optional("events"): _EVENTS,
        vol.Optional("collection_ids"): _COLLECTIONS,
        vol.Optional("paused"): boolean(),
    }
)
_LIST = vol.Schema({**PAGE})


class WebhooksHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"POST": "webhook.create"}

    async def get(self) -> None:
        found = await self.services.webhooks.all(self.principal)
        self.reply({"items": [_webhook_json(each) for each in found], "next_cursor": None})

    async def post(self) -> None:
        fields = _fields(self.body(_CREATE))
        made = await self.services.webhooks.create(self.principal, fields)
        self.note_audit(target=f"webhooks/{made.webhook.id}")
        self.reply({**_webhook_json(made.webhook), "secret": made.secret}, HTTPStatus.CREATED)


class WebhookHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"PATCH": "webhook.change", "DELETE": "webhook.delete"}

    async def get(self, webhook_id: str) -> None:
        self.reply(_webhook_json(await self.services.webhooks.get(self.principal, webhook_id)))

    async def patch(self, webhook_id: str) -> None:
        fields = _fields(self.body(_CHANGE))
        self.reply(_webhook_json(await self.services.webhooks.change(self.principal, webhook_id, fields)))

    async def delete(self, webhook_id: str) -> None:
        await self.services.webhooks.delete(self.principal, webhook_id)
        self.set_status(HTTPStatus.NO_CONTENT)


class WebhookTestHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"POST": "webhook.test"}

    async def post(self, webhook_id: str) -> None:
        delivery = await self.services.webhooks.test(self.principal, webhook_id)
        self.reply(_delivery_json(delivery), HTTPStatus.ACCEPTED)


class DeliveriesHandler(RestHandler):
    scope = ACCOUNT

    async def get(self, webhook_id: str) -> None:
        query = self.query(_LIST)
        page = await self.services.webhooks.deliveries(
            self.principal, webhook_id, query.get("cursor"), query["limit"]
        )
        self.reply(page_json(page, _delivery_json))


class DeliveryAgainHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"POST": "webhook.send_again"}

    async def post(self, webhook_id: str, delivery_id: str) -> None:
        delivery = await self.services.webhooks.again(self.principal, webhook_id, delivery_id)
        self.reply(_delivery_json(delivery), HTTPStatus.ACCEPTED)


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    """As `Webhook` has them."""
    lists = {name: tuple(dict.fromkeys(value)) for name, value in body.items() if isinstance(value, list)}
    return {**body, **lists}


def _webhook_json(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "events": list(webhook.events),
        "collection_ids": None if webhook.collection_ids is None else list(webhook.collection_ids),
        "paused": webhook.paused,
        "disabled": webhook.disabled,
        "created_at": timestamp_json(webhook.created_at),
    }


def _delivery_json(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "webhook_id": delivery.target,
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
