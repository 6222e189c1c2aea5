"""Removes alerts and deliveries that are past their time, and alerts of documents that are gone. Runs on the loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import Alert, now
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.alerts")

_FIRST_S = 60.0
_PAUSE_S = 3600.0


class NotificationUpkeep:
    """An alert holds text of its document, so it goes with that."""

    def __init__(self, store: Store, current: Callable[[], Settings]) -> None:
        self._store = store
        self._current = current

    async def run(self) -> NoReturn:
        pause_s = _FIRST_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = _PAUSE_S
            try:
                await self.remove_old()
            except Unavailable as error:
                log.debug("Old alerts are removed later: %s", error)

    async def remove_old(self) -> None:
        settings = self._current()
        await self._store.deliveries.remove_before(now() - timedelta(days=settings.webhooks.keep_days))
        await self._store.alerts.remove_before(now() - timedelta(days=settings.alerts.keep_days))
        async for page in self._store.alerts.pages():
            gone = await self._without_document(page) + await self._without_search(page)
            await self._store.alerts.remove([each.id for each in gone])

    async def _without_search(self, alerts: list[Alert]) -> list[Alert]:
        """Those that a server has saved and then died, while their search was deleted."""
        there = await self._store.saved_searches.existing({each.search_id for each in alerts})
        return [each for each in alerts if each.search_id not in there]

    async def _without_document(self, alerts: list[Alert]) -> list[Alert]:
        by_collection: dict[str, list[Alert]] = {}
        for each in alerts:
            by_collection.setdefault(each.collection_id, []).append(each)
        gone: list[Alert] = []
        for collection_id, own in by_collection.items():
            collection = await self._store.collections.get(collection_id)
            if collection is None:
                continue  # its purge removes them
            paths = sorted({each.path for each in own})
            documents = await self._store.documents.by_paths(collection.current, paths)
            there = {path for path, one in documents.items() if one.status != "removing"}
            gone += [each for each in own if each.path not in there]
        return gone
