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
# A server without work is woken less often: the first thing that holds it then looks shorter by up to this time.
_IDLE_INTERVAL_S = 0.16
_IDLE_SHARE = 0.04  # of the time, in which the loop computes


async def monitor_loop() -> None:
    """Runs for ever. A late wake-up counts only as far as this thread was computing, not when the machine was busy."""
    interval_s = _INTERVAL_S
    while True:
        wall, cpu = time.monotonic(), time.thread_time()
        await asyncio.sleep(interval_s)
        late_s = time.monotonic() - wall - interval_s
        computed_s = time.thread_time() - cpu
        blocked_s = min(late_s, computed_s)
        if blocked_s > _MAX_BLOCKED_S:
            log.warning("The loop was held for %.0f ms", blocked_s * 1000)
        is_idle = computed_s < interval_s * _IDLE_SHARE
        interval_s = min(2 * interval_s, _IDLE_INTERVAL_S) if is_idle else _INTERVAL_S
