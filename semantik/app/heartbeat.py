"""Heartbeat: writes this server's record among the instances every few seconds, and removes it at a clean stop.

Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NoReturn

import psutil

from semantik import __version__
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import now
from semantik.storage.mongo import Store
from semantik.storage.mongo.instances import HEARTBEAT_S, Instance

log = logging.getLogger("semantik")

_STOP_S = 1.0
_EXPIRES_AFTER = timedelta(days=7)  # the record of a server that never returned


class Heartbeat:
    """Call `start`, then let `run` write for ever; once `run` is cancelled, call `stop`.

    `is_ready()`: whether the pool is ready; `current()` returns the current settings.
    `server_roots()` are the folders that it reads for everybody.
    """

    def __init__(
        self,
        store: Store,
        instance_id: str,
        url: str,
        workers: int,
        is_ready: Callable[[], bool],
        current: Callable[[], Settings],
        server_roots: Callable[[], Awaitable[tuple[str, ...]]],
    ) -> None:
        self._store = store
        self._id = instance_id
        self._url = url
        self._workers = workers
        self._is_ready = is_ready
        self._current = current
        self._server_roots = server_roots
        self._started_at = now()
        self._writing: asyncio.Future[None] | None = None

    async def start(self) -> None:
        await self._write(first=True)

    async def run(self) -> NoReturn:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            # Shielded: a cancelled write may still reach MongoDB, and `stop` has to wait for it.
            self._writing = asyncio.ensure_future(self._write())
            await asyncio.shield(self._writing)

    async def stop(self) -> None:
        """Remove the record within a second; without MongoDB it stays, with an old `seen_at`."""
        try:
            async with asyncio.timeout(_STOP_S):
                if self._writing is not None:
                    await self._writing
                await self._store.instances.remove(self._id)
        except (TimeoutError, Unavailable) as error:
            log.debug("The record of this instance stays: %s", error)

    async def _write(self, first: bool = False) -> None:
        moment, settings = now(), self._current()
        try:
            if first:
                await self._store.instances.remove_unseen(moment - _EXPIRES_AFTER)
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
                    pool="ready" if self._is_ready() else "loading",
                    running=sum(o.lease is not None and o.lease.owner == self._id for o in running),
                    label=settings.label,
                    peer_url=settings.peer_url,
                    roots=await self._server_roots(),
                    models=(settings.embedding.model, *settings.embedding.allowed_models),
                    device=settings.embedding.device,
                    load=round(os.getloadavg()[0] / (os.cpu_count() or 1), 2),
                    free_bytes=psutil.virtual_memory().available,
                )
            )
        except Unavailable as error:
            log.debug("The heartbeat is written again later: %s", error)
