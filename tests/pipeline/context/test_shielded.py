"""A shielded step ends before its caller is cancelled, and its error is raised; no task of a group is lost."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.context.shielded import not_lost, shielded
from semantik.core.errors import Unavailable

pytestmark = pytest.mark.gen_test


async def test_a_cancelled_caller_waits_for_the_end_of_the_step() -> None:
    started, resume = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def step() -> None:
        started.set()
        await resume.wait()
        done.append("step")

    async def caller() -> None:
        try:
            await shielded(step())
        finally:
            done.append("caller")

    task = asyncio.create_task(caller())
    await started.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    resume.set()
    await asyncio.wait({task})
    assert task.cancelled() and done == ["step", "caller"]


async def test_an_error_in_a_step_is_raised() -> None:
    async def step() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await shielded(step())


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
