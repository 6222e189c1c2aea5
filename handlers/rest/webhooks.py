"""`/api/v2/webhooks…`: addresses that get signed requests.

They outlive credentials, so no API key may use these routes.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol

from handlers.base import RestHandler
from handlers.fields import boolean, integer, list_of, one_of, optional, text
from handlers.rest.deliveries import delivery_json
from handlers.serializers import timestamp_json
from semantik.auth.principal import ACCOUNT
from semantik.core.models import OPERATION_EVENTS, Webhook

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
_DAY_S = 86_400
_ROTATE = vol.Schema({vol.Optional("overlap_s", default=_DAY_S): integer(0, 7 * _DAY_S)})


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
        self.reply(delivery_json(delivery), HTTPStatus.ACCEPTED)


class WebhookSecretHandler(RestHandler):
    scope = ACCOUNT
    audit: ClassVar = {"POST": "webhook.rotate_secret"}

    async def post(self, webhook_id: str) -> None:
        overlap = timedelta(seconds=self.body(_ROTATE)["overlap_s"])
        made = await self.services.webhooks.rotate(self.principal, webhook_id, overlap)
        self.reply({**_webhook_json(made.webhook), "secret": made.secret}, HTTPStatus.CREATED)


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
        "previous_secret_until": timestamp_json(webhook.previous_until),
        "created_at": timestamp_json(webhook.created_at),
    }
