"""A step that is not interrupted in the middle when its caller is cancelled. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

_GRACE_S = 2.0  # within the time that a server has to stop


async def shielded(step: Coroutine[Any, Any, None]) -> None:
    """Run the step to its end. A write that was cancelled could still reach MongoDB after the clean-up that follows.

    A step that takes longer than 2 s after the cancellation is cancelled all the same.
    """
    task = asyncio.ensure_future(step)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({task}, timeout=_GRACE_S)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        raise
