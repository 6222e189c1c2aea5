"""Operations in line, cancelled and deleted; `test_failpoints.py` lets a server die in each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.api import ask, new_user
from support.hold import held
from support.server import Serving

from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.models import new_id
from semantik.services.operations import queued_operation
from semantik.storage.mongo import Store

pytestmark = pytest.mark.gen_test

OPEN = ("--auth-registration", "open", "--progress-linger-s", "0.2")


def _folder(tmp_path: Path, name: str, count: int, paragraphs: int = 3) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    for number in range(count):
        parts = [
            f"Barrel {number}.{part} of {name} holds {number + part} litres." for part in range(paragraphs)
        ]
        (folder / f"barrel-{number:03}.txt").write_text("\n\n".join(parts))
    return folder


async def _make(client: Client, name: str, folder: Path) -> dict[str, Any]:
    made: dict[str, Any] = await client.call(
        "POST", "collections", {"name": name, "source_path": str(folder)}
    )
    return made


async def _end(client: Client, operation_id: str, since: str | None = None) -> list[dict[str, Any]]:
    return [frame async for frame in client.watch(operation_id, since)]


def _kinds(frames: list[dict[str, Any]]) -> list[str]:
    """Without presence, which may come at any time."""
    return [frame["type"] for frame in frames if frame["type"] != "presence"]


async def test_operations_on_one_collection_wait_in_line_and_run_in_order(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    made = await _make(client, "Cellar", _folder(tmp_path, "first", 30))
    added = [
        await client.call(
            "POST", f"collections/{made['id']}/sources", {"path": str(_folder(tmp_path, name, 3))}
        )
        for name in ("second", "third")
    ]
    ids = [made["operation_id"], *(each["operation_id"] for each in added)]
    places = [(await client.call("GET", f"operations/{each}"))["queue_position"] for each in ids]
    assert places == [0, 1, 2]
    assert (await client.call("GET", f"collections/{made['id']}"))["active_operation_id"] == ids[0]
    for each in ids:
        assert (await _end(client, each))[-1]["data"]["status"] == "completed"
    records = [await client.call("GET", f"operations/{each}") for each in ids]
    for earlier, later in pairwise(records):
        assert earlier["completed_at"] <= later["started_at"]
    listed = await client.call("GET", "operations", collection_id=made["id"], limit=2)
    rest = await client.call("GET", "operations", collection_id=made["id"], cursor=listed["next_cursor"])
    assert [o["id"] for o in listed["items"] + rest["items"]] == ids[::-1]


async def test_a_running_and_a_queued_operation_are_cancelled(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    made = await _make(client, "Cellar", _folder(tmp_path, "first", 400, 30))
    added = await client.call(
        "POST", f"collections/{made['id']}/sources", {"path": str(_folder(tmp_path, "second", 3))}
    )
    await client.call("DELETE", f"operations/{added['operation_id']}")
    frames = await _end(client, added["operation_id"])
    assert _kinds(frames)[-2:] == ["operation_cancelled", "status_update"]
    async for frame in client.watch(made["operation_id"]):
        if frame["type"] == "document_processed":
            break
    await client.call("DELETE", f"operations/{made['operation_id']}")
    frames = await _end(client, made["operation_id"], since=frame["id"])
    assert _kinds(frames)[-2:] == ["operation_cancelled", "status_update"]
    with pytest.raises(Refused, match="ended already") as refused:
        await client.call("DELETE", f"operations/{made['operation_id']}")
    assert refused.value.status == 409
    view = await client.call("GET", f"collections/{made['id']}")
    assert 0 < view["document_count"] < 400
    assert view["chunk_count"] == view["stats"]["vectors"]
    assert await ask(client, "Which barrel holds most?")


async def test_a_collection_that_is_deleted_while_it_is_indexed_goes_without_a_trace(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    folder = _folder(tmp_path, "first", 60)
    kinds = []
    with held(folder, "barrel-059.txt"):
        made = await _make(client, "Cellar", folder)
        async for frame in client.watch(made["operation_id"]):
            kinds.append(frame["type"])
            if frame["type"] == "document_processed" and "deleted" not in kinds:
                kinds.append("deleted")
                await client.call("DELETE", f"collections/{made['id']}")
    assert kinds[-2:] == ["operation_cancelled", "status_update"]
    assert (await client.call("GET", "collections"))["items"] == []
    again = await _make(client, "Cellar", tmp_path / "first")
    assert (await _end(client, again["operation_id"]))[-1]["data"]["status"] == "completed"
    while (serving.data / "index" / made["id"]).exists():  # the purge is the dispatcher's
        await client.call("GET", "health")
    assert (await client.call("GET", f"collections/{again['id']}"))["document_count"] == 60


async def test_operations_that_came_after_their_collection_was_purged_do_not_stay_in_the_line(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN, "--operations-concurrent", "1")
    waiting = queued_operation(new_id(), new_id(), "append", None, None)
    cancelled = replace(waiting, id=new_id(), cancel_requested=True)
    async with Store(serving.stores.mongo_url, serving.stores.database) as store:
        for operation in (waiting, cancelled):
            await store.operations.add(operation)
        while await store.operations.by_ids([waiting.id, cancelled.id]):  # noqa: ASYNC110, nobody watches them
            await asyncio.sleep(0.1)
    client = await new_user(serving)
    made = await _make(client, "after", _folder(tmp_path, "after", 2))
    assert (await _end(client, made["operation_id"]))[-1]["data"]["status"] == "completed"
