"""Logs when something blocked the loop for more than 50 ms, which is a bug: such work belongs in a thread or the pool.

Runs on the loop that it monitors.
"""

from __future__ import annotations

import asyncio
import logging
import time

log = logging.getLogger("semantik.loop")

_INTERVAL_S = 0.02
_MAX_BLOCKED_S = 0.05


async def monitor_loop() -> None:
    """Runs for ever. A late wake-up counts only as far as this thread was computing, not when the machine was busy."""
    while True:
        wall, cpu = time.monotonic(), time.thread_time()
        await asyncio.sleep(_INTERVAL_S)
        late_s = time.monotonic() - wall - _INTERVAL_S
        blocked_s = min(late_s, time.thread_time() - cpu)
        if blocked_s > _MAX_BLOCKED_S:
            log.warning("The loop was held for %.0f ms", blocked_s * 1000)
