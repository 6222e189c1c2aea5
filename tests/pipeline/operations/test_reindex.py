"""REINDEX: a new generation is built beside the searched one and replaces it in one step; no search fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from support.api import ask, documents, index, new_user
from support.patience import deadline
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


def _folder(tmp_path: Path, count: int = 12) -> Path:
    root = tmp_path / "almanac"
    root.mkdir()
    for number in range(count):
        lines = [
            f"Year {number}, week {week}: the harvest of field {number * week} was weighed."
            for week in range(30)
        ]
        (root / f"year-{number:02}.txt").write_text("\n\n".join(lines))
    return root


async def _reindex(client: Client, collection_id: str, **options: Any) -> list[dict[str, Any]]:
    accepted = await client.call("POST", f"collections/{collection_id}/reindex", options)
    return [message async for message in client.watch(accepted["operation_id"])]


def _distinct_types(messages: list[dict[str, Any]]) -> list[str]:
    kinds: list[str] = []
    for message in messages:
        if message["type"] not in kinds:
            kinds.append(message["type"])
    return kinds


async def _rows(serving: Serving, table: str, where: dict[str, Any]) -> list[dict[str, Any]]:
    stores = serving.stores
    async with AsyncMongoClient(stores.mongo_url) as client:
        return await client[stores.database][table].find(where).to_list()


async def test_stages_are_in_order_and_progress_never_decreases(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start("--reindex-grace-s", "0")
    client = await new_user(serving)
    collection_id, _ = await index(client, _folder(tmp_path))
    before = await documents(client, collection_id)
    messages = await _reindex(client, collection_id, chunk_size=40)
    stages = ["reindex_preflight", "staging_created", "validation_complete", "reindex_completed"]
    assert [kind for kind in _distinct_types(messages) if kind in stages] == stages
    kinds = [message["type"] for message in messages]
    assert (
        kinds.index("staging_created")
        < kinds.index("reprocessing_progress")
        < kinds.index("validation_complete")
    )
    percents = [
        m["data"]["progress_percent"] for m in messages if m["data"].get("progress_percent") is not None
    ]
    assert percents == sorted(percents) and percents[-1] == 100
    stage_percents = [
        next(m["data"]["progress_percent"] for m in messages if m["type"] == stage) for stage in stages
    ]
    assert stage_percents == [10, 20, 90, 100]
    after = await documents(client, collection_id)
    assert {name: one["content_hash"] for name, one in after.items()} == {
        name: one["content_hash"] for name, one in before.items()
    }
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["chunk_size"], view["generation"], view["document_count"]) == (40, 2, 12)
    assert (
        view["chunk_count"] == sum(one["chunk_count"] for one in after.values()) == view["stats"]["vectors"]
    )
    assert view["chunk_count"] > sum(one["chunk_count"] for one in before.values())
    record = await client.call("GET", f"operations/{messages[0]['operation_id']}")
    assert [stage["name"] for stage in record["stages"]] == stages
    assert record["settings"]["chunk_size"] == 40 and record["options"] == {"chunk_size": 40}
    # The old generation is deleted in the background.
    old = serving.data / "index" / collection_id / "1"
    async with deadline():
        while True:
            if not await _rows(serving, "chunks", {"generation": 1}) and not old.exists():
                break
            await asyncio.sleep(0.1)
    assert not await _rows(serving, "documents", {"generation": 1})


@pytest.mark.real_model
async def test_no_search_fails_or_mixes_generations_during_a_reindex(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, _folder(tmp_path))
    before = {one["id"] for one in (await documents(client, collection_id)).values()}
    generations: list[str] = []
    completed = asyncio.Event()

    async def search_repeatedly() -> None:
        remaining = 3
        while remaining:
            remaining -= completed.is_set()
            hits = await ask(client, "How was the harvest weighed?", collection_ids=[collection_id], k=10)
            assert len(hits) == 10
            [generation] = {"old" if hit["document"]["id"] in before else "new" for hit in hits}
            generations.append(generation)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(search_repeatedly())
        messages = await _reindex(client, collection_id, chunk_size=24, chunk_overlap=0)
        completed.set()
    assert messages[-1]["data"]["status"] == "completed"
    assert set(generations) == {"new", "old"}
    assert generations == sorted(generations, reverse=True), "back to the old generation"


async def test_unchanged_chunks_are_not_embedded_again(start: Callable[..., Serving], tmp_path: Path) -> None:
    # After the first INDEX, the failpoint kills any worker that embeds one of these chunks.
    serving = start()
    client = await new_user(serving)
    username = (await client.call("GET", "auth/me"))["username"]
    folder = _folder(tmp_path, 3)
    collection_id, _ = await index(client, folder)
    serving.stop()
    serving = start("--reindex-sample", "0", env={"SEMANTIK_FAILPOINT": "embed:crash:harvest of field 0"})
    client = Client(serving.url)
    await client.sign_in(username, "a good password")
    view = await client.call("GET", f"collections/{collection_id}")
    messages = await _reindex(client, collection_id)
    assert messages[-1]["data"]["status"] == "completed"
    again = await client.call("GET", f"collections/{collection_id}")
    assert (again["chunk_count"], again["failed_count"], again["generation"]) == (view["chunk_count"], 0, 2)


async def test_deleted_files_keep_their_chunks(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = _folder(tmp_path, 3)
    collection_id, _ = await index(client, folder)
    (folder / "year-01.txt").unlink()
    for size in (40, 40, 120):
        messages = await _reindex(client, collection_id, chunk_size=size)
        assert messages[-1]["data"]["status"] == "completed"
        found = await documents(client, collection_id)
        assert {one["status"] for one in found.values()} == {"indexed"} and len(found) == 3
        deleted = found["year-01.txt"]
        content = await client.call("GET", f"collections/{collection_id}/documents/{deleted['id']}/content")
        assert "Year 1, week 29: the harvest of field 29 was weighed." in content["text"]


@pytest.mark.real_model
async def test_a_failed_or_cancelled_reindex_changes_nothing(shared: Serving, tmp_path: Path) -> None:
    serving = shared
    client = await new_user(serving)
    folder = _folder(tmp_path, 200)  # two batches: the first message comes before the end
    collection_id, _ = await index(client, folder)
    before = await client.call("GET", f"collections/{collection_id}")
    rows = len(await _rows(serving, "chunks", {"collection_id": collection_id}))
    messages = await _reindex(client, collection_id, embedding_model="/no/such/model")
    assert messages[-1]["data"]["status"] == "failed"
    accepted = await client.call(
        "POST", f"collections/{collection_id}/reindex", {"chunk_size": 16, "chunk_overlap": 0}
    )
    async for message in client.watch(accepted["operation_id"]):
        if message["type"] == "reprocessing_progress":
            await client.call("DELETE", f"operations/{accepted['operation_id']}")
            break
    messages = [message async for message in client.watch(accepted["operation_id"])]
    end = next(message for message in messages if message["type"].startswith("operation_c"))
    assert end["type"] == "operation_cancelled" and "unchanged" in end["data"]["message"]
    after = await client.call("GET", f"collections/{collection_id}")
    for each in (before, after):
        del (
            each["updated_at"],
            each["stats"]["keywords"]["bytes"],
        )  # a commit to the disk may come at any time
    assert after == before
    assert len(await _rows(serving, "chunks", {"collection_id": collection_id})) == rows
    assert len(await _rows(serving, "documents", {"collection_id": collection_id})) == 200
    assert [path.name for path in (serving.data / "index" / collection_id).iterdir()] == ["1"]
    assert len(await ask(client, "harvest", collection_ids=[collection_id], k=5)) == 5
    await _reindex(client, collection_id)
    after = await client.call("GET", f"collections/{collection_id}")
    assert after["generation"] == 3, "another server may still have an index of the discarded generation"


@pytest.mark.real_model
async def test_an_append_during_a_reindex_is_queued_and_indexes_its_file(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    folder = _folder(tmp_path)
    collection_id, _ = await index(client, folder)
    accepted = await client.call(
        "POST", f"collections/{collection_id}/reindex", {"chunk_size": 30, "chunk_overlap": 5}
    )
    (folder / "new.txt").write_text("A comet was seen over the barn.")
    waiting = await client.call("POST", f"collections/{collection_id}/append", {})
    again = await client.call("POST", f"collections/{collection_id}/append", {})
    messages = [message async for message in client.watch(waiting["operation_id"])]
    queued = [
        message["data"]["queue_position"] for message in messages if message["type"] == "operation_queued"
    ]
    assert queued[0] >= 1 and queued == sorted(queued, reverse=True)
    assert again["operation_id"] == waiting["operation_id"]
    reindexed = await client.call("GET", f"operations/{accepted['operation_id']}")
    assert reindexed["status"] == "completed"
    hit = (await ask(client, "What was seen over the barn?", collection_ids=[collection_id], k=1))[0]
    assert hit["document"]["name"] == "new.txt"
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["chunk_size"], view["document_count"]) == (30, 13)


@pytest.mark.real_model
async def test_cancelling_queued_operations_does_not_affect_the_running_one(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, _folder(tmp_path, 60))
    running = await client.call(
        "POST", f"collections/{collection_id}/reindex", {"chunk_size": 24, "chunk_overlap": 0}
    )
    async for message in client.watch(running["operation_id"]):
        if message["type"] == "reprocessing_progress":
            break
    source = (await client.call("GET", f"collections/{collection_id}/sources"))["items"][0]
    waiting = [
        await client.call("POST", f"collections/{collection_id}/reindex", {"chunk_size": 99}),
        await client.call("DELETE", f"collections/{collection_id}/sources/{source['id']}"),
        await client.call("POST", f"collections/{collection_id}/append", {}),
    ]
    for one in waiting:
        await client.call("DELETE", f"operations/{one['operation_id']}")
    for one in waiting:
        messages = [message async for message in client.watch(one["operation_id"])]
        assert messages[-1]["data"]["status"] == "cancelled"
    messages = [message async for message in client.watch(running["operation_id"])]
    assert messages[-1]["data"]["status"] == "completed"
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["chunk_size"], view["document_count"]) == (24, 60)
    [source] = (await client.call("GET", f"collections/{collection_id}/sources"))["items"]
    assert source["removing"] is False


async def test_a_reindex_that_would_lose_documents_fails_its_validation(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    folder = _folder(tmp_path)
    collection_id, _ = await index(client, folder)
    before = await documents(client, collection_id)
    for number in range(3):
        (folder / f"year-{number:02}.txt").write_bytes(b"\x00\x01\x02" * 500)
    messages = await _reindex(client, collection_id, chunk_size=40)
    end = next(message["data"] for message in messages if message["type"] == "operation_failed")
    assert "3 of 12 documents that are found now would be lost" in end["error_message"]
    assert "(3; the operation's failures tell why), or are empty now (0)" in end["error_message"]
    failures = await client.call("GET", f"operations/{messages[0]['operation_id']}/failures")
    assert len(failures["items"]) == 3
    assert await documents(client, collection_id) == before
    assert (await client.call("GET", f"collections/{collection_id}"))["chunk_size"] == 200
    assert len(await ask(client, "harvest", collection_ids=[collection_id], k=12)) == 12


async def test_chunks_are_reused_with_the_same_reader_version_and_rebuilt_with_another(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, _folder(tmp_path, 3))
    [first, *_] = await _rows(shared, "chunks", {"collection_id": collection_id})
    stores = shared.stores
    async with AsyncMongoClient(stores.mongo_url) as mongo:
        base = mongo[stores.database]
        # No file has this heading, so a chunk that has it was reused.
        await base["chunks"].update_one({"_id": first["_id"]}, {"$set": {"heading": "Taken over"}})
        await _reindex(client, collection_id)
        reused = await _rows(shared, "chunks", {"collection_id": collection_id, "generation": 2})
        assert [one["text"] for one in reused if one["heading"] == "Taken over"] == [first["text"]]
        await base["documents"].update_many(
            {"collection_id": collection_id, "generation": 2}, {"$set": {"reader": "an older one"}}
        )
        await _reindex(client, collection_id)
    rebuilt = await _rows(shared, "chunks", {"collection_id": collection_id, "generation": 3})
    assert len(rebuilt) == len(reused)
    assert not any(one["heading"] == "Taken over" for one in rebuilt)
