"""What was sent to a target, or is sent to it now: the same for webhooks and for mails. Runs on the loop.

Whoever calls has checked that the target is the user's.
"""

from __future__ import annotations

from collections.abc import Callable

from semantik.core.errors import Conflict, NotFound
from semantik.core.models import Delivery, delivery_id, new_id, now
from semantik.core.pagination import Page, decode_cursor, encode_cursor, page_of
from semantik.storage.mongo import Store
from semantik.storage.mongo.rows import milliseconds

_FIRST = (1 << 53, "")


class DeliveryService:
    """`wake` is called when something is to be sent."""

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self._store = store
        self._wake = wake

    async def page(self, target: str, cursor: str | None, limit: int) -> Page[Delivery]:
        """The newest first."""
        before = _FIRST
        if cursor:
            moment, last_id = decode_cursor(cursor, 2)
            before = (int(moment) if moment.isdigit() else 0, last_id)
        found = await self._store.deliveries.page(target, before, limit + 1)
        last = found[min(limit, len(found)) - 1] if found else None
        position = encode_cursor(str(milliseconds(last.created_at)), last.id) if last else ""
        return page_of(found, limit, position)

    async def again(self, target: str, of_id: str) -> Delivery:
        """Send a delivery again that has ended: as a new message, so that the receiver takes it.

        Raises NotFound, or Conflict while it is still to be sent.
        """
        delivery = await self._store.deliveries.get(of_id)
        if delivery is None or delivery.target != target:
            raise NotFound(f"There is no delivery {of_id} here.")
        if delivery.state == "pending":
            raise Conflict("It is still to be sent; wait for it.")
        return await self.send(
            delivery.user_id,
            target,
            delivery.event,
            delivery.content,
            delivery.alert_id,
            delivery.collection_id,
        )

    async def send(
        self,
        user_id: str,
        target: str,
        event: str,
        content: str,
        alert_id: str | None = None,
        collection_id: str | None = None,
    ) -> Delivery:
        """Queue a new message."""
        moment = now()
        delivery = Delivery(
            id=delivery_id(new_id()),
            user_id=user_id,
            target=target,
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
