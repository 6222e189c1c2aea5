"""No task of a group is lost, and no part of the server, when what it awaits is cancelled elsewhere."""

from __future__ import annotations

import asyncio

import pytest

from semantik.app.background import background_tasks, first_failure
from semantik.core.cancellation import not_lost
from semantik.core.errors import Unavailable

pytestmark = pytest.mark.gen_test


async def test_a_task_whose_future_was_cancelled_ends_its_group() -> None:
    """A TaskGroup alone would wait for the reader for ever."""
    queue: asyncio.Queue[int] = asyncio.Queue(1)
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def write() -> None:
        while True:
            await queue.put(1)

    async def read(answer: asyncio.Future[int]) -> None:
        await answer

    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            tasks.create_task(not_lost(write))
            tasks.create_task(not_lost(read, answer))
            await asyncio.sleep(0)
            answer.cancel()
    assert [type(each) for each in raised.value.exceptions] == [Unavailable]


async def test_a_task_that_is_to_end_is_cancelled() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(not_lost(wait))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_a_part_of_the_server_that_is_cancelled_is_a_failure() -> None:
    with background_tasks(one=asyncio.Event().wait(), other=asyncio.Event().wait()) as parts:
        failure = asyncio.ensure_future(first_failure(*parts))
        await asyncio.sleep(0)
        parts[1].cancel()
        with pytest.raises(RuntimeError, match="other"):
            async with asyncio.timeout(5):
                await failure
