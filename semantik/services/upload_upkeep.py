"""Keeps uploads in order: completes what a crash left, queues operations for what has come, removes what is expired.

Many uploads become one operation: those within `uploads.index_delay_s`, and those that come while the one before runs.
Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from semantik.config.upload_settings import UploadSettings
from semantik.core.errors import Conflict, Unavailable
from semantik.core.models import Upload, now
from semantik.core.upload_paths import source_path
from semantik.services.operations import OperationService
from semantik.services.uploads import UploadService
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.uploads")

_ROUND_S = 1.0
_EXPIRY_S = 60.0
_CONTENTS_S = 3600.0
_STORING_S = 60.0  # storing a file takes a moment
_OTHERS_S = 30.0  # after this time another server queues what the one that received it has not


class UploadUpkeep:
    """`limits()` are the current settings."""

    def __init__(
        self,
        store: Store,
        uploads: UploadService,
        operations: OperationService,
        limits: Callable[[], UploadSettings],
    ) -> None:
        self._store = store
        self._contents = uploads.contents
        self._uploads = uploads
        self._operations = operations
        self._server = uploads.server
        self._limits = limits

    async def recover(self) -> None:
        """Complete what an earlier run of this server left; call it before uploads are accepted."""
        await self._complete(now())
        resumable = {one.id for one in await self._store.uploads.of_server(self._server, "receiving")}
        for upload_id in await self._contents.in_thread(self._contents.folder.begun):
            if upload_id not in resumable:
                await self._contents.in_thread(self._contents.folder.discard, upload_id)

    async def _complete(self, before: datetime) -> None:
        """Complete uploads whose bytes had come before, and that an error or a crash kept from being stored."""
        for upload in await self._store.uploads.of_server(self._server, "storing"):
            if upload.changed_at <= before and await self._uploads.storer.complete(upload) is None:
                log.warning("The bytes of the upload %s (%s) are gone; it is removed", upload.id, upload.name)
                await self._store.uploads.remove(upload)

    async def run(self) -> None:
        """Do what is due, for ever."""
        expiry_at = contents_at = 0.0
        while True:
            with suppress(Unavailable):  # the dispatcher logs it; tried again in the next round
                await self.queue_operations()
                if time.monotonic() >= expiry_at:
                    await self._complete(now() - timedelta(seconds=_STORING_S))
                    await self.expire()
                    expiry_at = time.monotonic() + min(_EXPIRY_S, self._limits().expire_s)
                if time.monotonic() >= contents_at:
                    await self._contents.remove_unused()
                    contents_at = time.monotonic() + _CONTENTS_S
            await asyncio.sleep(_ROUND_S)

    async def queue_operations(self) -> None:
        """Have stored uploads indexed, and the documents of removed ones removed."""
        waiting: dict[str, list[Upload]] = {}
        for one in await self._store.uploads.unqueued():
            waiting.setdefault(one.collection_id, []).append(one)
        for collection_id, uploads in waiting.items():
            if self._is_due(uploads):
                await self._queue(collection_id, uploads)

    def _is_due(self, uploads: Sequence[Upload]) -> bool:
        delays = {True: self._limits().index_delay_s, False: _OTHERS_S}
        return any(
            one.changed_at + timedelta(seconds=delays[one.server == self._server]) <= now() for one in uploads
        )

    async def _queue(self, collection_id: str, uploads: Sequence[Upload]) -> None:
        sources = await self._store.collections.sources([collection_id])
        source = next((one for one in sources if one.path == source_path(collection_id)), None)
        if source is None or source.removing:  # its removal removes the uploads
            return
        operation = await self._operations.append_uploads(source)
        await self._store.uploads.set_operation(uploads, operation.id)
        for one in uploads:
            if one.state == "removing":
                await self._store.uploads.remove(one)

    async def expire(self) -> None:
        """Remove unfinished uploads that have had no bytes for too long, and their files here."""
        before = now() - timedelta(seconds=self._limits().expire_s)
        for upload in await self._store.uploads.unchanged_since(before):
            if upload.server != self._server and upload.changed_at > before - (now() - before):
                continue  # its own server has the file, and a while to remove both
            with suppress(Conflict):  # it has just gone on
                await self._uploads.expire(upload)
