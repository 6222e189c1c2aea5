"""Receives the bytes of one file: from the connection to the disk, with one block in memory. Runs on the loop.

Every write runs in a thread; the connection waits for it, so a slow disk slows the client down.
"""

from __future__ import annotations

import asyncio

from semantik.core.errors import Conflict, TooLarge
from semantik.core.models import Upload
from semantik.storage.upload_contents import UploadContents
from semantik.storage.upload_folder import write_all, write_and_close

_BLOCK_BYTES = 256 << 10


class UploadReceiver:
    """`limit` is the size that the file may have, which `too_large` explains; `received` are its bytes so far.
    What is `resumable` stays when the connection is lost.

    `close` must be called, whatever happens.
    """

    def __init__(
        self,
        upload: Upload,
        descriptor: int,
        received: int,
        limit: int,
        too_large: str,
        contents: UploadContents,
    ) -> None:
        self.upload = upload
        self.received = received
        self.resumable = True
        self._limit = limit
        self._too_large = too_large
        self._descriptor: int | None = descriptor
        self._contents = contents
        self._block = bytearray()
        self._lock = asyncio.Lock()

    async def write(self, data: bytes) -> None:
        """Take some bytes. Raises TooLarge, DiskFull, Conflict when another request took the upload over."""
        self.check_open()
        if self.received + len(data) > self._limit:
            raise TooLarge(self._too_large)
        self.received += len(data)
        self._block += data
        if len(self._block) >= _BLOCK_BYTES:
            await self._flush()

    def check_open(self) -> None:
        """Raises Conflict when another request has taken the upload over."""
        if self._descriptor is None:
            raise Conflict("Another request goes on with this upload.")

    async def close(self) -> None:
        """Write what is in memory, and close the file; nothing more is taken."""
        async with self._lock:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                await self._contents.in_thread(write_and_close, descriptor, self._taken())

    async def _flush(self) -> None:
        async with self._lock:
            self.check_open()
            assert self._descriptor is not None
            await self._contents.in_thread(write_all, self._descriptor, self._taken())

    def _taken(self) -> bytes:
        block, self._block = bytes(self._block), bytearray()
        return block
