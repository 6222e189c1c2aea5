"""APPEND: only new, changed, moved and missing files are processed, and no search sees a partly changed document."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD, ask, documents, index, new_user
from support.server import Serving

from semantik.client.api import Client
from semantik.client.websocket import Refused

pytestmark = pytest.mark.gen_test


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "harbour"
    root.mkdir()
    for name, text in {
        "tides.txt": "The tide rises twice a day, because of the moon.",
        "ropes.txt": "A bowline is a knot that does not slip.",
        "gulls.txt": "Gulls steal the bread of the harbour master.",
    }.items():
        (root / name).write_text(text)
    return root


async def _run(client: Client, method: str, path: str, body: Any = None) -> list[dict[str, Any]]:
    accepted = await client.call(method, path, {} if body is None and method == "POST" else body)
    return [message async for message in client.watch(accepted["operation_id"])]


async def _append(client: Client, collection_id: str, **body: Any) -> dict[str, Any]:
    """Scan again; returns the data of `scanning_completed`."""
    messages = await _run(client, "POST", f"collections/{collection_id}/append", body)
    kinds = [message["type"] for message in messages]
    assert "append_completed" in kinds and kinds[-1] == "status_update"
    assert "processing_embeddings" not in kinds
    return next(message["data"] for message in messages if message["type"] == "scanning_completed")


async def test_unchanged_files_are_not_read_again(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    before = await documents(client, collection_id)
    scanned = await _append(client, collection_id)
    assert (scanned["unchanged_documents"], scanned["total_files"]) == (3, 0)
    assert await documents(client, collection_id) == before
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["document_count"], view["pending_count"], view["chunk_count"]) == (3, 0, 3)


async def test_new_changed_moved_and_missing_files_are_counted_and_searched(
    shared: Serving, folder: Path
) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    before = await documents(client, collection_id)
    (folder / "comet.txt").write_text("A comet's tail points away from the sun.")
    (folder / "tides.txt").write_text("Spring tides come with the new moon and with the full moon.")
    (folder / "ropes.txt").rename(folder / "knots.txt")
    (folder / "gulls.txt").unlink()
    scanned = await _append(client, collection_id)
    names = ("new", "changed", "unchanged", "moved", "missing")
    fields = ("new_documents_registered", *(f"{name}_documents" for name in names[1:]))
    assert [scanned[name] for name in fields] == [1, 1, 0, 1, 1]
    after = await documents(client, collection_id)
    assert set(after) == {"comet.txt", "tides.txt", "knots.txt"}
    assert after["knots.txt"]["id"] == before["ropes.txt"]["id"]
    assert after["tides.txt"]["id"] == before["tides.txt"]["id"]
    chunks = {hit["passage"] for hit in await ask(client, "tide", collection_ids=[collection_id], k=20)}
    assert "Spring tides come with the new moon and with the full moon." in chunks
    assert not any("twice a day" in chunk or "Gulls" in chunk for chunk in chunks)
    assert len(chunks) == 3
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["document_count"], view["chunk_count"], view["stats"]["vectors"]) == (3, 3, 3)
    content = await client.call(
        "GET", f"collections/{collection_id}/documents/{after['tides.txt']['id']}/content"
    )
    assert content["text"] == "Spring tides come with the new moon and with the full moon."


async def test_a_file_that_moves_between_sources_keeps_its_document(
    shared: Serving, folder: Path, tmp_path: Path
) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    other = tmp_path / "pier"
    other.mkdir()
    (other / "lamps.txt").write_text("The lamps of the pier are lit at dusk.")
    await _run(client, "POST", f"collections/{collection_id}/sources", {"path": str(other)})
    before = await documents(client, collection_id)
    (folder / "ropes.txt").rename(other / "ropes.txt")
    (other / "lamps.txt").rename(folder / "lamps.txt")
    scanned = await _append(client, collection_id)
    assert (scanned["moved_documents"], scanned["missing_documents"], scanned["total_files"]) == (2, 0, 0)
    after = await documents(client, collection_id)
    assert {name: one["id"] for name, one in after.items()} == {
        name: one["id"] for name, one in before.items()
    }
    [hit] = await ask(client, "a knot that holds", collection_ids=[collection_id], k=1)
    assert hit["passage"] == "A bowline is a knot that does not slip."


async def test_a_touched_file_is_not_embedded_again(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    os.utime(folder / "tides.txt", (1, 1))
    scanned = await _append(client, collection_id)
    assert scanned["changed_documents"] == 1
    tides = (await documents(client, collection_id))["tides.txt"]
    assert tides["modified_at"].startswith("1970-01-01") and tides["status"] == "indexed"
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["document_count"], view["chunk_count"], view["pending_count"]) == (3, 3, 0)
    assert (await _append(client, collection_id))["unchanged_documents"] == 3


async def test_a_damaged_file_is_not_found_until_it_is_repaired(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    (folder / "tides.txt").write_bytes(b"\x00\x01\x02" * 400)
    messages = await _run(client, "POST", f"collections/{collection_id}/append")
    [error] = [message["data"] for message in messages if message["type"] == "error"]
    assert error["path"].endswith("tides.txt")
    failures = await client.call("GET", f"operations/{messages[0]['operation_id']}/failures")
    assert [item["path"] for item in failures["items"]] == [str(folder / "tides.txt")]
    chunks = [hit["passage"] for hit in await ask(client, "tide", collection_ids=[collection_id], k=20)]
    assert len(chunks) == 2 and not any("tide" in chunk for chunk in chunks)
    (folder / "tides.txt").write_text("The tide rises twice a day, because of the moon.")
    await _append(client, collection_id)
    hit = (await ask(client, "tide", collection_ids=[collection_id], k=1))[0]
    assert hit["passage"].startswith("The tide")
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["failed_count"], view["chunk_count"]) == (0, 3)


async def test_an_empty_or_deleted_source_keeps_its_documents(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    for path in folder.iterdir():
        path.unlink()
    scanned = await _append(client, collection_id)
    assert scanned["missing_documents"] == 3 and "mounted" in scanned["warnings"][0]
    assert len(await ask(client, "tide", collection_ids=[collection_id])) == 3
    shutil.rmtree(folder)
    messages = await _run(client, "POST", f"collections/{collection_id}/append")
    assert messages[-1]["data"]["status"] == "failed"
    assert len(await ask(client, "tide", collection_ids=[collection_id])) == 3


async def test_a_search_sees_either_the_old_or_the_new_chunks_of_a_changed_file(
    shared: Serving, folder: Path
) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    versions = [f"The lighthouse keeper has {number} lamps to light." for number in range(6)]
    (folder / "tides.txt").write_text(versions[0])
    await _append(client, collection_id)
    seen: set[str] = set()
    changed = asyncio.Event()

    async def search_repeatedly() -> None:
        while not changed.is_set():
            hits = await ask(
                client, "How many lamps does the keeper light?", collection_ids=[collection_id], k=3
            )
            found = [hit["passage"] for hit in hits if "lamps" in hit["passage"]]
            assert len(found) == 1 and len(hits) == 3
            seen.add(found[0])

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(search_repeatedly())
        for version in versions[1:]:
            (folder / "tides.txt").write_text(version)
            await _append(client, collection_id)
        changed.set()
    assert versions[-1] in seen or len(seen) >= 2


async def test_identical_content_is_embedded_once_and_indexed_for_each_file(
    start: Callable[..., Serving], folder: Path
) -> None:
    serving = start()
    client = await new_user(serving)
    username = (await client.call("GET", "auth/me"))["username"]
    text = "\n\n".join(f"Buoy {number} is painted red and rings in the swell." for number in range(200))
    (folder / "one.txt").write_text(text)
    (folder / "two.txt").write_text(text)
    collection_id, _ = await index(client, folder)
    serving.stop()
    # To embed a chunk of it now would kill the worker and fail the file.
    client = Client(start(env={"SEMANTIK_FAILPOINT": "embed:crash:Buoy"}).url)
    await client.sign_in(username, PASSWORD)
    (folder / "three.txt").write_text(text)
    await _append(client, collection_id)
    found = await documents(client, collection_id)
    assert {item["status"] for item in found.values()} == {"indexed"}
    assert len({found[name]["chunk_count"] for name in ("one.txt", "two.txt", "three.txt")}) == 1
    (folder / "one.txt").write_text(f"{text}\n\n")  # a new hash, and the same chunks
    await _append(client, collection_id)
    assert (await documents(client, collection_id))["one.txt"]["status"] == "indexed"


async def test_an_append_scans_one_source_or_all(shared: Serving, folder: Path, tmp_path: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "bees.txt").write_text("Bees dance.")
    messages = await _run(client, "POST", f"collections/{collection_id}/sources", {"path": str(other)})
    assert messages[0]["data"]["operation_type"] == "append"
    (other / "ants.txt").write_text("Ants march.")
    (folder / "wasps.txt").write_text("Wasps sting.")
    sources = (await client.call("GET", f"collections/{collection_id}/sources"))["items"]
    other_source = next(source for source in sources if source["path"] == str(other))
    assert (await _append(client, collection_id, source_id=other_source["id"]))[
        "new_documents_registered"
    ] == 1
    assert (await _append(client, collection_id))["new_documents_registered"] == 1
    assert len(await documents(client, collection_id)) == 6
    with pytest.raises(Refused, match="no source"):
        await client.call("POST", f"collections/{collection_id}/append", {"source_id": "nothing"})


async def test_a_missing_source_does_not_block_the_others(
    shared: Serving, folder: Path, tmp_path: Path
) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "bees.txt").write_text("Bees dance.")
    await _run(client, "POST", f"collections/{collection_id}/sources", {"path": str(other)})
    shutil.rmtree(folder)
    (other / "ants.txt").write_text("Ants march.")
    scanned = await _append(client, collection_id)
    assert scanned["new_documents_registered"] == 1 and scanned["missing_documents"] == 0
    assert str(folder) in scanned["warnings"][0]
    assert len(await documents(client, collection_id)) == 5
    shutil.rmtree(other)
    messages = await _run(client, "POST", f"collections/{collection_id}/append")
    assert messages[-1]["data"]["status"] == "failed"
    assert len(await documents(client, collection_id)) == 5
