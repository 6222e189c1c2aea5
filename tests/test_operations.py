"""Operations in line, cancelled, deleted, and dying at each step of storing and ending: nothing lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import PASSWORD, Serving, ask, documents, new_user
from processes import still_running

from semantik.client import Client, Refused
from semantik.errors import Unavailable

pytestmark = pytest.mark.gen_test(timeout=180)

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
    made = await _make(client, "Cellar", _folder(tmp_path, "first", 300, 20))
    watching = client.watch(made["operation_id"])
    kinds = []
    async for frame in watching:
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
    assert (await client.call("GET", f"collections/{again['id']}"))["document_count"] == 300


@pytest.mark.noisy
@pytest.mark.parametrize(
    "step",
    [
        "scanning.registered",
        "scanning.completed",
        "storing.chunks",
        "storing.published",
        "storing.indexed",
        "storing.finished",
        "storing.settled",
        "storing.counted",
        "ending.saved",
        "ending.told",
    ],
)
async def test_a_server_that_dies_at_any_step_leaves_what_an_undisturbed_one_leaves(
    start: Callable[..., Serving], tmp_path: Path, step: str
) -> None:
    folder = _folder(tmp_path, "cellar", 20)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    serving = start(*OPEN, env={"SEMANTIK_FAILPOINT": step})
    client = await new_user(serving)
    me = (await client.call("GET", "auth/me"))["username"]
    made = await _make(client, "Cellar", folder)
    tree = serving.tree
    seen: list[dict[str, Any]] = []
    with pytest.raises(Unavailable):
        async for frame in client.watch(made["operation_id"], patience_s=0):
            seen.append(frame)
    assert still_running(tree, 10) == []

    client = Client(start(*OPEN).url)
    await client.sign_in(me, PASSWORD)
    frames = await _end(client, made["operation_id"])
    stream = [frame for frame in frames if "seq" in frame]
    assert [f["seq"] for f in stream] == list(range(1, len(stream) + 1))
    assert [f["id"] for f in seen if "id" in f] == [f["id"] for f in stream][: sum("id" in f for f in seen)]
    kinds = _kinds(stream)
    for once in ("operation_queued", "operation_started", "scanning_completed", "index_completed", "error"):
        assert kinds.count(once) == 1, once
    assert kinds[-2:] == ["operation_completed", "status_update"]
    assert kinds.count("operation_completed") == 1
    hits = await ask(client, "How many litres does a barrel hold?", k=100)
    assert len(hits) == len({hit["document"]["id"] for hit in hits}) == 20
    found = await documents(client, made["id"])
    assert sum(d["status"] == "indexed" for d in found.values()) == 20
    assert found["broken.pdf"]["status"] == "failed"
    view = await client.call("GET", f"collections/{made['id']}")
    assert (view["document_count"], view["failed_count"]) == (20, 1)
    chunks = sum(d["chunk_count"] for d in found.values())
    assert view["chunk_count"] == view["stats"]["vectors"] == chunks == 20
