"""The body of a request with files: it goes to the disk as it comes, whatever its length. Runs on the loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from handlers.base import RestHandler
from handlers.client_address import accept_large_body
from semantik.core.errors import Invalid, SemantikError
from semantik.services.upload_receiver import UploadReceiver

log = logging.getLogger("semantik.uploads")

_ending: set[asyncio.Task[None]] = set()  # so that none is collected before it has ended


class UploadBodyHandler(RestHandler):
    """`prepare_body` runs before the body; `take` gets its bytes. An error in either is answered at once.

    `receiver` is what is being received; it is abandoned when the request ends before the file.
    """

    receiver: UploadReceiver | None = None
    _counted = False
    _over = False

    async def prepare(self) -> None:
        await super().prepare()
        if self.request.method in ("POST", "PATCH"):
            self.services.uploads.usage.begin_request(self.principal.user.id)
            self._counted = True
            await self.prepare_body(*self.path_args)
            accept_large_body(self.request)

    async def prepare_body(self, *path: str) -> None:
        """Check the request, and make ready for its body."""

    async def take(self, data: bytes) -> None:
        """Take some bytes of the body."""
        if self.receiver is not None:
            await self.receiver.write(data)
        else:
            raise Invalid("This request is to have no body.")

    async def data_received(self, chunk: bytes) -> None:  # type: ignore[override]
        if self._over or not self._counted:
            return  # a request that has been answered, or has no files
        try:
            await self.take(chunk)
        except Exception as error:
            if not self._over:
                self._handle_request_exception(error)

    def on_finish(self) -> None:
        self._end()
        super().on_finish()

    def on_connection_close(self) -> None:
        self._end()
        super().on_connection_close()

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        if self._counted:
            self.services.uploads.usage.end_request(self.principal.user.id)
        if self.receiver is not None:
            receiver, self.receiver = self.receiver, None
            _in_background(self._abandon(receiver))

    async def _abandon(self, receiver: UploadReceiver) -> None:
        try:
            await self.services.uploads.abandon(receiver)
        except (SemantikError, OSError) as error:
            log.warning("An interrupted upload could not be put away: %s", error)


def _in_background(coroutine: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(coroutine)
    _ending.add(task)
    task.add_done_callback(_ending.discard)
