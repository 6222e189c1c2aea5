"""Steps that must not be left half-way when the operation around them is cancelled. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

_LEAVE_S = 2.0  # a server that stops has some seconds for all of it


async def to_the_end(work: Coroutine[None, None, None]) -> None:
    """Await it, and end it before its caller's cancellation goes on, unless a store keeps it waiting."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_LEAVE_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
