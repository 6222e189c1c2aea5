"""Steps and cancellation: one that it does not interrupt, and one that it cannot end unnoticed. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from semantik.core.cancellation import is_asked_to_end
from semantik.core.errors import Unavailable

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


async def not_lost(step: Callable[..., Awaitable[None]], *args: Any) -> None:
    """Run `step(*args)`, the task of a TaskGroup. Raises Unavailable when what it awaited was cancelled elsewhere.

    A TaskGroup takes a task that ends by CancelledError for one that is done, and says nothing; those that wait for
    what it would have given wait for ever.
    """
    try:
        await step(*args)
    except asyncio.CancelledError as error:
        if is_asked_to_end():
            raise
        raise Unavailable(
            "What a step of the operation waited for was cancelled; it is done again."
        ) from error
