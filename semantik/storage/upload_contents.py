"""The contents of uploads: kept on this server's disk, and copied through MongoDB where several servers may run.

Servers that share a MongoDB share nothing else for certain. So it holds a copy of each content there, from which a
server that needs a file and does not have it makes its own. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

from semantik.core.errors import Unavailable
from semantik.core.models import Upload, new_id, now
from semantik.core.upload_paths import content_of
from semantik.storage.mongo.uploads import UploadTable
from semantik.storage.upload_folder import UploadFolder, write_all

log = logging.getLogger("semantik.uploads")

_THREADS = 4
_DISK_S = 60.0
_UNUSED_S = 3600.0

P = ParamSpec("P")
T = TypeVar("T")


class UploadContents:
    """`shared`: MongoDB holds a copy of each content for other servers."""

    def __init__(self, table: UploadTable, folder: UploadFolder, shared: bool) -> None:
        self.folder = folder
        self._table = table
        self._shared = shared
        self._threads = ThreadPoolExecutor(_THREADS, "uploads")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in a thread for the disk. Raises Unavailable when it takes too long."""
        loop = asyncio.get_running_loop()
        call = loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))
        try:
            async with asyncio.timeout(_DISK_S):
                return await call
        except TimeoutError as error:
            raise Unavailable("The disk of the uploads does not answer.", 30) from error

    async def keep(self, upload: Upload) -> bool:
        """Keep the sealed file of an upload as its content; False when it is gone. May be repeated."""
        if not await self.in_thread(self.folder.keep, upload.id, upload.content):
            return False
        if self._shared:
            blocks, number = self.folder.blocks(upload.content), 0
            while (block := await self.in_thread(next, blocks, None)) is not None:
                await self._table.put_block(upload.content, number, block, now())
                number += 1
        return True

    async def fetch(self, paths: Iterable[str]) -> None:
        """Copy those contents here that paths of uploads name and that this server does not have.

        One that is nowhere is left out: who opens its file finds that it is gone.
        """
        if not self._shared:
            return
        for content in {content for path in paths if (content := content_of(path))}:
            if not await self.in_thread(self.folder.has, content):
                await self._copy(content)

    async def _copy(self, content: str) -> None:
        block = await self._table.block(content, 0)
        if block is None:
            return
        path = await self.in_thread(self.folder.make, content, new_id())
        number = 0
        try:
            while block is not None:
                await self.in_thread(_append, path, block)
                number += 1
                block = await self._table.block(content, number)
            if not await self.in_thread(self.folder.made, path, content):
                log.warning("The copy of the upload %s in MongoDB is not complete", content)
        finally:
            await self.in_thread(path.unlink, missing_ok=True)

    async def remove_unused(self) -> int:
        """Remove contents that no upload has any more, some time after their last use; returns their number here."""
        contents = await self.in_thread(self.folder.old_contents)
        unused = set(contents) - await self._table.in_use(contents)
        for content in unused:
            await self.in_thread(self.folder.remove, content)
        if self._shared:
            shared = await self._table.shared_contents(now() - timedelta(seconds=_UNUSED_S))
            for content in set(shared) - await self._table.in_use(shared):
                await self._table.remove_blocks(content)
        return len(unused)


def _append(path: Path, block: bytes) -> None:
    with path.open("ab", buffering=0) as file:
        write_all(file.fileno(), block)
