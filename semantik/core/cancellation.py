"""Tells a request to end from a CancelledError that comes from elsewhere. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from semantik.core.errors import Unavailable

T = TypeVar("T")


def is_asked_to_end() -> bool:
    """Whether the current task is cancelled itself.

    Without that, a CancelledError comes from a future that it awaited and that was cancelled elsewhere: to pass it on
    would end the task in silence.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


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
        raise Unavailable("What was waited for was cancelled; it is done again.") from error
