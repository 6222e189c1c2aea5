"""Saves alerts under their numbers, and queues what has to be sent of them. Runs on the loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from semantik.core.models import MAIL, Alert, Delivery, SavedSearch, delivery_id, now
from semantik.services.notifications.content import ALERT_EVENT
from semantik.storage.mongo import Store


class AlertSaver:
    """`on_saved` is called when there are new alerts, `on_queued` when there are new deliveries."""

    def __init__(
        self,
        store: Store,
        on_saved: Callable[[], None],
        on_queued: Callable[[], None],
        reached: Callable[[str], None],
    ) -> None:
        self._store = store
        self._on_saved = on_saved
        self._on_queued = on_queued
        self._reached = reached

    async def save(self, found: Sequence[Alert], token: str, number: int) -> int:
        """Save those that are new, after `number`, for the holder of the user's lease; returns the last number.

        A search that is deleted meanwhile leaves no alerts. Raises Conflict when another server holds the lease by now.
        """
        if not found:
            return number
        user_id = found[0].user_id
        searches = {each.id: each for each in await self._store.saved_searches.of_user(user_id)}
        known = await self._store.alerts.known([each.id for each in found])
        fresh: dict[str, Alert] = {}
        for each in found:
            search = searches.get(each.search_id)
            if search is not None and each.id not in known and each.id not in fresh:
                number += 1
                fresh[each.id] = replace(each, number=number, queued=not _targets(search))
        if fresh:
            alerts = list(fresh.values())
            await self._store.alerts.add(alerts)
            self._reached("alerts.added")
            await self._store.alerts.set_last_number(user_id, token, number)
            self._on_saved()
            if not all(each.queued for each in alerts):
                await self.queue_deliveries(user_id)
            await self._remove_of_deleted({each.search_id for each in alerts})
        return number

    async def queue_deliveries(self, user_id: str) -> None:
        """Queue the deliveries of alerts that have none yet."""
        alerts = await self._store.alerts.unqueued(user_id)
        if not alerts:
            return
        searches = {each.id: each for each in await self._store.saved_searches.of_user(user_id)}
        deliveries = [
            _delivery(alert, target) for alert in alerts for target in _targets(searches.get(alert.search_id))
        ]
        await self._store.deliveries.queue(deliveries)
        self._reached("alerts.queued")
        await self._store.alerts.mark_queued([each.id for each in alerts])
        if deliveries:
            self._on_queued()

    async def _remove_of_deleted(self, search_ids: set[str]) -> None:
        """Who deletes a search removes its record first, and its alerts then: one of both sides sees the other's."""
        for search_id in search_ids - await self._store.saved_searches.existing(search_ids):
            await self._store.deliveries.remove_target(MAIL + search_id)
            await self._store.alerts.remove_search(search_id)


def _targets(search: SavedSearch | None) -> list[str]:
    if search is None:
        return []
    return [*search.webhook_ids, *([MAIL + search.id] if search.mail else [])]


def _delivery(alert: Alert, target: str) -> Delivery:
    moment = now()
    return Delivery(
        id=delivery_id(alert.id, target),
        user_id=alert.user_id,
        target=target,
        event=ALERT_EVENT,
        created_at=moment,
        next_at=moment,
        alert_id=alert.id,
        collection_id=alert.collection_id,
    )
