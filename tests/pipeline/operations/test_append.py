"""APPEND: only what is new, changed, moved or gone is touched, and no search sees a document half-changed."""

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
    home = tmp_path / "harbour"
    home.mkdir()
    for name, text in {
        "tides.txt": "The tide rises twice a day, because of the moon.",
        "ropes.txt": "A bowline is a knot that does not slip.",
        "gulls.txt": "Gulls steal the bread of the harbour master.",
    }.items():
        (home / name).write_text(text)
    return home


async def _run(client: Client, method: str, path: str, body: Any = None) -> list[dict[str, Any]]:
    accepted = await client.call(method, path, {} if body is None and method == "POST" else body)
    return [frame async for frame in client.watch(accepted["operation_id"])]


async def _append(client: Client, collection_id: str, **body: Any) -> dict[str, Any]:
    """Scan again; returns what `scanning_completed` told."""
    frames = await _run(client, "POST", f"collections/{collection_id}/append", body)
    kinds = [frame["type"] for frame in frames]
    assert "append_completed" in kinds and kinds[-1] == "status_update"
    assert "processing_embeddings" not in kinds
    return next(frame["data"] for frame in frames if frame["type"] == "scanning_completed")


async def test_a_second_scan_of_the_same_files_reads_none(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    before = await documents(client, made)
    told = await _append(client, made)
    assert (told["unchanged_documents"], told["total_files"]) == (3, 0)
    assert await documents(client, made) == before
    view = await client.call("GET", f"collections/{made}")
    assert (view["document_count"], view["pending_count"], view["chunk_count"]) == (3, 0, 3)


async def test_new_changed_moved_and_missing_files_are_each_told_and_found(
    shared: Serving, folder: Path
) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    before = await documents(client, made)
    (folder / "comet.txt").write_text("A comet's tail points away from the sun.")
    (folder / "tides.txt").write_text("Spring tides come with the new moon and with the full moon.")
    (folder / "ropes.txt").rename(folder / "knots.txt")
    (folder / "gulls.txt").unlink()
    told = await _append(client, made)
    names = ("new", "changed", "unchanged", "moved", "missing")
    fields = ("new_documents_registered", *(f"{name}_documents" for name in names[1:]))
    assert [told[name] for name in fields] == [1, 1, 0, 1, 1]
    after = await documents(client, made)
    assert set(after) == {"comet.txt", "tides.txt", "knots.txt"}
    assert after["knots.txt"]["id"] == before["ropes.txt"]["id"]
    assert after["tides.txt"]["id"] == before["tides.txt"]["id"]
    passages = {hit["passage"] for hit in await ask(client, "tide", collection_ids=[made], k=20)}
    assert "Spring tides come with the new moon and with the full moon." in passages
    assert not any("twice a day" in passage or "Gulls" in passage for passage in passages)
    assert len(passages) == 3
    view = await client.call("GET", f"collections/{made}")
    assert (view["document_count"], view["chunk_count"], view["stats"]["vectors"]) == (3, 3, 3)
    content = await client.call("GET", f"collections/{made}/documents/{after['tides.txt']['id']}/content")
    assert content["text"] == "Spring tides come with the new moon and with the full moon."


async def test_a_file_that_moves_from_one_folder_of_a_collection_to_another_stays(
    shared: Serving, folder: Path, tmp_path: Path
) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    other = tmp_path / "pier"
    other.mkdir()
    (other / "lamps.txt").write_text("The lamps of the pier are lit at dusk.")
    await _run(client, "POST", f"collections/{made}/sources", {"path": str(other)})
    before = await documents(client, made)
    (folder / "ropes.txt").rename(other / "ropes.txt")
    (other / "lamps.txt").rename(folder / "lamps.txt")
    told = await _append(client, made)
    assert (told["moved_documents"], told["missing_documents"], told["total_files"]) == (2, 0, 0)
    after = await documents(client, made)
    assert {name: one["id"] for name, one in after.items()} == {
        name: one["id"] for name, one in before.items()
    }
    [hit] = await ask(client, "a knot that holds", collection_ids=[made], k=1)
    assert hit["passage"] == "A bowline is a knot that does not slip."


async def test_a_touched_file_is_not_embedded_again(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    os.utime(folder / "tides.txt", (1, 1))
    told = await _append(client, made)
    assert told["changed_documents"] == 1
    tides = (await documents(client, made))["tides.txt"]
    assert tides["modified_at"].startswith("1970-01-01") and tides["status"] == "indexed"
    view = await client.call("GET", f"collections/{made}")
    assert (view["document_count"], view["chunk_count"], view["pending_count"]) == (3, 3, 0)
    assert (await _append(client, made))["unchanged_documents"] == 3


async def test_a_file_that_breaks_is_not_found_any_more_and_comes_back_when_it_is_mended(
    shared: Serving, folder: Path
) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    (folder / "tides.txt").write_bytes(b"\x00\x01\x02" * 400)
    frames = await _run(client, "POST", f"collections/{made}/append")
    [error] = [frame["data"] for frame in frames if frame["type"] == "error"]
    assert error["path"].endswith("tides.txt")
    failures = await client.call("GET", f"operations/{frames[0]['operation_id']}/failures")
    assert [item["path"] for item in failures["items"]] == [str(folder / "tides.txt")]
    passages = [hit["passage"] for hit in await ask(client, "tide", collection_ids=[made], k=20)]
    assert len(passages) == 2 and not any("tide" in passage for passage in passages)
    (folder / "tides.txt").write_text("The tide rises twice a day, because of the moon.")
    await _append(client, made)
    hit = (await ask(client, "tide", collection_ids=[made], k=1))[0]
    assert hit["passage"].startswith("The tide")
    view = await client.call("GET", f"collections/{made}")
    assert (view["failed_count"], view["chunk_count"]) == (0, 3)


async def test_an_empty_folder_takes_no_documents_with_it(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    for path in folder.iterdir():
        path.unlink()
    told = await _append(client, made)
    assert told["missing_documents"] == 3 and "mounted" in told["warnings"][0]
    assert len(await ask(client, "tide", collection_ids=[made])) == 3
    shutil.rmtree(folder)
    frames = await _run(client, "POST", f"collections/{made}/append")
    assert frames[-1]["data"]["status"] == "failed"
    assert len(await ask(client, "tide", collection_ids=[made])) == 3


async def test_a_search_sees_the_old_or_the_new_passages_of_a_changed_file_never_both_or_none(
    shared: Serving, folder: Path
) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    versions = [f"The lighthouse keeper has {number} lamps to light." for number in range(6)]
    (folder / "tides.txt").write_text(versions[0])
    await _append(client, made)
    seen: set[str] = set()
    over = asyncio.Event()

    async def asking() -> None:
        while not over.is_set():
            hits = await ask(client, "How many lamps does the keeper light?", collection_ids=[made], k=3)
            found = [hit["passage"] for hit in hits if "lamps" in hit["passage"]]
            assert len(found) == 1 and len(hits) == 3
            seen.add(found[0])

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asking())
        for version in versions[1:]:
            (folder / "tides.txt").write_text(version)
            await _append(client, made)
        over.set()
    assert versions[-1] in seen or len(seen) >= 2


async def test_the_same_content_twice_is_embedded_once_and_found_twice(
    start: Callable[..., Serving], folder: Path
) -> None:
    serving = start()
    client = await new_user(serving)
    me = (await client.call("GET", "auth/me"))["username"]
    text = "\n\n".join(f"Buoy {number} is painted red and rings in the swell." for number in range(200))
    (folder / "one.txt").write_text(text)
    (folder / "two.txt").write_text(text)
    made, _ = await index(client, folder)
    serving.stop()
    # A passage of it that were embedded now would end its worker, and fail the file.
    client = Client(start(env={"SEMANTIK_FAILPOINT": "embed:crash:Buoy"}).url)
    await client.sign_in(me, PASSWORD)
    (folder / "three.txt").write_text(text)
    await _append(client, made)
    found = await documents(client, made)
    assert {item["status"] for item in found.values()} == {"indexed"}
    assert len({found[name]["chunk_count"] for name in ("one.txt", "two.txt", "three.txt")}) == 1
    (folder / "one.txt").write_text(f"{text}\n\n")  # a new hash, and the same passages
    await _append(client, made)
    assert (await documents(client, made))["one.txt"]["status"] == "indexed"


async def test_one_source_or_all_are_scanned_and_an_append_that_waits_already_is_returned(
    shared: Serving, folder: Path, tmp_path: Path
) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "bees.txt").write_text("Bees dance.")
    frames = await _run(client, "POST", f"collections/{made}/sources", {"path": str(other)})
    assert frames[0]["data"]["operation_type"] == "append"
    (other / "ants.txt").write_text("Ants march.")
    (folder / "wasps.txt").write_text("Wasps sting.")
    sources = (await client.call("GET", f"collections/{made}/sources"))["items"]
    here = next(source for source in sources if source["path"] == str(other))
    assert (await _append(client, made, source_id=here["id"]))["new_documents_registered"] == 1
    assert (await _append(client, made))["new_documents_registered"] == 1
    assert len(await documents(client, made)) == 6
    with pytest.raises(Refused, match="no source"):
        await client.call("POST", f"collections/{made}/append", {"source_id": "nothing"})


async def test_a_folder_that_is_gone_holds_up_no_other(shared: Serving, folder: Path, tmp_path: Path) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "bees.txt").write_text("Bees dance.")
    await _run(client, "POST", f"collections/{made}/sources", {"path": str(other)})
    shutil.rmtree(folder)
    (other / "ants.txt").write_text("Ants march.")
    told = await _append(client, made)
    assert told["new_documents_registered"] == 1 and told["missing_documents"] == 0
    assert str(folder) in told["warnings"][0]
    assert len(await documents(client, made)) == 5
    shutil.rmtree(other)
    frames = await _run(client, "POST", f"collections/{made}/append")
    assert frames[-1]["data"]["status"] == "failed"
    assert len(await documents(client, made)) == 5
