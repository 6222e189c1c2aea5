"""The operation queue: published positions, fairness, and an index operation that resumes after a cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.api import documents, new_user
from support.hold import held
from support.server import Serving

from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.models import Counts, Operation, queue_position

OPEN = ("--auth-registration", "open", "--progress-linger-s", "0.2")


def _operation(number: int, collection: str, status: str) -> Operation:
    return Operation(
        f"o{number}", collection, "u", "index", None, status, None, Counts(), None, 0.0, datetime.now(UTC)
    )


def test_the_position_counts_the_places_for_users_of_whom_nothing_runs() -> None:
    active = [replace(_operation(n, f"c{n}", "queued"), user_id=user) for n, user in enumerate("aaabbc")]
    assert [queue_position(each, active, 1, 2) for each in active] == [0, 1, 2, 1, 4, 3]


def test_what_no_server_can_take_holds_up_its_own_collection_only() -> None:
    lost = replace(_operation(0, "a", "queued"), waiting="No server can read /srv/a.")
    active = [lost, _operation(1, "a", "queued"), _operation(2, "b", "queued"), _operation(3, "c", "queued")]
    assert [queue_position(each, active, 1) for each in active] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("queue", "concurrent", "positions"),
    [
        ("a!", 1, [0]),
        ("a", 1, [0]),
        ("a b c", 1, [0, 1, 2]),
        ("a! b! c d", 2, [0, 0, 1, 2]),
        ("a! b", 2, [0, 0]),
        ("a! a b c", 2, [0, 1, 1, 2]),
        ("a! a a", 9, [0, 1, 2]),
    ],
)
def test_queue_position_counts_operations_that_must_end_first(
    queue: str, concurrent: int, positions: list[int]
) -> None:
    active = [
        _operation(number, word[0], "processing" if word.endswith("!") else "queued")
        for number, word in enumerate(queue.split())
    ]
    assert [queue_position(operation, active, concurrent) for operation in active] == positions
    assert queue_position(_operation(9, "a", "completed"), active, concurrent) is None


def _folder(tmp_path: Path, name: str, count: int, paragraphs: int = 3) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    for number in range(count):
        parts = [
            f"Crate {number}.{part} of {name} weighs {number + part} kilos." for part in range(paragraphs)
        ]
        (folder / f"crate-{number:03}.txt").write_text("\n\n".join(parts))
    return folder


async def _create(client: Client, folder: Path) -> dict[str, Any]:
    made: dict[str, Any] = await client.call(
        "POST", "collections", {"name": folder.name, "source_path": str(folder)}
    )
    return made


@pytest.mark.gen_test
async def test_operations_that_wait_for_other_collections_publish_their_position(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    client = await new_user(start(*OPEN, "--operations-concurrent", "1"))
    first = await _create(client, _folder(tmp_path, "first", 40))
    second = await _create(client, _folder(tmp_path, "second", 3))
    third = await _create(client, _folder(tmp_path, "third", 3))
    ids = [made["operation_id"] for made in (first, second, third)]
    listed = await client.call("GET", "operations")
    assert [item["queue_position"] for item in listed["items"]] == [2, 1, 0]
    messages = [message async for message in client.watch(ids[2])]
    positions = [message["queue_position"] for message in messages if message["type"] == "operation_queued"]
    assert positions[0] == 2 and positions[-1] == 0 and positions == sorted(positions, reverse=True)
    assert messages[-1]["data"]["status"] == "completed"


async def _cancelled(client: Client, folder: Path) -> dict[str, Any]:
    """The collection of an INDEX that was cancelled after its first documents."""
    made = await _create(client, folder)
    with pytest.raises(Refused, match="being indexed already") as refused:
        await client.call("POST", f"collections/{made['id']}/sources", {"path": str(folder)})
    assert refused.value.status == 409
    async for message in client.watch(made["operation_id"]):
        if message["type"] == "document_processed":
            await client.call("DELETE", f"operations/{made['operation_id']}")
            break
    assert [message async for message in client.watch(made["operation_id"])][-1]["status"] == "cancelled"
    return made


@pytest.mark.gen_test
async def test_cancelled_index_operation_resumes(start: Callable[..., Serving], tmp_path: Path) -> None:
    client = await new_user(start(*OPEN))
    folder = _folder(tmp_path, "stock", 400, 20)
    with held(folder, "crate-399.txt"):
        made = await _cancelled(client, folder)
    path = f"collections/{made['id']}"
    view = await client.call("GET", path)
    assert view["status"] == "incomplete"
    assert view["document_count"] > 0 < view["pending_count"]
    assert view["document_count"] + view["pending_count"] == 400
    (folder / "new.txt").write_text("A crate that came later.")

    again = await client.call("POST", f"{path}/sources", {"path": str(folder)})
    assert again["operation_id"] != made["operation_id"]
    messages = [message async for message in client.watch(again["operation_id"])]
    assert messages[-1]["status"] == "completed"
    completed = next(message for message in messages if message["type"] == "index_completed")
    assert completed["documents"] == view["pending_count"] + 1
    view = await client.call("GET", path)
    assert (view["status"], view["document_count"], view["pending_count"]) == ("ready", 401, 0)
    assert view["stats"]["vectors"] == view["chunk_count"]
    assert {item["status"] for item in (await documents(client, made["id"])).values()} == {"indexed"}
    with pytest.raises(Refused, match="it is indexed") as refused:
        await client.call("POST", f"{path}/sources", {"path": str(folder)})
    assert refused.value.status == 409


@pytest.mark.gen_test
async def test_large_files_do_not_delay_small_ones(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "mixed"
    folder.mkdir()
    paragraphs = [f"Chapter {n} tells how the {n}th day of the voyage went by. " * 12 for n in range(1500)]
    (folder / "a-book.txt").write_text("\n\n".join(paragraphs))
    for number in range(10):
        (folder / f"letter-{number}.txt").write_text(f"Dear {number}, all is well.")
    made = await _create(client, folder)
    messages = [message async for message in client.watch(made["operation_id"])]
    processed = [message for message in messages if message["type"] == "document_processed"]
    assert (processed[-1]["processed"], Path(processed[-1]["current_file"]).name) == (11, "a-book.txt")
    assert processed[-1]["chunks"] > 1000
    # While only the large file is left, progress names it and estimates the remaining time.
    in_progress = [
        message
        for message in messages
        if message["type"] == "file_processing" and message["processed_files"] == 10
    ]
    assert any(
        Path(message["current_file"]).name == "a-book.txt" and message["eta_seconds"]
        for message in in_progress
    )


@pytest.mark.gen_test
async def test_large_index_operation_does_not_starve_a_small_one(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    huge = await _create(client, _folder(tmp_path, "huge", 400, 200))
    async for message in client.watch(huge["operation_id"]):
        if message["type"] == "document_processed":
            break
    small = await _create(client, _folder(tmp_path, "small", 5))
    messages = [message async for message in client.watch(small["operation_id"])]
    assert messages[-1]["data"]["status"] == "completed"
    view = await client.call("GET", f"operations/{huge['operation_id']}")
    assert view["status"] == "processing"
    await client.call("DELETE", f"operations/{huge['operation_id']}")
    messages = [message async for message in client.watch(huge["operation_id"])]
    assert messages[-1]["data"]["status"] == "cancelled"


@pytest.mark.gen_test
async def test_concurrent_identical_requests_queue_one_operation(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    made = await _create(client, _folder(tmp_path, "rush", 200, 60))
    source = (await client.call("GET", f"collections/{made['id']}/sources"))["items"][0]["id"]

    async def request(method: str, path: str, body: Any = None) -> str:
        try:
            return str((await client.call(method, f"collections/{made['id']}/{path}", body))["operation_id"])
        except Refused as refused:
            assert refused.status == 409
            return ""

    for method, path in (("POST", "append"), ("POST", "reindex"), ("DELETE", f"sources/{source}")):
        body = {} if method == "POST" else None
        operation_ids = await asyncio.gather(*(request(method, path, body) for _ in range(8)))
        assert len(set(operation_ids) - {""}) == 1, (path, operation_ids)
    await client.call("DELETE", f"collections/{made['id']}")
