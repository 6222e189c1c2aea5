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
    """Wait until one of the parts, which all run for ever, has ended, and raise its error."""
    done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    for part in done:
        await part
