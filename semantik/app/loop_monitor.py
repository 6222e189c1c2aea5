"""Tells when something held the loop for more than 50 ms, which is a bug: such work belongs to a thread or the pool."""

from __future__ import annotations

import asyncio
import logging
import time

log = logging.getLogger("semantik.loop")

_BEAT_S = 0.02
_TOO_LONG_S = 0.05


async def monitor_loop() -> None:
    """Runs for ever. A beat that comes late counts when this thread was computing, not when the machine was busy."""
    while True:
        wall, worked = time.monotonic(), time.thread_time()
        await asyncio.sleep(_BEAT_S)
        late_s = time.monotonic() - wall - _BEAT_S
        held_s = min(late_s, time.thread_time() - worked)
        if held_s > _TOO_LONG_S:
            log.warning("The loop was held for %.0f ms", held_s * 1000)
