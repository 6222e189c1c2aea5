"""Background tasks that run as long as the server, and the first failure among them. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def background_tasks(**coroutines: Coroutine[Any, Any, None]) -> Iterator[list[asyncio.Task[None]]]:
    """Run the coroutines as tasks with these names while inside; on exit they are cancelled, and not waited for."""
    tasks = [asyncio.create_task(each, name=name) for name, each in coroutines.items()]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()


async def first_failure(*parts: asyncio.Future[Any]) -> None:
    """Wait until one of the parts, which all run for ever, has ended, and raise its error; one if it was cancelled."""
    done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    for part in done:
        if part.cancelled():  # to raise that would look like the end of the server by a signal
            raise RuntimeError(f"A part that runs for ever was cancelled: {part!r}")
        await part
