"""Queues an APPEND for a watched folder when its interval is over or something in it has changed.

Every server does this, and the source's record keeps them from doing it twice: the server that is first to change its
`scan_id` queues the operation, and no server queues another one until that has ended. Runs on the loop, beside the
dispatcher.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NoReturn, Self

from pipeline import failpoints
from pipeline.scanning.walk_rules import WalkRules
from pipeline.watching.watched_folder import WatchedFolder
from pipeline.watching.watcher_client import WatcherClient, WatchEvent
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import now
from semantik.services.queued_operation import queued_operation
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.folders")

_ANYWHERE = ("/",)
_POLL_S = 1.0


class FolderWatcher:
    """Queues scans inside `async with FolderWatcher(...)`.

    `current()` returns the current settings; `wake()` is called after a scan was queued. A watch only notices that
    something has changed, so it may look wherever the server may; the scan that follows compares each source's roots.
    """

    def __init__(self, current: Callable[[], Settings], store: Store, wake: Callable[[], None]) -> None:
        self._current = current
        self._store = store
        self._wake = wake
        self._client = WatcherClient(self._on_event)
        self._folders: dict[str, WatchedFolder] = {}
        self._absent: dict[str, datetime] = {}  # scan ids without an operation, and since when
        self._loop: asyncio.Task[NoReturn] | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.create_task(self._run(), name="watched folders")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.loop.cancel()
        await asyncio.gather(self.loop, return_exceptions=True)
        await self._client.close()

    @property
    def loop(self) -> asyncio.Task[NoReturn]:
        """The task behind it. It never ends by itself: when it does, the server must end."""
        assert self._loop is not None
        return self._loop

    async def _run(self) -> NoReturn:
        while True:
            try:
                await self._poll()
            except Unavailable as error:  # the dispatcher has logged a warning already
                log.debug("Watched folders are checked again later: %s", error)
            await asyncio.sleep(_POLL_S)

    async def _poll(self) -> None:
        """Start and end watches as the sources' records say, and queue the scans that are due."""
        await self._client.set_rules(self._rules())
        sources = [one for one in await self._store.collections.watched_sources() if not one.removing]
        for source_id in self._folders.keys() - {source.id for source in sources}:
            self._client.unwatch(source_id)
            del self._folders[source_id]
        for source in sources:
            folder = self._folders.setdefault(source.id, WatchedFolder(source, lambda: self._current().watch))
            folder.source = source
            await self._update_watch(folder)
            if await self._last_scan_has_ended(folder) and folder.is_due(now()):
                await self._queue_scan(folder)

    def _rules(self) -> WalkRules:
        settings = self._current()
        documents = settings.documents
        return WalkRules(documents.roots or _ANYWHERE, documents.exclude, settings.private_paths)

    async def _update_watch(self, folder: WatchedFolder) -> None:
        source = folder.source
        if folder.needs_watch(now()):
            folder.set_watched(now())
            await self._client.watch(source.id, source.path)
        elif folder.is_watched and not source.immediate:
            self._client.unwatch(source.id)
            folder.set_unwatched()

    def _on_event(self, event: WatchEvent) -> None:
        folder = self._folders.get(event.source_id)
        if folder is not None:
            folder.on_event(event, now())

    async def _last_scan_has_ended(self, folder: WatchedFolder) -> bool:
        """Whether the last scan has ended.

        A scan that was claimed and not queued yet counts as running for a while. After that, its server has died in
        between, and is not only slow.
        """
        scan_id = folder.source.scan_id
        if scan_id is None:
            return True
        if folder.scan is None or folder.scan.id != scan_id or not folder.scan.ended:
            folder.update_scan(await self._store.operations.get(scan_id))
        if folder.scan is not None:
            self._absent.pop(scan_id, None)
            return folder.scan.ended
        grace = timedelta(seconds=2 * self._current().operations.lease_s)
        return now() - self._absent.setdefault(scan_id, now()) >= grace

    async def _queue_scan(self, folder: WatchedFolder) -> None:
        """Claim the source, then queue its scan; does nothing when another server was first."""
        source = folder.source
        collection = await self._store.collections.get(source.collection_id)
        if collection is None:
            return
        scan = queued_operation(collection.owner_id, collection.id, "append", source.id, {"watched": True})
        claim = {"scan_id": source.scan_id}
        if await self._store.collections.update_source(source, {"scan_id": scan.id}, only_if=claim) is None:
            return
        self._absent.pop(source.scan_id or "", None)
        failpoints.die_at("watched.claimed")
        await self._store.operations.add(scan)
        self._wake()
