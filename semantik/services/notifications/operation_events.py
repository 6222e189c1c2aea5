"""Queues a message to each webhook that wants an event of an operation. Runs on the loop."""

from __future__ import annotations

import json
from collections.abc import Callable

from semantik.auth.authorization import access_of
from semantik.core.models import Delivery, Operation, OperationEvent, delivery_id, now
from semantik.services.notifications.content import operation_data
from semantik.services.notifications.readers import Readers
from semantik.storage.mongo import Store

_EVENTS: dict[str, OperationEvent] = {
    "processing": "operation.started",
    "completed": "operation.completed",
    "failed": "operation.failed",
    "cancelled": "operation.cancelled",
}


class OperationEvents:
    """`on_queued` is called when there is something to send, `on_ended` when an operation has ended."""

    def __init__(
        self,
        store: Store,
        readers: Readers,
        on_queued: Callable[[], None],
        on_ended: Callable[[], None],
    ) -> None:
        self._store = store
        self._readers = readers
        self._on_queued = on_queued
        self._on_ended = on_ended

    async def notify(self, operation: Operation) -> None:
        """Queue what is to be told of the operation's status; may be repeated. Raises Unavailable."""
        event = _EVENTS[operation.status]
        webhooks = await self._store.webhooks.with_event(event, operation.collection_id)
        collection = await self._store.collections.get(operation.collection_id) if webhooks else None
        if collection is not None:
            readers = await self._readers.of({each.user_id for each in webhooks})
            content = json.dumps(operation_data(operation, collection), ensure_ascii=False)
            moment = now()
            deliveries = [
                Delivery(
                    id=delivery_id(operation.id, event, each.id),
                    user_id=each.user_id,
                    target=each.id,
                    event=event,
                    created_at=moment,
                    next_at=moment,
                    content=content,
                    collection_id=collection.id,
                )
                for each in webhooks
                if each.user_id in readers and access_of(readers[each.user_id], collection) is not None
            ]
            await self._store.deliveries.queue(deliveries)
            self._on_queued()
        if operation.ended:
            self._on_ended()
