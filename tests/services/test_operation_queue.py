"""The line of operations: places that are told, and an index that ended early and goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.api import documents, new_user
from support.server import Serving

from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.models import Counts, Operation, queue_position

OPEN = ("--auth-registration", "open", "--progress-linger-s", "0.2")


def _operation(number: int, collection: str, status: str) -> Operation:
    return Operation(
        f"o{number}", collection, "u", "index", None, status, None, Counts(), None, 0.0, datetime.now(UTC)
    )


@pytest.mark.parametrize(
    ("line", "concurrent", "places"),
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
def test_the_place_in_line_is_what_has_to_end_first(line: str, concurrent: int, places: list[int]) -> None:
    active = [
        _operation(number, word[0], "processing" if word.endswith("!") else "queued")
        for number, word in enumerate(line.split())
    ]
    assert [queue_position(operation, active, concurrent) for operation in active] == places
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


async def _make(client: Client, folder: Path) -> dict[str, Any]:
    made: dict[str, Any] = await client.call(
        "POST", "collections", {"name": folder.name, "source_path": str(folder)}
    )
    return made


@pytest.mark.gen_test
async def test_operations_that_wait_for_others_collections_say_so(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    client = await new_user(start(*OPEN, "--operations-concurrent", "1"))
    first = await _make(client, _folder(tmp_path, "first", 40))
    second = await _make(client, _folder(tmp_path, "second", 3))
    third = await _make(client, _folder(tmp_path, "third", 3))
    ids = [made["operation_id"] for made in (first, second, third)]
    listed = await client.call("GET", "operations")
    assert [item["queue_position"] for item in listed["items"]] == [2, 1, 0]
    frames = [frame async for frame in client.watch(ids[2])]
    places = [frame["queue_position"] for frame in frames if frame["type"] == "operation_queued"]
    assert places[0] == 2 and places[-1] == 0 and places == sorted(places, reverse=True)
    assert frames[-1]["data"]["status"] == "completed"


@pytest.mark.gen_test
async def test_an_index_that_was_cancelled_goes_on(start: Callable[..., Serving], tmp_path: Path) -> None:
    client = await new_user(start(*OPEN))
    folder = _folder(tmp_path, "stock", 400, 20)
    made = await _make(client, folder)
    path = f"collections/{made['id']}"
    with pytest.raises(Refused, match="being indexed already") as refused:
        await client.call("POST", f"{path}/sources", {"path": str(folder)})
    assert refused.value.status == 409
    async for frame in client.watch(made["operation_id"]):
        if frame["type"] == "document_processed":
            await client.call("DELETE", f"operations/{made['operation_id']}")
            break
    assert [frame async for frame in client.watch(made["operation_id"])][-1]["status"] == "cancelled"
    view = await client.call("GET", path)
    assert view["status"] == "incomplete"
    assert view["document_count"] > 0 < view["pending_count"]
    assert view["document_count"] + view["pending_count"] == 400
    (folder / "new.txt").write_text("A crate that came later.")

    again = await client.call("POST", f"{path}/sources", {"path": str(folder)})
    assert again["operation_id"] != made["operation_id"]
    frames = [frame async for frame in client.watch(again["operation_id"])]
    assert frames[-1]["status"] == "completed"
    ended = next(frame for frame in frames if frame["type"] == "index_completed")
    assert ended["documents"] == view["pending_count"] + 1
    view = await client.call("GET", path)
    assert (view["status"], view["document_count"], view["pending_count"]) == ("ready", 401, 0)
    assert view["stats"]["vectors"] == view["chunk_count"]
    assert {item["status"] for item in (await documents(client, made["id"])).values()} == {"indexed"}
    with pytest.raises(Refused, match="it is indexed") as refused:
        await client.call("POST", f"{path}/sources", {"path": str(folder)})
    assert refused.value.status == 409


@pytest.mark.gen_test
async def test_a_book_holds_up_no_letter(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "mixed"
    folder.mkdir()
    paragraphs = [f"Chapter {n} tells how the {n}th day of the voyage went by. " * 12 for n in range(1500)]
    (folder / "a-book.txt").write_text("\n\n".join(paragraphs))
    for number in range(10):
        (folder / f"letter-{number}.txt").write_text(f"Dear {number}, all is well.")
    made = await _make(client, folder)
    frames = [frame async for frame in client.watch(made["operation_id"])]
    done = [frame for frame in frames if frame["type"] == "document_processed"]
    assert (done[-1]["processed"], Path(done[-1]["current_file"]).name) == (11, "a-book.txt")
    assert done[-1]["chunks"] > 1000
    # While nothing but the book is left, it is said what is worked on, and how long that will take.
    at_work = [f for f in frames if f["type"] == "file_processing" and f["processed_files"] == 10]
    assert any(Path(frame["current_file"]).name == "a-book.txt" and frame["eta_seconds"] for frame in at_work)


@pytest.mark.gen_test
async def test_a_huge_index_does_not_starve_a_small_one(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    huge = await _make(client, _folder(tmp_path, "huge", 400, 40))
    async for frame in client.watch(huge["operation_id"]):
        if frame["type"] == "document_processed":
            break
    small = await _make(client, _folder(tmp_path, "small", 5))
    frames = [frame async for frame in client.watch(small["operation_id"])]
    assert frames[-1]["data"]["status"] == "completed"
    view = await client.call("GET", f"operations/{huge['operation_id']}")
    assert view["status"] == "processing"
    await client.call("DELETE", f"operations/{huge['operation_id']}")
    assert [frame async for frame in client.watch(huge["operation_id"])][-1]["data"]["status"] == "cancelled"


@pytest.mark.gen_test
async def test_what_is_asked_for_many_times_at_once_stands_in_the_line_once(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    made = await _make(client, _folder(tmp_path, "rush", 200, 60))
    source = (await client.call("GET", f"collections/{made['id']}/sources"))["items"][0]["id"]

    async def ask(method: str, path: str, body: Any = None) -> str:
        try:
            return str((await client.call(method, f"collections/{made['id']}/{path}", body))["operation_id"])
        except Refused as refused:
            assert refused.status == 409
            return ""

    for method, path in (("POST", "append"), ("POST", "reindex"), ("DELETE", f"sources/{source}")):
        body = {} if method == "POST" else None
        answers = await asyncio.gather(*(ask(method, path, body) for _ in range(8)))
        assert len(set(answers) - {""}) == 1, (path, answers)
    await client.call("DELETE", f"collections/{made['id']}")
