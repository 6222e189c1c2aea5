"""Saved searches with their alerts, and webhooks: what the server tells by itself. `Notifications` wires the parts.

index -> evaluation -> alerts -> sockets, event streams, feeds
                              -> deliveries -> webhooks, mails
operation -> operation_events -> deliveries
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NoReturn

from semantik.auth.authorization import Authorizer
from semantik.auth.groups import GroupService
from semantik.auth.sealing import WEBHOOKS, Sealer
from semantik.config.settings import Settings
from semantik.core.cancellation import not_lost
from semantik.search.service import SearchService
from semantik.services.notifications.alert_saver import AlertSaver
from semantik.services.notifications.alerts import AlertService, VisibleAlert
from semantik.services.notifications.block_evaluation import BlockEvaluator
from semantik.services.notifications.deliveries import DeliveryService
from semantik.services.notifications.delivery_queue import DeliveryQueue
from semantik.services.notifications.dispatch import Dispatch
from semantik.services.notifications.evaluation import AlertEvaluator
from semantik.services.notifications.mailer import Mailer
from semantik.services.notifications.operation_events import OperationEvents
from semantik.services.notifications.readers import Readers
from semantik.services.notifications.saved_searches import SavedSearchService, SavedSearchView
from semantik.services.notifications.upkeep import NotificationUpkeep
from semantik.services.notifications.webhook_sender import WebhookSender
from semantik.services.notifications.webhooks import NewWebhook, WebhookService
from semantik.storage.mongo import Store

__all__ = [
    "AlertService",
    "NewWebhook",
    "Notifications",
    "OperationEvents",
    "SavedSearchService",
    "SavedSearchView",
    "VisibleAlert",
    "WebhookService",
]


class Notifications:
    """`run` does all background work; `reached(stage)` is called where tests crash. Sockets and handlers use the
    rest.
    """

    def __init__(
        self,
        store: Store,
        groups: GroupService,
        current: Callable[[], Settings],
        reached: Callable[[str], None],
    ) -> None:
        self._store = store
        self._current = current
        self._reached = reached
        self._readers = Readers(store, groups)
        settings = current()
        self._sealer = Sealer(settings.data, settings.webhooks.secrets_key, WEBHOOKS)
        self.alerts = AlertService(store, groups)
        dispatch = Dispatch(
            store,
            self._readers,
            self.alerts,
            WebhookSender(lambda: current().webhooks),
            Mailer(lambda: current().smtp),
            self._sealer,
            current,
        )
        self._deliveries = DeliveryQueue(store, dispatch, current)
        self._evaluator: AlertEvaluator | None = None
        self.events = OperationEvents(store, self._readers, self._deliveries.wake, self._look)
        self._upkeep = NotificationUpkeep(store, current)

    def services(self, authorizer: Authorizer) -> tuple[SavedSearchService, WebhookService]:
        """What handlers call on behalf of users."""
        wake = self._deliveries.wake
        deliveries = DeliveryService(self._store, wake)
        searches = SavedSearchService(
            self._store, authorizer, self._readers, deliveries, self._current, self._look
        )
        webhooks = WebhookService(
            self._store, authorizer, self._sealer, lambda: self._current().webhooks, deliveries, wake
        )
        return searches, webhooks

    async def run(self, search: SearchService) -> NoReturn:
        """Look for new matches with `search`, and send what is queued, for ever."""
        saver = AlertSaver(self._store, self.alerts.wake, self._deliveries.wake, self._reached)
        blocks = BlockEvaluator(self._store, search.percolator, saver, self._current, self._reached)
        evaluator = self._evaluator = AlertEvaluator(self._store, self._readers, blocks, self._current)
        async with asyncio.TaskGroup() as tasks:
            for work in (evaluator.run, self.alerts.run, self._deliveries.run, self._upkeep.run):
                tasks.create_task(not_lost(work))
        raise AssertionError("The work for ever has ended.")

    def _look(self) -> None:
        if self._evaluator is not None:
            self._evaluator.wake()
