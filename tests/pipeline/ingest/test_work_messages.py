"""What the messages say of the work: of a large file too, before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import index, new_user
from support.hold import held
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

SENTENCE = (
    "On day {day} of the voyage the ship {ship} had fair wind, and the cook made soup of peas and ham. "
)


async def test_a_large_file_moves_the_progress_while_it_is_embedded(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "books"
    folder.mkdir()
    book = "\n\n".join(SENTENCE.format(day=day, ship=day % 7) * 4 for day in range(5000))
    (folder / "book.txt").write_text(book)
    _, messages = await index(client, folder)
    data = [message["data"] for message in messages]
    working = [one for one in data if one.get("bytes_done") is not None and one.get("processed_files") == 0]
    percents = [one["progress_percent"] for one in working]
    assert len(set(percents)) >= 5, percents
    assert percents == sorted(percents)
    assert any(0 < one["bytes_done"] < one["bytes_total"] == len(book) for one in working)
    last = [one for one in data if one.get("bytes_done") is not None][-1]
    assert last["bytes_done"] == last["bytes_total"] == len(book)


async def test_many_small_files_do_not_hide_a_large_one(shared: Serving, tmp_path: Path) -> None:
    """A hundred letters are read, and the book beside them is not: the work is not nearly done."""
    client = await new_user(shared)
    folder = tmp_path / "letters"
    folder.mkdir()
    for number in range(100):
        (folder / f"letter-{number:02}.txt").write_text(SENTENCE.format(day=number, ship=number))
    (folder / "the book.txt").write_text(SENTENCE.format(day=1, ship=2) * 8000)
    with held(folder, "the book.txt"):
        made = await client.call("POST", "collections", {"name": "Letters", "source_path": str(folder)})
        operation_id = made["operation_id"]
        async for message in client.watch(operation_id):
            data: dict[str, Any] = message["data"]
            if data.get("processed", 0) >= 60:
                assert data["progress_percent"] < 20, "most files, but little of the work"
                assert data["bytes_done"] < data["bytes_total"] / 10
                break
    async for message in client.watch(operation_id):
        last = message
    assert last["data"]["status"] == "completed"


async def test_an_old_pace_is_not_told_while_nobody_runs_the_operation(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(40):
        (folder / f"log-{number:02}.txt").write_text(SENTENCE.format(day=number, ship=number) * 20)
    first = start("--operations-lease-s", "3")
    client = await new_user(first)
    with held(folder, "log-39.txt"):
        made = await client.call("POST", "collections", {"name": "Logs", "source_path": str(folder)})
        path = f"operations/{made['operation_id']}"
        async for message in client.watch(made["operation_id"]):
            if message["data"].get("chunks_per_second"):
                break
        first.kill()
        again = Client(start("--operations-lease-s", "30").url)
        again.token = client.token
        seen = await again.call("GET", path)
        while seen["stage"] is None or seen["status"] != "processing":
            await asyncio.sleep(0)
            seen = await again.call("GET", path)
        # Whether it waits for the lease or was just taken up: nothing is known of the pace.
        assert (seen["eta_seconds"], seen["chunks_per_second"] or 0) == (None, 0)
    async for message in again.watch(made["operation_id"]):
        last = message
    assert last["data"]["status"] == "completed"
