"""The messages of a running operation, with a heartbeat: the protocol promises a message every five seconds.

Knows neither stages nor records. Runs on the loop, across the attempts of one operation.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from semantik.progress import Publisher

Refresh = Callable[[], Mapping[str, Any]]

_CHECK_S = 1.0
_MAX_SILENCE_S = 3.0


class ProgressReporter:
    """Use as `async with ProgressReporter(publisher)`: inside, the last update is repeated in long silences."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._last: tuple[str, dict[str, Any]] = ("status_update", {"status": "processing"})
        self._refresh: Refresh = dict
        self._published_at = time.monotonic()
        self._heartbeat: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._heartbeat = asyncio.create_task(self._repeat())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.mute()

    @property
    def last_seq(self) -> int:
        return self._publisher.last_seq

    def mute(self) -> None:
        """Stop the heartbeat: only the terminal messages follow."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()

    async def publish(
        self, kind: str, *, idempotency_key: str | None = None, terminal: bool = False, **data: Any
    ) -> None:
        """Publish a stage, an error or an end; raises Unavailable while Redis is away."""
        await self._publisher.publish(kind, idempotency_key=idempotency_key, terminal=terminal, **data)
        if kind != "error":
            # A heartbeat that repeated an update of the previous stage would lead clients back into it.
            self._last = ("status_update", {"status": "processing"})
            self._refresh = dict
        self._published_at = time.monotonic()

    def publish_latest(self, kind: str, refresh: Refresh = dict, **data: Any) -> None:
        """Publish an update; of several of one kind in a short time only the newest is sent.

        `refresh()` returns the fields that change while nothing happens, like the pace: for when it is repeated.
        """
        self._last, self._refresh = (kind, data), refresh
        self._published_at = time.monotonic()
        self._publisher.publish_latest(kind, **data)

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_S)
            if time.monotonic() - self._published_at > _MAX_SILENCE_S:
                kind, data = self._last
                self.publish_latest(kind, self._refresh, **{**data, **self._refresh()})
