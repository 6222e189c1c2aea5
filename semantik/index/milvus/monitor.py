"""Looks every few seconds whether Milvus answers, in the background: who asks for its state never waits for it.

Runs on the loop, over a connection of its own, so that a look that fails ends no search.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from semantik.config.milvus_settings import MilvusSettings
from semantik.core.errors import EngineAway, SemantikError
from semantik.core.models import now
from semantik.index.engine_state import EngineState
from semantik.index.milvus import expressions
from semantik.index.milvus.connection import MilvusConnection, NotImplementedThere

log = logging.getLogger(__name__)

_LOOK_S = 3.0  # between two looks
_ANSWER_S = 5.0  # Milvus that needs longer for the names of its collections is away


class MilvusMonitor:
    """`state` is what the last look found. Made by `milvus_monitor`."""

    def __init__(self, connection: MilvusConnection) -> None:
        self._connection = connection
        self._timeout_s = min(_ANSWER_S, connection.settings.timeout_s)
        self.state = EngineState("milvus", connection.settings.url, "checking", now())

    async def run(self, every_s: float) -> None:
        """Never returns."""
        while True:
            await self.look()
            await asyncio.sleep(every_s)

    async def look(self) -> None:
        """Ask once, which ends after some seconds whether Milvus answers or not."""
        try:
            names = await self._connection.call("list_collections", timeout_s=self._timeout_s)
            version = await self._version()
        except SemantikError as error:
            self._set_away(str(error))
        except Exception as error:  # the library's own fault: the server goes on, and says what it was
            self._set_away(f"The look at Milvus failed: {error!r}")
        else:
            prefix = self._connection.settings.prefix
            own = sum(expressions.parse_name(prefix, name) is not None for name in names)
            self._set_ready(version or self.state.version, own)

    async def _version(self) -> str | None:
        """None where it does not tell, which is no reason to call it away: searches need no version."""
        try:
            return str(await self._connection.call("get_server_version", timeout_s=self._timeout_s))
        except (EngineAway, NotImplementedThere) as error:
            log.debug("milvus: it does not tell its version: %s", error)
            return None

    def _set_ready(self, version: str | None, collections: int) -> None:
        if self.state.state != "ready":
            log.info("milvus: %s answers", self.state.address)
            self.state = replace(self.state, state="ready", since=now(), problem=None)
        self.state = replace(self.state, version=version, collections=collections)

    def _set_away(self, problem: str) -> None:
        before = self.state
        if before.state != "away":
            log.warning("milvus: away, words are searched alone: %s", problem)
            losses = before.losses + 1
            self.state = replace(before, state="away", since=now(), collections=None, losses=losses)
        self.state = replace(self.state, problem=problem)


@asynccontextmanager
async def milvus_monitor(settings: MilvusSettings, every_s: float = _LOOK_S) -> AsyncIterator[MilvusMonitor]:
    """It looks while inside; the first look has not ended when this begins."""
    connection = MilvusConnection(settings)
    monitor = MilvusMonitor(connection)
    task = asyncio.create_task(monitor.run(every_s), name="milvus-monitor")
    try:
        yield monitor
    finally:
        task.cancel()
        await asyncio.wait([task])
        await connection.close()
