"""Files that users send to collections: begun, received, stored, listed and removed. Runs on the loop.

A crash at any point leaves an upload that can be resumed, one that `upload_upkeep.py` completes, or a file that it
removes. What is stored becomes a document by an
APPEND of the collection's source of uploads, which the upkeep queues for many files together.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.config.upload_settings import UploadSettings
from semantik.core.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge, Unavailable
from semantik.core.globs import Globs
from semantik.core.models import Collection, Document, Upload, new_id, now
from semantik.core.pagination import Page, decode_cursor, encode_cursor, page_of
from semantik.core.upload_paths import file_name
from semantik.services.upload_receiver import UploadReceiver
from semantik.services.upload_storing import UploadStorer
from semantik.services.upload_usage import UploadUsage
from semantik.storage.mongo import Store
from semantik.storage.upload_contents import UploadContents

_NEWEST = (1 << 62, "")


@dataclass(frozen=True)
class NewUpload:
    """A file that is to come; without `size` that is not known. `modified_ns` is when it was changed last."""

    name: str
    size: int = 0
    modified_ns: int | None = None
    replace: bool = False


class UploadService:
    """`server` is the id of this instance, `limits()` the current settings."""

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        contents: UploadContents,
        server: str,
        limits: Callable[[], UploadSettings],
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self.contents = contents
        self.server = server
        self._limits = limits
        self.usage = UploadUsage(store.uploads, limits)
        self.storer = UploadStorer(store, contents, self.usage)
        self._receivers: dict[str, UploadReceiver] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def collection(self, principal: Principal, collection_id: str) -> Collection:
        """The collection, which the principal may send files to. Raises NotFound, Forbidden, Conflict."""
        collection = await self._authorizer.collection(principal, collection_id, "write")
        if not self._limits().enabled:
            raise Forbidden("Uploads are switched off on this server (uploads.enabled).")
        return collection

    async def begin(self, principal: Principal, collection: Collection, new: NewUpload) -> Upload:
        """Record an upload of known size, whose bytes come with later requests; one of no bytes is stored at once."""
        upload = await self._new(principal, collection, new)
        await self.usage.check_unfinished(principal.user.id)
        os.close(await self._create(upload))
        await self._store.uploads.add(upload)
        self.usage.add(principal.user.id, upload.size, 1)
        return upload if upload.size else (await self.storer.store(upload, recorded=True))[0]

    async def receive_new(
        self, principal: Principal, collection: Collection, new: NewUpload
    ) -> UploadReceiver:
        """Receive a file in one request: nothing stays of it if it does not come to its end."""
        upload = await self._new(principal, collection, new)
        limits = self._limits()
        descriptor = await self._create(upload)
        too_large = f"{upload.name} has more than {limits.max_file_bytes:,} bytes (uploads.max_file_bytes)."
        receiver = UploadReceiver(upload, descriptor, 0, limits.max_file_bytes, too_large, self.contents)
        receiver.resumable = False
        return receiver

    async def receive(
        self, principal: Principal, collection_id: str, upload_id: str, offset: int
    ) -> UploadReceiver:
        """Receive further bytes of an upload that was begun, in a `collection` that the principal may change.

        Raises Conflict unless they follow what has come.
        Another request that still sends bytes of the upload gets a Conflict: its connection may be dead.
        """
        async with self._locks.setdefault(upload_id, asyncio.Lock()):
            upload = await self.unfinished(principal, collection_id, upload_id)
            await self.interrupt(upload_id)
            received = await self._received(upload)
            if offset != received:
                raise Conflict(f"{received} bytes of this upload have come, and these begin at {offset}.")
            descriptor = await self.contents.in_thread(self.contents.folder.open, upload_id)
            too_large = f"{upload.name} was announced with {upload.size:,} bytes, and more have come."
            receiver = UploadReceiver(upload, descriptor, received, upload.size, too_large, self.contents)
            self._receivers[upload_id] = receiver
            return receiver

    async def interrupt(self, upload_id: str) -> None:
        """End another request that sends bytes of an upload; what it has sent stays."""
        if (other := self._receivers.pop(upload_id, None)) is not None:
            await other.close()

    async def received(self, principal: Principal, collection_id: str, upload_id: str) -> tuple[Upload, int]:
        """An upload that the principal has begun, and how many of its bytes have come."""
        await self._authorizer.collection(principal, collection_id)
        upload = await self._own(principal, collection_id, upload_id)
        return upload, await self._received(upload)

    async def end_part(self, receiver: UploadReceiver) -> Upload:
        """The bytes of a request to an upload that was begun have come: store the file if it is complete."""
        receiver.check_open()
        await receiver.close()
        if self._receivers.get(receiver.upload.id) is receiver:
            del self._receivers[receiver.upload.id]
        if receiver.received == receiver.upload.size:
            return (await self.storer.store(receiver.upload, recorded=True))[0]
        return await self._store.uploads.update(receiver.upload, {"changed_at": now()}) or receiver.upload

    async def finish(self, receiver: UploadReceiver) -> tuple[Upload, bool]:
        """Store a file that came in one request; and whether the collection had its content already."""
        await receiver.close()
        upload = replace(receiver.upload, size=receiver.received)
        try:
            await self.usage.check(upload.user_id, upload.size)
            return await self.storer.store(upload, recorded=False)
        except BaseException:
            await self.contents.in_thread(self.contents.folder.discard, upload.id)
            raise

    async def abandon(self, receiver: UploadReceiver) -> None:
        """A request has ended too early: close its file, and remove it unless it can be resumed."""
        if self._receivers.get(receiver.upload.id) is receiver:
            del self._receivers[receiver.upload.id]
        await receiver.close()
        if not receiver.resumable:
            await self.contents.in_thread(self.contents.folder.discard, receiver.upload.id)

    async def get(self, principal: Principal, collection_id: str, upload_id: str) -> Upload:
        await self._authorizer.collection(principal, collection_id)
        upload = await self._store.uploads.get(collection_id, upload_id)
        if upload is None or upload.state == "removing":
            raise _not_found(upload_id)
        return upload

    async def document(self, upload: Upload) -> Document | None:
        """The document that was made of a stored upload; None until its operation has found it."""
        collection = await self._store.collections.get(upload.collection_id)
        if collection is None or upload.state != "stored":
            return None
        found = await self._store.documents.by_paths(collection.current, [upload.path])
        return found.get(upload.path)

    async def page(
        self, principal: Principal, collection_id: str, cursor: str | None, limit: int
    ) -> Page[Upload]:
        """The uploads of a collection, the newest first."""
        await self._authorizer.collection(principal, collection_id)
        before = _NEWEST
        if cursor is not None:
            moment, last_id = decode_cursor(cursor, 2)
            if not (moment.isascii() and moment.isdigit() and len(moment) < 16):
                raise Invalid("cursor is not one that this server gave; begin without a cursor.")
            before = int(moment), last_id
        found = await self._store.uploads.page(collection_id, before, limit + 1)
        last = found[:limit][-1] if found else None
        position = "" if last is None else encode_cursor(str(_milliseconds(last)), last.id)
        return page_of(found, limit, position)

    async def remove(self, principal: Principal, collection_id: str, upload_id: str) -> None:
        """Remove an upload: one that is not finished, by who has begun it; a stored one with its document."""
        await self._authorizer.collection(principal, collection_id, "write")
        upload = await self._store.uploads.get(collection_id, upload_id)
        if upload is None or not (upload.state == "stored" or upload.user_id == principal.user.id):
            raise _not_found(upload_id)
        if upload.state == "removing":
            raise _not_found(upload_id)
        if upload.state == "storing":
            raise Conflict("The upload is about to be stored: try again in a moment.")
        await self.interrupt(upload_id)
        await self.storer.remove(upload)

    async def expire(self, upload: Upload) -> None:
        """Remove an upload that was not finished in time, unless its bytes are coming."""
        if upload.id not in self._receivers:
            await self.storer.remove(upload)

    async def unfinished(self, principal: Principal, collection_id: str, upload_id: str) -> Upload:
        """An upload that the principal has begun here, and whose bytes are still to come."""
        upload = await self._own(principal, collection_id, upload_id)
        if upload.state != "receiving":
            raise Conflict("All bytes of this upload have come.")
        return upload

    async def _own(self, principal: Principal, collection_id: str, upload_id: str) -> Upload:
        upload = await self._store.uploads.get(collection_id, upload_id)
        if upload is None or upload.state == "removing" or upload.user_id != principal.user.id:
            raise _not_found(upload_id)
        if upload.state == "receiving" and upload.server != self.server:
            raise Unavailable(
                "Another server has received the first bytes of this upload: have the load balancer send all requests "
                "of a client to one server."
            )
        return upload

    async def _received(self, upload: Upload) -> int:
        if upload.state != "receiving":
            return upload.size
        if (receiver := self._receivers.get(upload.id)) is not None:
            return receiver.received
        received = await self.contents.in_thread(self.contents.folder.received, upload.id)
        if received is None:
            raise _not_found(upload.id)
        return received

    async def _create(self, upload: Upload) -> int:
        """A descriptor for the bytes of a new upload. Raises DiskFull."""
        needed = self._limits().free_bytes + upload.size
        return await self.contents.in_thread(self.contents.folder.create, upload.id, needed)

    async def _new(self, principal: Principal, collection: Collection, new: NewUpload) -> Upload:
        """Raises Invalid or TooLarge for what cannot be uploaded."""
        limits, name, size = self._limits(), file_name(new.name), new.size
        if limits.types and not Globs(limits.types).match(name.lower()):
            raise Invalid(
                f"{name} is not of the types that may be uploaded here: {', '.join(limits.types)} (uploads.types)."
            )
        if size > limits.max_file_bytes:
            raise TooLarge(
                f"{name} has {size:,} bytes, and at most {limits.max_file_bytes:,} may be uploaded "
                "(uploads.max_file_bytes)."
            )
        await self.usage.check(principal.user.id, size)
        moment = now()
        return Upload(
            new_id(),
            collection.id,
            principal.user.id,
            name,
            size,
            "receiving",
            moment,
            moment,
            self.server,
            modified_ns=int(moment.timestamp() * 1e9) if new.modified_ns is None else new.modified_ns,
            replace=new.replace,
        )


def _milliseconds(upload: Upload) -> int:
    return int(upload.created_at.timestamp() * 1000)


def _not_found(upload_id: str) -> NotFound:
    return NotFound(f"There is no upload {upload_id}.")
