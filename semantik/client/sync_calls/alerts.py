"""Saved searches, and what they find in what is newly indexed. Written by `make clients` from
docs/openapi.yaml: do not change it by hand.
"""

from __future__ import annotations

from collections.abc import Iterator

from semantik.client.portal import Portal
from semantik.client.types.alerts import AlertList, FeedAddress, SavedSearch, SavedSearchList
from semantik.client.types.shared import Delivery, DeliveryList, Filters, Mode
from semantik.client.values import UNSET, ServerEvent, Unset


class AlertsSyncCalls(Portal):
    """Saved searches, and what they find in what is newly indexed."""

    def list_saved_searches(self) -> SavedSearchList:
        """Your saved searches, the oldest first."""
        return self.run(lambda client: client.list_saved_searches())

    def create_saved_search(
        self,
        name: str,
        query: str,
        *,
        mode: Mode | Unset = UNSET,
        filters: Filters | Unset = UNSET,
        collection_ids: list[str] | Unset | None = UNSET,
        webhook_ids: list[str] | Unset = UNSET,
        mail: bool | Unset = UNSET,
        paused: bool | Unset = UNSET,
    ) -> SavedSearch:
        """Save a search."""
        return self.run(
            lambda client: client.create_saved_search(
                name,
                query,
                mode=mode,
                filters=filters,
                collection_ids=collection_ids,
                webhook_ids=webhook_ids,
                mail=mail,
                paused=paused,
            )
        )

    def get_saved_search(self, search_id: str) -> SavedSearch:
        """One saved search."""
        return self.run(lambda client: client.get_saved_search(search_id))

    def change_saved_search(
        self,
        search_id: str,
        *,
        name: str | Unset = UNSET,
        query: str | Unset = UNSET,
        mode: Mode | Unset = UNSET,
        filters: Filters | Unset = UNSET,
        collection_ids: list[str] | Unset | None = UNSET,
        webhook_ids: list[str] | Unset = UNSET,
        mail: bool | Unset = UNSET,
        paused: bool | Unset = UNSET,
    ) -> SavedSearch:
        """Change a saved search, pause it or go on."""
        return self.run(
            lambda client: client.change_saved_search(
                search_id,
                name=name,
                query=query,
                mode=mode,
                filters=filters,
                collection_ids=collection_ids,
                webhook_ids=webhook_ids,
                mail=mail,
                paused=paused,
            )
        )

    def delete_saved_search(self, search_id: str) -> None:
        """Delete a saved search and its alerts."""
        return self.run(lambda client: client.delete_saved_search(search_id))

    def read_feed(self, search_id: str, *, key: str | Unset = UNSET) -> Iterator[bytes]:
        """The alerts of a search as a feed in Atom."""
        return self.iterate(lambda client: client.read_feed(search_id, key=key))

    def open_feed(self, search_id: str) -> FeedAddress:
        """A new address of the feed, with a secret."""
        return self.run(lambda client: client.open_feed(search_id))

    def close_feed(self, search_id: str) -> None:
        """End the address of the feed."""
        return self.run(lambda client: client.close_feed(search_id))

    def list_mail_deliveries(
        self, search_id: str, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> DeliveryList:
        """What was sent by mail for a saved search, the newest first."""
        return self.run(lambda client: client.list_mail_deliveries(search_id, cursor=cursor, limit=limit))

    def send_mail_again(self, search_id: str, delivery_id: str) -> Delivery:
        """Send an alert by mail again."""
        return self.run(lambda client: client.send_mail_again(search_id, delivery_id))

    def list_alerts(
        self, *, search_id: str | Unset = UNSET, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> AlertList:
        """What your saved searches have found, the newest first."""
        return self.run(lambda client: client.list_alerts(search_id=search_id, cursor=cursor, limit=limit))

    def follow_alerts(
        self, *, since: int | Unset = UNSET, last_event_id: int | Unset = UNSET
    ) -> Iterator[ServerEvent]:
        """New alerts as Server-Sent Events."""
        return self.iterate(lambda client: client.follow_alerts(since=since, last_event_id=last_event_id))
