"""Webhooks of users: created, changed, listed, tried, deleted; and their deliveries. Runs on the loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.auth.sealing import Sealer
from semantik.config.settings import WebhookSettings
from semantik.core.errors import Conflict, NotFound
from semantik.core.models import Delivery, Webhook, delivery_id, new_id, now
from semantik.core.pagination import Page, decode_cursor, encode_cursor, page_of
from semantik.services.notifications.content import TEST_EVENT
from semantik.services.notifications.signature import new_secret
from semantik.services.notifications.webhook_sender import check_url
from semantik.storage.mongo import Store
from semantik.storage.mongo.rows import milliseconds

_FIRST = (1 << 53, "")


@dataclass(frozen=True)
class NewWebhook:
    """A new webhook; its `secret` is shown this once."""

    webhook: Webhook
    secret: str


class WebhookService:
    """`wake` is called when something is to be sent."""

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        sealer: Sealer,
        limits: Callable[[], WebhookSettings],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self._sealer = sealer
        self._limits = limits
        self._wake = wake

    async def all(self, principal: Principal) -> list[Webhook]:
        """The user's, the oldest first."""
        return await self._store.webhooks.of_user(principal.user.id)

    async def get(self, principal: Principal, webhook_id: str) -> Webhook:
        """Raises NotFound, also for another user's."""
        webhook = await self._store.webhooks.get(webhook_id)
        if webhook is None or webhook.user_id != principal.user.id:
            raise NotFound(f"There is no webhook {webhook_id}.")
        return webhook

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> NewWebhook:
        """Raises Invalid, NotFound (a collection), or Conflict when there are too many."""
        limit = self._limits().per_user
        if len(await self.all(principal)) >= limit:
            raise Conflict(f"You may have {limit} webhooks (webhooks.per_user); delete one first.")
        await self._check(principal, fields)
        secret = new_secret()
        webhook = Webhook(
            id=new_id(),
            user_id=principal.user.id,
            created_at=now(),
            sealed_secret=self._sealer.seal(secret),
            **fields,
        )
        await self._store.webhooks.add(webhook)
        return NewWebhook(webhook, secret)

    async def change(self, principal: Principal, webhook_id: str, fields: Mapping[str, Any]) -> Webhook:
        """With another address, or when a pause ends, a webhook that had been disabled is tried again."""
        webhook = await self.get(principal, webhook_id)
        await self._check(principal, fields)
        if "url" in fields or fields.get("paused") is False:
            fields = {**fields, "disabled": None}
        fresh = await self._store.webhooks.update(webhook.id, fields) if fields else webhook
        if fresh is None:
            raise NotFound(f"There is no webhook {webhook_id}.")
        self._wake()
        return fresh

    async def delete(self, principal: Principal, webhook_id: str) -> None:
        """With its deliveries, also those that are still to be sent."""
        webhook = await self.get(principal, webhook_id)
        await self._store.webhooks.remove(webhook.id)
        for search in await self._store.saved_searches.of_user(principal.user.id):
            if webhook.id in search.webhook_ids:
                rest = tuple(each for each in search.webhook_ids if each != webhook.id)
                await self._store.saved_searches.update(search.id, {"webhook_ids": rest})
        await self._store.deliveries.remove_target(webhook.id)

    async def deliveries(
        self, principal: Principal, webhook_id: str, cursor: str | None, limit: int
    ) -> Page[Delivery]:
        """The newest first."""
        webhook = await self.get(principal, webhook_id)
        before = _FIRST
        if cursor:
            moment, delivery_id = decode_cursor(cursor, 2)
            before = (int(moment) if moment.isdigit() else 0, delivery_id)
        found = await self._store.deliveries.page(webhook.id, before, limit + 1)
        last = found[min(limit, len(found)) - 1] if found else None
        position = encode_cursor(str(milliseconds(last.created_at)), last.id) if last else ""
        return page_of(found, limit, position)

    async def test(self, principal: Principal, webhook_id: str) -> Delivery:
        """Queue a message that says nothing, to try the address."""
        webhook = await self.get(principal, webhook_id)
        content = {"webhook": {"id": webhook.id, "name": webhook.name}}
        return await self._queue(webhook, TEST_EVENT, json.dumps(content, ensure_ascii=False))

    async def again(self, principal: Principal, webhook_id: str, delivery_id: str) -> Delivery:
        """Send a delivery again that has ended: as a new message, so that the receiver takes it."""
        webhook = await self.get(principal, webhook_id)
        delivery = await self._store.deliveries.get(delivery_id)
        if delivery is None or delivery.target != webhook.id:
            raise NotFound(f"There is no delivery {delivery_id} of this webhook.")
        if delivery.state == "pending":
            raise Conflict("It is still to be sent; wait for it.")
        return await self._queue(
            webhook, delivery.event, delivery.content, delivery.alert_id, delivery.collection_id
        )

    async def _queue(
        self,
        webhook: Webhook,
        event: str,
        content: str,
        alert_id: str | None = None,
        collection_id: str | None = None,
    ) -> Delivery:
        moment = now()
        delivery = Delivery(
            id=delivery_id(new_id()),
            user_id=webhook.user_id,
            target=webhook.id,
            event=event,
            created_at=moment,
            next_at=moment,
            content=content,
            alert_id=alert_id,
            collection_id=collection_id,
        )
        await self._store.deliveries.queue([delivery])
        self._wake()
        return delivery

    async def _check(self, principal: Principal, fields: Mapping[str, Any]) -> None:
        if "url" in fields:
            check_url(fields["url"])
        if fields.get("collection_ids") is not None:
            await self._authorizer.collections(principal, list(fields["collection_ids"]))
