"""Webhooks of users, their secrets and their deliveries. Runs on the loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.auth.sealing import Sealer
from semantik.config.settings import WebhookSettings
from semantik.core.errors import Conflict, NotFound
from semantik.core.models import Delivery, Webhook, new_id, now
from semantik.core.pagination import Page
from semantik.services.notifications.content import TEST_EVENT
from semantik.services.notifications.deliveries import DeliveryService
from semantik.services.notifications.signature import new_secret
from semantik.services.notifications.webhook_sender import check_url
from semantik.storage.mongo import Store


@dataclass(frozen=True)
class NewWebhook:
    """A webhook with a new `secret`, which is shown this once."""

    webhook: Webhook
    secret: str


class WebhookService:
    """`wake` is called when something that has waited may be sent now."""

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        sealer: Sealer,
        limits: Callable[[], WebhookSettings],
        deliveries: DeliveryService,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self._sealer = sealer
        self._limits = limits
        self._deliveries = deliveries
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

    async def rotate(self, principal: Principal, webhook_id: str, overlap: timedelta) -> NewWebhook:
        """Give it a new secret. For the time of `overlap` the one before signs, too; one before that does not any more.

        Raises Conflict when somebody else does the same now.
        """
        webhook = await self.get(principal, webhook_id)
        secret, moment = new_secret(), now()
        previous = webhook.sealed_secret if overlap and self._is_readable(webhook) else None
        fresh = await self._store.webhooks.rotate(
            webhook, self._sealer.seal(secret), previous, moment + overlap
        )
        if fresh is None:
            await self.get(principal, webhook_id)
            raise Conflict("Its secret was replaced a moment ago; look who did that before you try again.")
        return NewWebhook(fresh, secret)

    def _is_readable(self, webhook: Webhook) -> bool:
        try:
            self._sealer.unseal(webhook.sealed_secret)
        except Conflict:  # the key is lost, and what it has sealed with it
            return False
        return True

    async def deliveries(
        self, principal: Principal, webhook_id: str, cursor: str | None, limit: int
    ) -> Page[Delivery]:
        """The newest first."""
        webhook = await self.get(principal, webhook_id)
        return await self._deliveries.page(webhook.id, cursor, limit)

    async def test(self, principal: Principal, webhook_id: str) -> Delivery:
        """Queue a message that says nothing, to try the address."""
        webhook = await self.get(principal, webhook_id)
        content = {"webhook": {"id": webhook.id, "name": webhook.name}}
        text = json.dumps(content, ensure_ascii=False)
        return await self._deliveries.send(webhook.user_id, webhook.id, TEST_EVENT, text)

    async def again(self, principal: Principal, webhook_id: str, delivery_id: str) -> Delivery:
        """Send a delivery again that has ended."""
        webhook = await self.get(principal, webhook_id)
        return await self._deliveries.again(webhook.id, delivery_id)

    async def _check(self, principal: Principal, fields: Mapping[str, Any]) -> None:
        if "url" in fields:
            check_url(fields["url"])
        if fields.get("collection_ids") is not None:
            await self._authorizer.collections(principal, list(fields["collection_ids"]))
