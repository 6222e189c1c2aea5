"""How far the recognition of text is: in an operation's record, for clients without a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from support.api import new_user
from support.patience import deadline
from support.scans import encoded, lines_of_text, page
from support.server import Serving

pytestmark = pytest.mark.gen_test


async def test_an_operations_record_counts_the_recognised_pages(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    folder = tmp_path / "orchard"
    folder.mkdir()
    for number in (1, 2, 3):
        picture = page(lines_of_text(number, 3, 4))
        (folder / f"basket-{number}.png").write_bytes(encoded(picture, "PNG"))
    serving = start("--pool-workers", "1", env={"SEMANTIK_FAILPOINT": "recognise:hang:basket-3"})
    client = await new_user(serving)
    made = await client.call("POST", "collections", {"name": "Baskets", "source_path": str(folder)})
    path = f"operations/{made['operation_id']}"
    async with deadline():
        while (state := await client.call("GET", path))["pages_done"] != 2:
            assert state["pages_total"] in (None, 3), state
            await asyncio.sleep(0.1)
    assert (state["stage"], state["status"], state["pages_total"]) == ("recognizing_text", "processing", 3)
    await client.call("DELETE", path)
    messages = [message async for message in client.watch(made["operation_id"])]
    assert messages[-1]["data"]["status"] == "cancelled"
    assert (await client.call("GET", path))["pages_done"] == 2


async def test_an_operation_without_such_pages_has_no_number(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    (tmp_path / "orchard").mkdir()
    (tmp_path / "orchard" / "letter.txt").write_text("The cider press was repaired by the smith.")
    client = await new_user(start())
    folder = str(tmp_path / "orchard")
    made = await client.call("POST", "collections", {"name": "Letters", "source_path": folder})
    messages = [message async for message in client.watch(made["operation_id"])]
    assert messages[-1]["data"]["status"] == "completed"
    state = await client.call("GET", f"operations/{made['operation_id']}")
    assert (state["pages_done"], state["pages_total"]) == (None, None)
