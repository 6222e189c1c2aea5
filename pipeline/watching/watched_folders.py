"""Folders that are scanned again by themselves: an APPEND is queued when time is over or something in one changed.

Every server does this, and they agree by the source's record: who changes its `scan_id` first queues the operation, and
until that has ended nobody queues another. Runs on the loop, beside the dispatcher.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NoReturn, Self

from pipeline import failpoints
from pipeline.scanning.walker import WalkRules
from pipeline.watching.folder_watches import FolderWatches, WatchEvent
from pipeline.watching.watched_folder import WatchedFolder
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import now
from semantik.services.operations import queued
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.folders")

_LOOK_S = 1.0


class FolderWatcher:
    """`async with WatchedFolders(...)` queues scans until it is left; `wake()` tells that there is work.

    `live()` gives the settings of the moment.
    """

    def __init__(self, live: Callable[[], Settings], store: Store, wake: Callable[[], None]) -> None:
        self._live = live
        self._store = store
        self._wake = wake
        self._watches = FolderWatches(self._hear)
        self._folders: dict[str, WatchedFolder] = {}
        self._absent: dict[str, datetime] = {}  # claims whose operation is not there, and since when
        self._loop: asyncio.Task[NoReturn] | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.create_task(self._run(), name="watched folders")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.loop.cancel()
        await asyncio.gather(self.loop, return_exceptions=True)
        await self._watches.close()

    @property
    def loop(self) -> asyncio.Task[NoReturn]:
        """The task behind it; it never ends by itself, so when it does the server must."""
        assert self._loop is not None
        return self._loop

    async def _run(self) -> NoReturn:
        while True:
            try:
                await self._look()
            except Unavailable as error:  # said already where operations wait
                log.debug("Watched folders are looked at again later: %s", error)
            await asyncio.sleep(_LOOK_S)

    async def _look(self) -> None:
        """One round: follow what is wished, and queue what is due."""
        await self._watches.follow(self._rules())
        sources = [one for one in await self._store.collections.watched_sources() if not one.removing]
        for source_id in self._folders.keys() - {source.id for source in sources}:
            self._watches.leave(source_id)
            del self._folders[source_id]
        for source in sources:
            folder = self._folders.setdefault(source.id, WatchedFolder(source, lambda: self._live().watch))
            folder.source = source
            await self._keep_watch(folder)
            if await self._is_free(folder) and folder.is_due(now()):
                await self._queue(folder)

    def _rules(self) -> WalkRules:
        settings = self._live()
        documents = settings.documents
        return WalkRules(documents.roots, documents.exclude, (settings.data.resolve(),))

    async def _keep_watch(self, folder: WatchedFolder) -> None:
        source = folder.source
        if folder.is_to_be_watched(now()):
            folder.asked(now())
            await self._watches.watch(source.id, source.path)
        elif folder.is_watched and not source.immediate:
            self._watches.leave(source.id)
            folder.left()

    def _hear(self, sign: WatchEvent) -> None:
        folder = self._folders.get(sign.source_id)
        if folder is not None:
            folder.hear(sign, now())

    async def _is_free(self, folder: WatchedFolder) -> bool:
        """Whether the last scan has ended. One that was claimed and never queued, by a server that died in between, is
        waited for a while: its server may only be slow."""
        scan_id = folder.source.scan_id
        if scan_id is None:
            return True
        if folder.scan is None or folder.scan.id != scan_id or not folder.scan.ended:
            folder.read(await self._store.operations.get(scan_id))
        if folder.scan is not None:
            self._absent.pop(scan_id, None)
            return folder.scan.ended
        silent = timedelta(seconds=2 * self._live().operations.lease_s)
        return now() - self._absent.setdefault(scan_id, now()) >= silent

    async def _queue(self, folder: WatchedFolder) -> None:
        """Claim the source, then queue its scan: at most one server gets this far."""
        source = folder.source
        collection = await self._store.collections.get(source.collection_id)
        if collection is None:
            return
        scan = queued(collection.owner_id, collection.id, "append", source.id, {"watched": True})
        claim = {"scan_id": source.scan_id}
        if await self._store.collections.update_source(source, {"scan_id": scan.id}, only_if=claim) is None:
            return
        self._absent.pop(source.scan_id or "", None)
        failpoints.die_at("watched.claimed")
        await self._store.operations.add(scan)
        self._wake()
