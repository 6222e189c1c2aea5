"""What an operation says while it runs, with a pulse: the protocol promises a frame every five seconds.

Knows neither stages nor records. Runs on the loop, across the attempts of one operation.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Self

from semantik.progress import Publisher

_BEAT_S = 1.0
_SILENCE_S = 3.0


class ProgressReporter:
    """Use as `async with Teller(publisher)`: until it is left, what was told last is repeated in long silences."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._last: tuple[str, dict[str, Any]] = ("status_update", {"status": "processing"})
        self._told_at = time.monotonic()
        self._pulse: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._pulse = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.mute()

    @property
    def last_seq(self) -> int:
        return self._publisher.last_seq

    def mute(self) -> None:
        """End the pulse: what follows is the end."""
        if self._pulse is not None:
            self._pulse.cancel()

    async def publish(
        self, kind: str, *, idempotency_key: str | None = None, terminal: bool = False, **data: Any
    ) -> None:
        """Publish a stage, an error or an end; raises Unavailable while Redis is away."""
        await self._publisher.publish(kind, idempotency_key=idempotency_key, terminal=terminal, **data)
        if kind != "error":
            # A pulse that repeated an update of the stage before would lead back into it.
            self._last = ("status_update", {"status": "processing"})
        self._told_at = time.monotonic()

    def publish_latest(self, kind: str, **data: Any) -> None:
        """Publish how far it is; the newest of a kind wins where they come too fast."""
        self._last = (kind, data)
        self._told_at = time.monotonic()
        self._publisher.publish_latest(kind, **data)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_S)
            if time.monotonic() - self._told_at > _SILENCE_S:
                kind, data = self._last
                self.publish_latest(kind, **data)
