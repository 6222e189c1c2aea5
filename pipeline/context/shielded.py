"""A step that is not cut in half: who is cancelled in the midst of it waits for its end. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

_END_S = 2.0  # within the time that a server has to stop


async def shielded(step: Coroutine[Any, Any, None]) -> None:
    """Do the step. A write that was cancelled could still reach MongoDB, behind the back of who clears up after it.

    A step that takes longer than 2 s after it was cancelled is cut all the same.
    """
    task = asyncio.ensure_future(step)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({task}, timeout=_END_S)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        raise
