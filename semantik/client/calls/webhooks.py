"""Addresses that get signed requests. An API key cannot use these operations. Written by `make clients` from
docs/openapi.yaml: do not change it by hand.
"""

from __future__ import annotations

from semantik.client.transport import Transport
from semantik.client.types.shared import Delivery, DeliveryList
from semantik.client.types.webhooks import NewWebhook, OperationEvent, Webhook, WebhookList
from semantik.client.values import UNSET, Unset, fill


class WebhooksCalls(Transport):
    """Addresses that get signed requests. An API key cannot use these operations."""

    async def list_webhooks(self) -> WebhookList:
        """Your webhooks, the oldest first.

        Raises Refused (401, 403, 421, 429, 503) and Unavailable.
        """
        answer: WebhookList = await self.read_json("GET", "webhooks")
        return answer

    async def create_webhook(
        self,
        name: str,
        url: str,
        *,
        events: list[OperationEvent] | Unset = UNSET,
        collection_ids: list[str] | Unset | None = UNSET,
        paused: bool | Unset = UNSET,
    ) -> NewWebhook:
        """Create a webhook.

        name: What it is called.
        url: An http or https address, public or in `webhooks.private_networks`.
        events: The events of operations that are sent; none for alerts only.
        collection_ids: The collections of these operations; null: all that you may read.
        paused: Whether nothing is sent for now; what would have been is dropped.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: NewWebhook = await self.read_json(
            "POST",
            "webhooks",
            body={
                "name": name,
                "url": url,
                "events": events,
                "collection_ids": collection_ids,
                "paused": paused,
            },
        )
        return answer

    async def get_webhook(self, webhook_id: str) -> Webhook:
        """One webhook.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: Webhook = await self.read_json("GET", fill("webhooks/{}", webhook_id))
        return answer

    async def change_webhook(
        self,
        webhook_id: str,
        *,
        name: str | Unset = UNSET,
        url: str | Unset = UNSET,
        events: list[OperationEvent] | Unset = UNSET,
        collection_ids: list[str] | Unset | None = UNSET,
        paused: bool | Unset = UNSET,
    ) -> Webhook:
        """Change a webhook, pause it or go on.

        name: What it is called.
        url: An http or https address, public or in `webhooks.private_networks`.
        events: The events of operations that are sent; none for alerts only.
        collection_ids: The collections of these operations; null: all that you may read.
        paused: Whether nothing is sent for now; what would have been is dropped.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: Webhook = await self.read_json(
            "PATCH",
            fill("webhooks/{}", webhook_id),
            body={
                "name": name,
                "url": url,
                "events": events,
                "collection_ids": collection_ids,
                "paused": paused,
            },
        )
        return answer

    async def delete_webhook(self, webhook_id: str) -> None:
        """Delete a webhook and its deliveries.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("webhooks/{}", webhook_id))

    async def test_webhook(self, webhook_id: str) -> Delivery:
        """Send a test message.

        Raises Refused (401, 403, 404, 409, 421, 422, 429, 503) and Unavailable.
        """
        answer: Delivery = await self.read_json("POST", fill("webhooks/{}/test", webhook_id))
        return answer

    async def rotate_webhook_secret(self, webhook_id: str, *, overlap_s: int | Unset = UNSET) -> NewWebhook:
        """Give a webhook a new secret.

        overlap_s: For so many seconds the former secret signs, too. 0: not any more, as after a leak.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: NewWebhook = await self.read_json(
            "POST", fill("webhooks/{}/secret", webhook_id), body={"overlap_s": overlap_s}
        )
        return answer

    async def list_deliveries(
        self, webhook_id: str, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> DeliveryList:
        """What was sent to a webhook, the newest first.

        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: DeliveryList = await self.read_json(
            "GET", fill("webhooks/{}/deliveries", webhook_id), query={"cursor": cursor, "limit": limit}
        )
        return answer

    async def send_again(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Send a delivery again, as a new message.

        Raises Refused (401, 403, 404, 409, 421, 422, 429, 503) and Unavailable.
        """
        answer: Delivery = await self.read_json(
            "POST", fill("webhooks/{}/deliveries/{}/again", webhook_id, delivery_id)
        )
        return answer
