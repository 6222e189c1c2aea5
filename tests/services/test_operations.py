"""Operations queued, cancelled, and on deleted collections; `test_failpoints.py` kills a server in each of them."""

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

from pipeline.ingest.batches import MAX_DOCUMENTS
from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.models import new_id
from semantik.services.queued_operation import queued_operation
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


async def _create(client: Client, name: str, folder: Path) -> dict[str, Any]:
    made: dict[str, Any] = await client.call(
        "POST", "collections", {"name": name, "source_path": str(folder)}
    )
    return made


async def _watch_to_end(client: Client, operation_id: str, since: str | None = None) -> list[dict[str, Any]]:
    return [message async for message in client.watch(operation_id, since)]


def _kinds(messages: list[dict[str, Any]]) -> list[str]:
    """The types of all messages except presence, which may come at any time."""
    return [message["type"] for message in messages if message["type"] != "presence"]


async def test_operations_on_one_collection_are_queued_and_run_in_order(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    made = await _create(client, "Cellar", _folder(tmp_path, "first", 30))
    added = [
        await client.call(
            "POST", f"collections/{made['id']}/sources", {"path": str(_folder(tmp_path, name, 3))}
        )
        for name in ("second", "third")
    ]
    ids = [made["operation_id"], *(each["operation_id"] for each in added)]
    positions = [(await client.call("GET", f"operations/{each}"))["queue_position"] for each in ids]
    assert positions == [0, 1, 2]
    assert (await client.call("GET", f"collections/{made['id']}"))["active_operation_id"] == ids[0]
    for each in ids:
        assert (await _watch_to_end(client, each))[-1]["data"]["status"] == "completed"
    records = [await client.call("GET", f"operations/{each}") for each in ids]
    for earlier, later in pairwise(records):
        assert earlier["completed_at"] <= later["started_at"]
    listed = await client.call("GET", "operations", collection_id=made["id"], limit=2)
    rest = await client.call("GET", "operations", collection_id=made["id"], cursor=listed["next_cursor"])
    assert [o["id"] for o in listed["items"] + rest["items"]] == ids[::-1]


async def test_running_and_queued_operations_are_cancelled(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    folder = _folder(tmp_path, "first", 400, 30)
    with held(folder, "barrel-399.txt"):
        made = await _create(client, "Cellar", folder)
        added = await client.call(
            "POST", f"collections/{made['id']}/sources", {"path": str(_folder(tmp_path, "second", 3))}
        )
        await client.call("DELETE", f"operations/{added['operation_id']}")
        messages = await _watch_to_end(client, added["operation_id"])
        assert _kinds(messages)[-2:] == ["operation_cancelled", "status_update"]
        async for message in client.watch(made["operation_id"]):
            if message["type"] == "document_processed":
                break
        await client.call("DELETE", f"operations/{made['operation_id']}")
        messages = await _watch_to_end(client, made["operation_id"], since=message["id"])
        assert _kinds(messages)[-2:] == ["operation_cancelled", "status_update"]
    with pytest.raises(Refused, match="ended already") as refused:
        await client.call("DELETE", f"operations/{made['operation_id']}")
    assert refused.value.status == 409
    view = await client.call("GET", f"collections/{made['id']}")
    assert 0 < view["document_count"] < 400
    assert view["chunk_count"] == view["stats"]["vectors"]
    assert await ask(client, "Which barrel holds most?")


async def test_collection_deleted_during_indexing_is_purged_completely(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    folder = _folder(tmp_path, "first", MAX_DOCUMENTS + 1)
    kinds = []
    with held(folder, f"barrel-{MAX_DOCUMENTS}.txt"):  # it is in the second batch
        made = await _create(client, "Cellar", folder)
        async for message in client.watch(made["operation_id"]):
            kinds.append(message["type"])
            if message["type"] == "document_processed" and "deleted" not in kinds:
                kinds.append("deleted")
                await client.call("DELETE", f"collections/{made['id']}")
    assert kinds[-2:] == ["operation_cancelled", "status_update"]
    assert (await client.call("GET", "collections"))["items"] == []
    again = await _create(client, "Cellar", tmp_path / "first")
    assert (await _watch_to_end(client, again["operation_id"]))[-1]["data"]["status"] == "completed"
    while (serving.data / "index" / made["id"]).exists():  # the dispatcher purges it
        await client.call("GET", "health")
    assert (await client.call("GET", f"collections/{again['id']}"))["document_count"] == MAX_DOCUMENTS + 1


async def test_operations_of_a_purged_collection_do_not_stay_queued(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN, "--operations-concurrent", "1")
    waiting = queued_operation(new_id(), new_id(), "append", None, None)
    cancelled = replace(waiting, id=new_id(), cancel_requested=True)
    async with Store(serving.stores.mongo_url, serving.stores.database) as store:
        for operation in (waiting, cancelled):
            await store.operations.add(operation)
        while await store.operations.by_ids([waiting.id, cancelled.id]):  # noqa: ASYNC110, no message announces it
            await asyncio.sleep(0.1)
    client = await new_user(serving)
    made = await _create(client, "after", _folder(tmp_path, "after", 2))
    assert (await _watch_to_end(client, made["operation_id"]))[-1]["data"]["status"] == "completed"
