"""Stores and removes whole uploads, so that a crash leaves one that can be completed, or nothing. Runs on the loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from weakref import WeakValueDictionary

from semantik.core.errors import Conflict, NotFound, Unavailable
from semantik.core.models import Source, Upload, new_id, now
from semantik.core.upload_paths import source_path
from semantik.services.upload_usage import UploadUsage
from semantik.storage.mongo import Store
from semantik.storage.upload_contents import UploadContents


class UploadStorer:
    """A collection has each content once: whoever sends it again gets the upload that there is."""

    def __init__(self, store: Store, contents: UploadContents, usage: UploadUsage) -> None:
        self._store = store
        self._contents = contents
        self._usage = usage
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def store(self, upload: Upload, recorded: bool) -> tuple[Upload, bool]:
        """Store an upload whose bytes have come; and whether its collection had its content already.

        `recorded`: it has a record. Raises NotFound when its bytes are gone, Conflict while uploads are being removed.
        """
        content = await self._contents.in_thread(self._contents.folder.seal, upload.id)
        async with self._locks.setdefault(upload.collection_id, asyncio.Lock()):
            same = await self._store.uploads.stored(upload.collection_id, content)
            if same is not None:
                await self._contents.in_thread(self._contents.folder.discard, upload.id)
                if recorded and await self._store.uploads.remove(upload):
                    self._usage.add(upload.user_id, -upload.size, -1)
                return same, True
            await self._ensure_source(upload)
            if recorded:
                stored = await self._store_recorded(upload, content)
            else:
                stored = await self._store_new(upload, content)
        if stored is None:
            raise Unavailable("The file could not be stored: send it again.")
        return stored, stored.id != upload.id

    async def _store_recorded(self, upload: Upload, content: str) -> Upload | None:
        storing = replace(upload, state="storing", content=content, changed_at=now())
        fields = {name: getattr(storing, name) for name in ("state", "content", "changed_at")}
        if await self._store.uploads.update(upload, fields) is None:
            raise NotFound(f"There is no upload {upload.id}.")
        self._usage.add(upload.user_id, 0, -1)
        return await self.complete(storing)

    async def _store_new(self, upload: Upload, content: str) -> Upload | None:
        """Its bytes get their place first: after a crash before the record nothing names them, and they are removed."""
        stored = replace(upload, state="stored", content=content, changed_at=now())
        if not await self._contents.keep(stored):
            return None
        await self._store.uploads.add(stored)
        self._usage.add(upload.user_id, upload.size)
        await self._replace_others(stored)
        return stored

    async def complete(self, upload: Upload) -> Upload | None:
        """Give an upload in the state storing its place; None when its bytes are gone. May be repeated."""
        if not await self._contents.keep(upload):
            return None
        same = await self._store.uploads.stored(upload.collection_id, upload.content)
        if same is not None and same.id != upload.id:  # it was sent again after a failure
            await self._store.uploads.remove(upload)
            self._usage.add(upload.user_id, -upload.size)
            return same
        stored = await self._store.uploads.update(upload, {"state": "stored", "changed_at": now()})
        if stored is not None:
            await self._replace_others(stored)
        return stored

    async def _replace_others(self, stored: Upload) -> None:
        """Remove the earlier uploads of its name, if that was asked for."""
        if stored.replace:
            for other in await self._store.uploads.named(stored.collection_id, stored.name):
                if other.id != stored.id:
                    with suppress(Conflict):  # somebody has just removed it
                        await self.remove(other)

    async def remove(self, upload: Upload) -> None:
        """Remove an upload: its bytes if it is not finished, else its document, with the next operation.

        Raises Conflict when its state has changed.
        """
        if upload.state == "receiving":
            await self._contents.in_thread(self._contents.folder.discard, upload.id)
            removed = await self._store.uploads.remove(upload)
        else:
            fields = {"state": "removing", "operation_id": None, "changed_at": now()}
            removed = await self._store.uploads.update(upload, fields) is not None
        if not removed:
            raise Conflict("The upload has just changed: try again.")
        self._usage.add(upload.user_id, -upload.size, -1 if upload.state == "receiving" else 0)

    async def _ensure_source(self, upload: Upload) -> None:
        """The source of the collection that holds its uploads. Raises Conflict while it is being removed."""
        path = source_path(upload.collection_id)
        known = await self._store.collections.sources([upload.collection_id])
        source = next((one for one in known if one.path == path), None)
        if source is None:
            with suppress(Conflict):  # another server was faster
                await self._store.collections.add_source(
                    Source(new_id(), upload.collection_id, path, now(), user_id=upload.user_id)
                )
        elif source.removing:
            raise Conflict("The uploads of this collection are being removed: try again when they are gone.")
