"""This server's row among the instances: told every few seconds, and taken away at a clean stop. Runs on the loop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

from semantik import __version__
from semantik.core.errors import Unavailable
from semantik.core.models import now
from semantik.storage.mongo import Store
from semantik.storage.mongo.instances import Instance

log = logging.getLogger("semantik")

EVERY_S = 5.0
_LEAVE_S = 1.0
_FORGOTTEN = timedelta(days=7)  # a machine that never came back


class Heartbeat:
    """`begin` tells first, `run` goes on for ever, and `leave` ends it when that is cancelled.

    `ready()` tells whether the pool is.
    """

    def __init__(
        self, store: Store, instance_id: str, url: str, workers: int, ready: Callable[[], bool]
    ) -> None:
        self._store = store
        self._id = instance_id
        self._url = url
        self._workers = workers
        self._ready = ready
        self._started_at = now()
        self._telling: asyncio.Future[None] | None = None

    async def start(self) -> None:
        await self._tell(first=True)

    async def run(self) -> NoReturn:
        while True:
            await asyncio.sleep(EVERY_S)
            # Shielded: a cancelled write may still arrive, and `leave` has to know when.
            self._telling = asyncio.ensure_future(self._tell())
            await asyncio.shield(self._telling)

    async def stop(self) -> None:
        """Take the row away, within a second; without MongoDB it stays, and `seen_at` tells."""
        try:
            async with asyncio.timeout(_LEAVE_S):
                if self._telling is not None:
                    await self._telling
                await self._store.instances.remove(self._id)
        except (TimeoutError, Unavailable) as error:
            log.debug("The row of this instance stays: %s", error)

    async def _tell(self, first: bool = False) -> None:
        moment = now()
        try:
            if first:
                await self._store.instances.remove_unseen(moment - _FORGOTTEN)
            running = await self._store.operations.with_status("processing")
            await self._store.instances.save(
                Instance(
                    id=self._id,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    url=self._url,
                    version=__version__,
                    started_at=self._started_at,
                    seen_at=moment,
                    workers=self._workers,
                    pool="ready" if self._ready() else "loading",
                    running=sum(o.lease is not None and o.lease.owner == self._id for o in running),
                )
            )
        except Unavailable as error:
            log.debug("The instance is told again later: %s", error)
