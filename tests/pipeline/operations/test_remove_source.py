"""REMOVE_SOURCE, retry and cancel: removed documents, kept documents, and the published results."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import ask, documents, index, new_user
from support.hold import held
from support.server import Serving

from semantik.client.api import Client
from semantik.client.websocket import Refused

pytestmark = pytest.mark.gen_test


def _files(folder: Path, count: int, subject: str) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{subject}-{number:03}.txt").write_text(
            f"The {subject} number {number} stands by the road."
        )
    return folder


async def _watch_to_end(client: Client, accepted: dict[str, Any]) -> list[dict[str, Any]]:
    return [message async for message in client.watch(accepted["operation_id"])]


async def _source(client: Client, collection_id: str, path: Path) -> str:
    items = (await client.call("GET", f"collections/{collection_id}/sources"))["items"]
    return next(item["id"] for item in items if item["path"] == str(path))


async def test_removing_a_source_removes_its_documents_and_keeps_others(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    mills, inns = _files(tmp_path / "mills", 8, "mill"), _files(tmp_path / "inns", 5, "inn")
    collection_id, _ = await index(client, mills)
    await _watch_to_end(
        client, await client.call("POST", f"collections/{collection_id}/sources", {"path": str(inns)})
    )
    path = f"collections/{collection_id}/sources/{await _source(client, collection_id, mills)}"
    accepted = await client.call("DELETE", path)
    messages = await _watch_to_end(client, accepted)
    kinds = [message["type"] for message in messages]
    assert kinds.index("removing_documents") < kinds.index("remove_source_completed")
    result = next(message["data"] for message in messages if message["type"] == "remove_source_completed")
    assert (result["documents"], result["kept"], result["chunks"]) == (8, 0, 5)
    assert all("inn" in name for name in await documents(client, collection_id))
    hits = await ask(client, "Which mill stands by the road?", collection_ids=[collection_id], k=50)
    assert len(hits) == 5
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["document_count"], view["chunk_count"], view["stats"]["vectors"]) == (5, 5, 5)
    with pytest.raises(Refused, match="no source"):
        await client.call("DELETE", path)
    # The folder can be added again, and its documents are indexed again.
    await _watch_to_end(
        client, await client.call("POST", f"collections/{collection_id}/sources", {"path": str(mills)})
    )
    assert len(await documents(client, collection_id)) == 13


async def test_documents_that_are_also_in_another_source_are_kept(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    outer = _files(tmp_path / "outer", 3, "barn")
    inner = _files(outer / "inner", 4, "well")
    collection_id, _ = await index(client, outer)
    await _watch_to_end(
        client, await client.call("POST", f"collections/{collection_id}/sources", {"path": str(inner)})
    )
    assert len(await documents(client, collection_id)) == 7
    accepted = await client.call(
        "DELETE", f"collections/{collection_id}/sources/{await _source(client, collection_id, outer)}"
    )
    result = next(
        m["data"] for m in await _watch_to_end(client, accepted) if m["type"] == "remove_source_completed"
    )
    assert (result["documents"], result["kept"]) == (3, 4)
    assert len(await documents(client, collection_id)) == 4
    (inner / "well-000.txt").unlink()
    accepted = await client.call("POST", f"collections/{collection_id}/append", {})
    scanned = next(
        m["data"] for m in await _watch_to_end(client, accepted) if m["type"] == "scanning_completed"
    )
    assert (scanned["missing_documents"], scanned["unchanged_documents"]) == (1, 3)


async def test_searches_continue_while_a_source_is_removed(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, _files(tmp_path / "mills", 300, "mill"))
    inns = _files(tmp_path / "inns", 5, "inn")
    await _watch_to_end(
        client, await client.call("POST", f"collections/{collection_id}/sources", {"path": str(inns)})
    )
    removed = asyncio.Event()

    async def search_repeatedly() -> None:
        while not removed.is_set():
            hits = await ask(client, "Which inn stands by the road?", collection_ids=[collection_id], k=5)
            assert {hit["document"]["name"].split("-")[0] for hit in hits} == {"inn"} and len(hits) == 5

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(search_repeatedly())
        source = await _source(client, collection_id, tmp_path / "mills")
        await _watch_to_end(
            client, await client.call("DELETE", f"collections/{collection_id}/sources/{source}")
        )
        removed.set()
    assert len(await documents(client, collection_id)) == 5


async def test_failed_documents_are_retried_singly_or_together(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = _files(tmp_path / "road", 2, "gate")
    for name in ("locked.txt", "shut.txt"):
        (folder / name).write_bytes(b"\x00\x01" * 500)
    collection_id, _ = await index(client, folder)
    found = await documents(client, collection_id)
    assert found["locked.txt"]["status"] == "failed"
    with pytest.raises(Refused, match="has not failed"):
        await client.call(
            "POST", f"collections/{collection_id}/documents/{found['gate-000.txt']['id']}/retry"
        )
    (folder / "locked.txt").write_text("The gate is open now.")
    (folder / "shut.txt").write_text("This one as well.")
    one = await client.call(
        "POST", f"collections/{collection_id}/documents/{found['locked.txt']['id']}/retry"
    )
    assert (await _watch_to_end(client, one))[-1]["data"]["status"] == "completed"
    statuses = {name: item["status"] for name, item in (await documents(client, collection_id)).items()}
    assert (statuses["locked.txt"], statuses["shut.txt"]) == ("indexed", "failed")
    await _watch_to_end(client, await client.call("POST", f"collections/{collection_id}/retry"))
    assert {item["status"] for item in (await documents(client, collection_id)).values()} == {"indexed"}
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["document_count"], view["failed_count"], view["chunk_count"]) == (4, 0, 4)
    with pytest.raises(Refused, match="No document"):
        await client.call("POST", f"collections/{collection_id}/retry")


async def test_a_cancelled_append_reports_kept_documents_and_the_next_one_completes_it(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start()
    client = await new_user(serving)
    folder = _files(tmp_path / "road", 2, "gate")
    collection_id, _ = await index(client, folder)
    for number in range(150):
        lines = [f"Stone {number} of row {row} was laid in the rain." for row in range(40)]
        (folder / f"stone-{number:03}.txt").write_text("\n\n".join(lines))
    with held(folder, "stone-149.txt"):
        accepted = await client.call("POST", f"collections/{collection_id}/append", {})
        async for message in client.watch(accepted["operation_id"]):
            if message["type"] == "document_processed":
                break
        await client.call("DELETE", f"operations/{accepted['operation_id']}")
        messages = await _watch_to_end(client, accepted)
    end = next(m for m in messages if m["type"] == "operation_cancelled")
    view = await client.call("GET", f"collections/{collection_id}")
    read = f"{view['document_count'] - 2} of 150 new or changed documents were read; the next scan reads the others"
    assert end["data"]["message"] == f"Operation cancelled; all that was stored before is kept; {read}"
    assert view["status"] == "incomplete" and view["pending_count"] == 152 - view["document_count"]
    hits = await ask(client, "Which gate stands by the road?", collection_ids=[collection_id], k=2)
    assert {hit["document"]["name"] for hit in hits} == {"gate-000.txt", "gate-001.txt"}
    await _watch_to_end(client, await client.call("POST", f"collections/{collection_id}/append", {}))
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["document_count"], view["pending_count"], view["status"]) == (152, 0, "ready")


async def test_operations_are_filtered_by_type_and_status(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, _files(tmp_path / "road", 2, "gate"))
    for _ in range(2):
        await _watch_to_end(client, await client.call("POST", f"collections/{collection_id}/append", {}))

    async def kinds(**query: str) -> list[str]:
        page = await client.call("GET", "operations", **query)
        return [item["operation_type"] for item in page["items"]]

    assert await kinds() == ["append", "append", "index"]
    assert await kinds(type="append") == ["append", "append"]
    assert await kinds(status="completed", type="index", collection_id=collection_id) == ["index"]
    assert await kinds(status="queued") == []
    page = await client.call("GET", "operations", type="append", limit="1")
    assert len(page["items"]) == 1
    rest = await client.call("GET", "operations", type="append", limit="5", cursor=page["next_cursor"])
    assert len(rest["items"]) == 1 and rest["items"][0]["id"] != page["items"][0]["id"]
    with pytest.raises(Refused, match="one of"):
        await kinds(type="dance")
