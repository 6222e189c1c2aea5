"""A step that is cancelled in the midst comes to its end first; what goes wrong in it is told."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.context.shielded import shielded

pytestmark = pytest.mark.gen_test


async def test_who_is_cancelled_waits_for_the_end_of_the_step() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def step() -> None:
        begun.set()
        await go_on.wait()
        done.append("step")

    async def work() -> None:
        try:
            await shielded(step())
        finally:
            done.append("work")

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    await asyncio.wait({task})
    assert task.cancelled() and done == ["step", "work"]


async def test_what_goes_wrong_in_a_step_is_raised() -> None:
    async def step() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await shielded(step())
