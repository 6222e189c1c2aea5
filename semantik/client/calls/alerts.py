"""Saved searches, and what they find in what is newly indexed. Written by `make clients` from
docs/openapi.yaml: do not change it by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from semantik.client.transport import Transport
from semantik.client.types.alerts import AlertList, FeedAddress, SavedSearch, SavedSearchList
from semantik.client.types.shared import Delivery, DeliveryList, Filters, Mode
from semantik.client.values import UNSET, ServerEvent, Unset, fill


class AlertsCalls(Transport):
    """Saved searches, and what they find in what is newly indexed."""

    async def list_saved_searches(self) -> SavedSearchList:
        """Your saved searches, the oldest first.

        Raises Refused (401, 403, 421, 429, 503) and Unavailable.
        """
        answer: SavedSearchList = await self.read_json("GET", "saved-searches")
        return answer

    async def create_saved_search(
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
        """Save a search.

        name: What it is called, in lists and messages.
        query: Words, a question, or the query language; of filters alone, each new document matches.
        mode: By meaning and by words; by meaning alone; by words alone.
        collection_ids: Only these; null: all that you may read.
        webhook_ids: The webhooks that get each alert.
        mail: Whether alerts are sent to the e-mail address of your account.
        paused: Whether it looks at nothing for now.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: SavedSearch = await self.read_json(
            "POST",
            "saved-searches",
            body={
                "name": name,
                "query": query,
                "mode": mode,
                "filters": filters,
                "collection_ids": collection_ids,
                "webhook_ids": webhook_ids,
                "mail": mail,
                "paused": paused,
            },
        )
        return answer

    async def get_saved_search(self, search_id: str) -> SavedSearch:
        """One saved search.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: SavedSearch = await self.read_json("GET", fill("saved-searches/{}", search_id))
        return answer

    async def change_saved_search(
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
        """Change a saved search, pause it or go on.

        name: What it is called, in lists and messages.
        query: Words, a question, or the query language; of filters alone, each new document matches.
        mode: By meaning and by words; by meaning alone; by words alone.
        collection_ids: Only these; null: all that you may read.
        webhook_ids: The webhooks that get each alert.
        mail: Whether alerts are sent to the e-mail address of your account.
        paused: Whether it looks at nothing for now.

        Raises Refused (401, 403, 404, 408, 409, 413, 421, 422, 429, 503) and Unavailable.
        """
        answer: SavedSearch = await self.read_json(
            "PATCH",
            fill("saved-searches/{}", search_id),
            body={
                "name": name,
                "query": query,
                "mode": mode,
                "filters": filters,
                "collection_ids": collection_ids,
                "webhook_ids": webhook_ids,
                "mail": mail,
                "paused": paused,
            },
        )
        return answer

    async def delete_saved_search(self, search_id: str) -> None:
        """Delete a saved search and its alerts.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("saved-searches/{}", search_id))

    def read_feed(self, search_id: str, *, key: str | Unset = UNSET) -> AsyncIterator[bytes]:
        """The alerts of a search as a feed in Atom.

        key: The secret of the feed's address, for programs that cannot sign in.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        return self.stream_bytes("GET", fill("saved-searches/{}/feed", search_id), query={"key": key})

    async def open_feed(self, search_id: str) -> FeedAddress:
        """A new address of the feed, with a secret.

        Raises Refused (401, 403, 404, 409, 421, 422, 429, 503) and Unavailable.
        """
        answer: FeedAddress = await self.read_json("POST", fill("saved-searches/{}/feed/key", search_id))
        return answer

    async def close_feed(self, search_id: str) -> None:
        """End the address of the feed.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        await self.read_json("DELETE", fill("saved-searches/{}/feed/key", search_id))

    async def list_mail_deliveries(
        self, search_id: str, *, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> DeliveryList:
        """What was sent by mail for a saved search, the newest first.

        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: DeliveryList = await self.read_json(
            "GET", fill("saved-searches/{}/deliveries", search_id), query={"cursor": cursor, "limit": limit}
        )
        return answer

    async def send_mail_again(self, search_id: str, delivery_id: str) -> Delivery:
        """Send an alert by mail again.

        Raises Refused (401, 403, 404, 409, 421, 422, 429, 503) and Unavailable.
        """
        answer: Delivery = await self.read_json(
            "POST", fill("saved-searches/{}/deliveries/{}/again", search_id, delivery_id)
        )
        return answer

    async def list_alerts(
        self, *, search_id: str | Unset = UNSET, cursor: str | Unset = UNSET, limit: int | Unset = UNSET
    ) -> AlertList:
        """What your saved searches have found, the newest first.

        search_id: Only those of this saved search.
        cursor: `next_cursor` of the page before.
        limit: How many items.

        Raises Refused (401, 403, 404, 421, 422, 429, 503) and Unavailable.
        """
        answer: AlertList = await self.read_json(
            "GET", "alerts", query={"search_id": search_id, "cursor": cursor, "limit": limit}
        )
        return answer

    def follow_alerts(
        self, *, since: int | Unset = UNSET, last_event_id: int | Unset = UNSET
    ) -> AsyncIterator[ServerEvent]:
        """New alerts as Server-Sent Events.

        since: The number of the last alert that the client has; without it new alerts only.
        last_event_id: As `since`, which it precedes.

        Raises Refused (401, 403, 421, 422, 429, 503) and Unavailable.
        """
        return self.stream_events(
            "GET", "alerts/events", query={"since": since}, headers={"Last-Event-ID": last_event_id}
        )
