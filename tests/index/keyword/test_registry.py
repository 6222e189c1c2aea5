"""Many keyword indexes at once: only those in use hold writers, threads and files."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest
from support.keyword_registry import add, found, keyword_registry

from semantik.core.errors import Invalid, Unavailable
from semantik.index.keyword import registry as registry_module

pytestmark = pytest.mark.gen_test


def threads() -> int:
    names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    return sum(
        name.startswith(("thread-tantivy", "merge_thread", "segment_upd", "thrd-tantivy")) for name in names
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 (the operating system tells nobody)
            await asyncio.sleep(0.02)


async def test_indexes_that_are_not_used_close_their_writers_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("_MAINTENANCE_S", 0.05),
        ("_WRITER_IDLE_S", 0.0),
        ("_FILES_IDLE_S", 0.0),
        ("_MAX_OPEN", 2),
    ):
        monkeypatch.setattr(registry_module, name, value)
    gc.collect()
    before = threads()  # of other tests in this process
    async with keyword_registry(tmp_path) as registry:
        opened = [await registry.open(f"c{n}", 1, 384) for n in range(12)]
        for index in opened:
            await add(index, "red kite", "blue boat")
        await until(lambda: threads() <= before + 3)
        for index in opened:
            assert await found(index, "kite") == [0] and index.size == 2
            await add(index, "green kite")
            assert sorted(await found(index, "kite")) == [0, 2]


async def test_what_was_added_is_saved_after_some_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "_MAINTENANCE_S", 0.05)
    monkeypatch.setattr(registry_module, "_COMMIT_S", 0.0)
    async with keyword_registry(tmp_path) as registry:
        index = await registry.open("c", 1, 384)
        await add(index, "red kite")
        assert index.stats().chunks == 1
        await until(lambda: index.stats().unsaved == 0)


async def test_an_index_that_is_dropped_while_words_are_added_is_gone(tmp_path: Path) -> None:
    async with keyword_registry(tmp_path) as registry:
        index = await registry.open("c", 1, 384)
        adding = asyncio.create_task(add(index, *(f"kite {n}" for n in range(3000))))
        await asyncio.sleep(0)
        await registry.drop("c")
        with pytest.raises(Unavailable):
            await adding
        assert not (tmp_path / "c").exists() and list(tmp_path.iterdir()) == []
        assert (await registry.open("c", 1, 384)).size == 0
        with pytest.raises(Invalid):
            await registry.open("../c", 1, 384)


async def test_a_closed_registry_opens_nothing(tmp_path: Path) -> None:
    """A search may come while the server stops, and the folder belongs to the next one then."""
    async with keyword_registry(tmp_path) as registry:
        await add(await registry.open("c", 1, 384), "red kite")
    with pytest.raises(Unavailable, match="stopping"):
        await registry.open("c", 1, 384)


async def test_an_index_that_is_dropped_at_the_end_of_its_check_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keyword_registry(tmp_path) as registry:
        await add(await registry.open("c", 1, 384), "red kite")
    run_step, dropping = registry_module.run_step, []

    async def then_dropped(steps: Iterator[None], executor: Executor) -> bool:
        more = await run_step(steps, executor)
        if not more and not dropping:
            dropping.append(asyncio.create_task(registry.drop("c", 1)))
            await asyncio.sleep(0)
        return more

    monkeypatch.setattr(registry_module, "run_step", then_dropped)
    async with keyword_registry(tmp_path) as registry:
        with pytest.raises(Unavailable, match="closed"):
            await registry.open("c", 1, 384)
        await dropping[0]
        assert not (tmp_path / "c" / "1").exists()
        assert (await registry.open("c", 1, 384)).size == 0
