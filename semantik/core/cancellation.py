"""Tells a request to end from a CancelledError that comes from elsewhere. Runs on the loop."""

from __future__ import annotations

import asyncio


def is_asked_to_end() -> bool:
    """Whether the current task is cancelled itself.

    Without that, a CancelledError comes from a future that it awaited and that was cancelled elsewhere: to pass it on
    would end the task in silence.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
