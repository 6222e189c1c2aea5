"""Loads that arrive during a read are batched into the next read. Each caller gets its own rows, or the error."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from semantik.core.errors import Unavailable
from semantik.storage.mongo.batch_loader import BatchLoader

pytestmark = pytest.mark.gen_test


class Table:
    """A table of rows whose reads wait for `go`."""

    def __init__(self) -> None:
        self.reads: list[list[str]] = []
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def read(self, keys: Sequence[str]) -> dict[str, str]:
        self.reads.append(list(keys))
        await self.go.wait()
        if self.error:
            raise self.error
        return {key: key.upper() for key in keys if key != "none"}


async def _start_loads(loader: BatchLoader[str], *calls: list[str]) -> list[asyncio.Task[dict[str, str]]]:
    tasks = [asyncio.create_task(loader.load(keys)) for keys in calls]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_loads_during_a_read_share_the_next_read() -> None:
    table = Table()
    loader = BatchLoader(table.read, 4)
    tasks = await _start_loads(loader, ["a"])
    tasks += await _start_loads(loader, ["b", "none"], ["b", "c"], ["d", "e"])
    table.go.set()
    assert await asyncio.gather(*tasks) == [
        {"a": "A"},
        {"b": "B"},
        {"b": "B", "c": "C"},
        {"d": "D", "e": "E"},
    ]
    assert table.reads == [["a"], ["b", "none", "c"], ["d", "e"]]
    assert await loader.load(list("fghijk")) == {key: key.upper() for key in "fghijk"}


async def test_an_error_is_raised_to_every_caller_of_its_read() -> None:
    table = Table()
    loader = BatchLoader(table.read, 4)
    table.error = Unavailable("MongoDB is away.")
    tasks = await _start_loads(loader, ["a"])
    tasks += await _start_loads(loader, ["b"], ["c"])
    table.go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in results] == [Unavailable] * 3
    table.error = None
    assert await loader.load(["a"]) == {"a": "A"}


async def test_a_cancelled_load_does_not_affect_the_others() -> None:
    table = Table()
    loader = BatchLoader(table.read, 4)
    tasks = await _start_loads(loader, ["a"])
    tasks += await _start_loads(loader, ["b"], ["c"])
    tasks[1].cancel()
    table.go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert (
        results[0] == {"a": "A"}
        and isinstance(results[1], asyncio.CancelledError)
        and results[2] == {"c": "C"}
    )
