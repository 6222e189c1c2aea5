"""Reads that come while one is under way are one read, after it; each gets its own rows, or the error."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from semantik.core.errors import Unavailable
from semantik.storage.mongo.batch_loader import BatchLoader

pytestmark = pytest.mark.gen_test


class Table:
    """Rows whose reading waits for `go`."""

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


async def _asked(rows: BatchLoader[str], *calls: list[str]) -> list[asyncio.Task[dict[str, str]]]:
    tasks = [asyncio.create_task(rows.load(keys)) for keys in calls]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_who_comes_while_a_read_is_under_way_shares_the_next() -> None:
    table = Table()
    rows = BatchLoader(table.read, 4)
    tasks = await _asked(rows, ["a"])
    tasks += await _asked(rows, ["b", "none"], ["b", "c"], ["d", "e"])
    table.go.set()
    assert await asyncio.gather(*tasks) == [
        {"a": "A"},
        {"b": "B"},
        {"b": "B", "c": "C"},
        {"d": "D", "e": "E"},
    ]
    assert table.reads == [["a"], ["b", "none", "c"], ["d", "e"]]
    assert await rows.load(list("fghijk")) == {key: key.upper() for key in "fghijk"}


async def test_an_error_is_for_those_who_shared_the_read() -> None:
    table = Table()
    rows = BatchLoader(table.read, 4)
    table.error = Unavailable("MongoDB is away.")
    tasks = await _asked(rows, ["a"])
    tasks += await _asked(rows, ["b"], ["c"])
    table.go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in found] == [Unavailable] * 3
    table.error = None
    assert await rows.load(["a"]) == {"a": "A"}


async def test_who_gives_up_takes_nothing_from_the_others() -> None:
    table = Table()
    rows = BatchLoader(table.read, 4)
    tasks = await _asked(rows, ["a"])
    tasks += await _asked(rows, ["b"], ["c"])
    tasks[1].cancel()
    table.go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert found[0] == {"a": "A"} and isinstance(found[1], asyncio.CancelledError) and found[2] == {"c": "C"}
