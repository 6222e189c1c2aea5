"""Addresses that get signed requests. An API key cannot use these operations. Written by `make clients` from
docs/openapi.yaml: do not change it by hand.
"""

from __future__ import annotations

from semantik.client.portal import Portal
from semantik.client.types.shared import Delivery, DeliveryList
from semantik.client.types.webhooks import NewWebhook, OperationEvent, Webhook, WebhookList
from semantik.client.values import UNSET, Unset


class WebhooksSyncCalls(Portal):
    """Addresses that get signed requests. An API key cannot use these operations."""

    def list_webhooks(self) -> WebhookList:
        """Your webhooks, the oldest first."""
        return self.run(lambda client: client.list_webhooks())

    def create_webhook(
        self,
        name: str,
        url: str,
        *,
        events: list[OperationEvent] | Unset = UNSET,
        collection_ids: list[str] | Unset | None = UNSET,
        paused: bool | Unset = UNSET,
    ) -> NewWebhook:
        """Create a webhook."""
        return self.run(
            lambda client: client.create_webhook(
                name, url, events=events, collection_ids=collection_ids, paused=paused
            )
        )

    def get_webhook(self, webhook_id: str) -> Webhook:
        """One webhook."""
        return self.run(lambda client: client.get_webhook(webhook_id))

    def change_webhook(
        self,
        webhook_id: str,
        *,
        name: str | Unset = UNSET,
        url: str | Unset = UNSET,
        events: list[OperationEvent] | Unset = UNSET,
        collection_ids: list[str] | Unset | None = UNSET,
        paused: bool | Unset = UNSET,
    ) -> Webhook:
        """Change a webhook, pause it or go on."""
        return self.run(
            lambda client: client.change_webhook(
                webhook_id, name=name, url=url, events=events, collection_ids=collection_ids, paused=paused
            )
        )

    def delete_webhook(self, webhook_id: str) -> None:
        """Delete a webhook and its deliveries."""
        return self.run(lambda client: client.delete_webhook(webhook_id))

    def test_webhook(self, webhook_id: str) -> Delivery:
        """Send a test message."""
        return self.run(lambda client: client.test_webhook(webhook_id))

    def rotate_webhook_secret(self, webhook_id: str, *, overlap_s: int | Unset = UNSET) -> NewWebhook:
        """Give a webhook a new secret."""
        return self.run(lambda client: client.rotate_webhook_secret(webhook_id, overlap_s=overlap_s))

    def list_deliveries(
        self, webhook_id: str, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> DeliveryList:
        """What was sent to a webhook, the newest first."""
        return self.run(lambda client: client.list_deliveries(webhook_id, cursor=cursor, limit=limit))

    def send_again(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Send a delivery again, as a new message."""
        return self.run(lambda client: client.send_again(webhook_id, delivery_id))
