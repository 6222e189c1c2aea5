"""Steps and cancellation: one that it does not interrupt, and one that it cannot end unnoticed. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from semantik.core.cancellation import is_asked_to_end
from semantik.core.errors import Unavailable

T = TypeVar("T")
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


async def not_lost(step: Callable[..., Awaitable[T]], *args: Any) -> T:
    """`await step(*args)`, as a task of its own. Raises Unavailable when what it awaited was cancelled elsewhere.

    A task that ends by CancelledError counts as one that was to end: a TaskGroup says nothing, and those that wait for
    what it would have given wait for ever; an operation would be taken for one that a user has cancelled.
    """
    try:
        return await step(*args)
    except asyncio.CancelledError as error:
        if is_asked_to_end():
            raise
        raise Unavailable(
            "What a step of the operation waited for was cancelled; it is done again."
        ) from error
