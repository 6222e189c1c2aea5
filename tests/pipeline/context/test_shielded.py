"""A shielded step ends before its caller is cancelled, and its error is raised."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.context.shielded import shielded

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
