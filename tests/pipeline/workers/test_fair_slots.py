"""Whose task runs next, and how soon a user's task runs when others hold all places."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conftest import run
from support.hold import held
from support.patience import deadline
from support.pools import OPTIONS, ready_pool, tasks_of

from pipeline.compute.messages import ReadDocument
from pipeline.compute.owner import current_owner
from pipeline.workers.fair_slots import FairSlots

_FOREVER_S = 3600.0


class _Tasks:
    """Tasks of owners in their order; each runs until it is ended."""

    def __init__(self, slots: FairSlots) -> None:
        self._slots = slots
        self._ends: list[tuple[str, asyncio.Event]] = []
        self._running: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, owners: str) -> list[str]:
        self._tasks += [asyncio.create_task(self._run(owner)) for owner in owners]
        return await self.running()

    async def end(self, owner: str) -> list[str]:
        index = next(n for n, (name, _) in enumerate(self._ends) if name == owner)
        self._ends.pop(index)[1].set()
        return await self.running()

    async def running(self) -> list[str]:
        for _ in range(5):
            await asyncio.sleep(0)
        return sorted(self._running)

    async def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, owner: str) -> None:
        async with self._slots.slot(owner):
            end = asyncio.Event()
            self._ends.append((owner, end))
            self._running.append(owner)
            try:
                await end.wait()
            finally:
                self._running.remove(owner)


@asynccontextmanager
async def _tasks(size: int, extra: int, wait_s: float) -> AsyncIterator[_Tasks]:
    tasks = _Tasks(FairSlots(size, extra, lambda: wait_s))
    try:
        yield tasks
    finally:
        await tasks.cancel()


async def _all_run(tasks: _Tasks, expected: Sequence[str]) -> None:
    async with deadline():
        while await tasks.running() != sorted(expected):  # noqa: ASYNC110  # no event says so
            await asyncio.sleep(0.01)


def test_owners_take_turns() -> None:
    async def test() -> None:
        async with _tasks(2, 0, _FOREVER_S) as tasks:
            assert await tasks.start("aaaaabbc") == ["a", "a"]
            assert await tasks.end("a") == ["a", "b"]
            assert await tasks.end("a") == ["b", "c"]
            assert await tasks.end("b") == ["a", "c"]
            assert await tasks.end("c") == ["a", "b"]
            assert await tasks.end("b") == ["a", "a"]

    run(test())


def test_an_owner_of_whom_nothing_runs_is_let_in_after_the_wait_and_then_at_once() -> None:
    async def test() -> None:
        async with _tasks(2, 1, 0.05) as tasks:
            assert await tasks.start("aaaa") == ["a", "a"]
            assert await tasks.start("bb") == ["a", "a"]
            await _all_run(tasks, "aab")
            assert await tasks.end("b") == ["a", "a", "b"]
            assert await tasks.end("b") == ["a", "a"]
            await tasks.start("b")
            await _all_run(tasks, "aab")

    run(test())


def test_a_cancelled_task_gives_its_place_back() -> None:
    async def test() -> None:
        slots = FairSlots(1, 0, lambda: _FOREVER_S)
        tasks = _Tasks(slots)
        await tasks.start("a")
        waiting = _Tasks(slots)
        await waiting.start("bb")
        await asyncio.gather(waiting.cancel(), tasks.cancel())
        assert await waiting.start("c") == ["c"]
        await waiting.cancel()

    run(test())


@pytest.mark.usefixtures("light_fork_server")
def test_files_of_one_user_that_hang_do_not_hold_up_those_of_another(tmp_path: Path) -> None:
    async def test() -> None:
        folders = [tmp_path / "slow", tmp_path / "quick"]
        for folder in folders:
            folder.mkdir()
        async with ready_pool(workers=1) as pool:

            async def read(owner: str, folder: Path) -> None:
                current_owner.set(owner)
                for number in range(3):
                    (outcome,) = await pool.read(tasks_of(folder, f"{number}.txt"), OPTIONS)
                    assert isinstance(outcome, ReadDocument)

            with held(folders[0]):
                slow = asyncio.create_task(read("a", folders[0]))
                async with deadline():
                    await asyncio.create_task(read("b", folders[1]))
                assert not slow.done()
            await slow

    run(test())
