"""REINDEX: cut and embedded anew beside what is searched, exchanged in one step, and no search fails meanwhile."""

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

pytestmark = [pytest.mark.gen_test, pytest.mark.real_model]


def _folder(tmp_path: Path, count: int = 12) -> Path:
    home = tmp_path / "almanac"
    home.mkdir()
    for number in range(count):
        lines = [
            f"Year {number}, week {week}: the harvest of field {number * week} was weighed."
            for week in range(30)
        ]
        (home / f"year-{number:02}.txt").write_text("\n\n".join(lines))
    return home


async def _reindex(client: Client, collection_id: str, **wish: Any) -> list[dict[str, Any]]:
    accepted = await client.call("POST", f"collections/{collection_id}/reindex", wish)
    return [frame async for frame in client.watch(accepted["operation_id"])]


def _kinds(frames: list[dict[str, Any]]) -> list[str]:
    kinds: list[str] = []
    for frame in frames:
        if frame["type"] not in kinds:
            kinds.append(frame["type"])
    return kinds


async def _rows(serving: Serving, table: str, where: dict[str, Any]) -> list[dict[str, Any]]:
    stores = serving.stores
    async with AsyncMongoClient(stores.mongo_url) as client:
        return await client[stores.database][table].find(where).to_list()


async def test_the_stages_come_in_order_and_progress_never_falls(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start("--reindex-grace-s", "0")
    client = await new_user(serving)
    made, _ = await index(client, _folder(tmp_path))
    before = await documents(client, made)
    frames = await _reindex(client, made, chunk_size=40)
    stages = ["reindex_preflight", "staging_created", "validation_complete", "reindex_completed"]
    assert [kind for kind in _kinds(frames) if kind in stages] == stages
    kinds = [frame["type"] for frame in frames]
    assert (
        kinds.index("staging_created")
        < kinds.index("reprocessing_progress")
        < kinds.index("validation_complete")
    )
    percents = [
        f["data"]["progress_percent"] for f in frames if f["data"].get("progress_percent") is not None
    ]
    assert percents == sorted(percents) and percents[-1] == 100
    weights = [next(f["data"]["progress_percent"] for f in frames if f["type"] == stage) for stage in stages]
    assert weights == [10, 20, 90, 100]
    after = await documents(client, made)
    assert {name: one["content_hash"] for name, one in after.items()} == {
        name: one["content_hash"] for name, one in before.items()
    }
    view = await client.call("GET", f"collections/{made}")
    assert (view["chunk_size"], view["generation"], view["document_count"]) == (40, 2, 12)
    assert (
        view["chunk_count"] == sum(one["chunk_count"] for one in after.values()) == view["stats"]["vectors"]
    )
    assert view["chunk_count"] > sum(one["chunk_count"] for one in before.values())
    record = await client.call("GET", f"operations/{frames[0]['operation_id']}")
    assert [stage["name"] for stage in record["stages"]] == stages
    assert record["settings"]["chunk_size"] == 40 and record["options"] == {"chunk_size": 40}
    # The old generation goes by itself.
    old = serving.data / "index" / made / "1"
    async with deadline():
        while True:
            if not await _rows(serving, "chunks", {"generation": 1}) and not old.exists():
                break
            await asyncio.sleep(0.1)
    assert not await _rows(serving, "documents", {"generation": 1})


async def test_no_search_fails_or_mixes_generations_while_it_runs(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    made, _ = await index(client, _folder(tmp_path))
    before = {one["id"] for one in (await documents(client, made)).values()}
    answers: list[str] = []
    over = asyncio.Event()

    async def asking() -> None:
        answers_after = 3
        while answers_after:
            answers_after -= over.is_set()
            hits = await ask(client, "How was the harvest weighed?", collection_ids=[made], k=10)
            assert len(hits) == 10
            [generation] = {"old" if hit["document"]["id"] in before else "new" for hit in hits}
            answers.append(generation)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asking())
        frames = await _reindex(client, made, chunk_size=24, chunk_overlap=0)
        over.set()
    assert frames[-1]["data"]["status"] == "completed"
    assert set(answers) == {"new", "old"}
    assert answers == sorted(answers, reverse=True), "back to the old generation"


async def test_what_did_not_change_is_not_embedded_again(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    # Every passage would end its worker if it were embedded, once the first INDEX is over.
    serving = start()
    client = await new_user(serving)
    me = (await client.call("GET", "auth/me"))["username"]
    folder = _folder(tmp_path, 3)
    made, _ = await index(client, folder)
    serving.stop()
    serving = start("--reindex-sample", "0", env={"SEMANTIK_FAILPOINT": "embed:crash:harvest of field 0"})
    client = Client(serving.url)
    await client.sign_in(me, "a good password")
    view = await client.call("GET", f"collections/{made}")
    frames = await _reindex(client, made)
    assert frames[-1]["data"]["status"] == "completed"
    again = await client.call("GET", f"collections/{made}")
    assert (again["chunk_count"], again["failed_count"], again["generation"]) == (view["chunk_count"], 0, 2)


async def test_files_that_have_vanished_keep_their_passages(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = _folder(tmp_path, 3)
    made, _ = await index(client, folder)
    (folder / "year-01.txt").unlink()
    for size in (40, 40, 120):
        frames = await _reindex(client, made, chunk_size=size)
        assert frames[-1]["data"]["status"] == "completed"
        found = await documents(client, made)
        assert {one["status"] for one in found.values()} == {"indexed"} and len(found) == 3
        gone = found["year-01.txt"]
        content = await client.call("GET", f"collections/{made}/documents/{gone['id']}/content")
        assert "Year 1, week 29: the harvest of field 29 was weighed." in content["text"]


async def test_one_that_fails_or_is_cancelled_leaves_no_trace(shared: Serving, tmp_path: Path) -> None:
    serving = shared
    client = await new_user(serving)
    folder = _folder(tmp_path, 60)
    made, _ = await index(client, folder)
    before = await client.call("GET", f"collections/{made}")
    rows = len(await _rows(serving, "chunks", {"collection_id": made}))
    frames = await _reindex(client, made, embedding_model="/no/such/model")
    assert frames[-1]["data"]["status"] == "failed"
    accepted = await client.call(
        "POST", f"collections/{made}/reindex", {"chunk_size": 16, "chunk_overlap": 0}
    )
    async for frame in client.watch(accepted["operation_id"]):
        if frame["type"] == "reprocessing_progress":
            await client.call("DELETE", f"operations/{accepted['operation_id']}")
            break
    frames = [frame async for frame in client.watch(accepted["operation_id"])]
    end = next(frame for frame in frames if frame["type"].startswith("operation_c"))
    assert end["type"] == "operation_cancelled" and "unchanged" in end["data"]["message"]
    after = await client.call("GET", f"collections/{made}")
    assert {**after, "updated_at": None} == {**before, "updated_at": None}
    assert len(await _rows(serving, "chunks", {"collection_id": made})) == rows
    assert len(await _rows(serving, "documents", {"collection_id": made})) == 60
    assert [path.name for path in (serving.data / "index" / made).iterdir()] == ["1"]
    assert len(await ask(client, "harvest", collection_ids=[made], k=5)) == 5
    await _reindex(client, made)
    after = await client.call("GET", f"collections/{made}")
    assert after["generation"] == 3, "another server may still have an index of the one that was given up"


async def test_an_append_that_is_asked_for_meanwhile_waits_in_line_and_then_finds_its_file(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    folder = _folder(tmp_path)
    made, _ = await index(client, folder)
    accepted = await client.call(
        "POST", f"collections/{made}/reindex", {"chunk_size": 30, "chunk_overlap": 5}
    )
    (folder / "new.txt").write_text("A comet was seen over the barn.")
    waiting = await client.call("POST", f"collections/{made}/append", {})
    again = await client.call("POST", f"collections/{made}/append", {})
    frames = [frame async for frame in client.watch(waiting["operation_id"])]
    queued = [frame["data"]["queue_position"] for frame in frames if frame["type"] == "operation_queued"]
    assert queued[0] >= 1 and queued == sorted(queued, reverse=True)
    assert again["operation_id"] == waiting["operation_id"]
    reindexed = await client.call("GET", f"operations/{accepted['operation_id']}")
    assert reindexed["status"] == "completed"
    hit = (await ask(client, "What was seen over the barn?", collection_ids=[made], k=1))[0]
    assert hit["document"]["name"] == "new.txt"
    view = await client.call("GET", f"collections/{made}")
    assert (view["chunk_size"], view["document_count"]) == (30, 13)


async def test_one_that_is_cancelled_in_the_line_leaves_the_running_one_alone(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    made, _ = await index(client, _folder(tmp_path, 60))
    running = await client.call("POST", f"collections/{made}/reindex", {"chunk_size": 24, "chunk_overlap": 0})
    async for frame in client.watch(running["operation_id"]):
        if frame["type"] == "reprocessing_progress":
            break
    source = (await client.call("GET", f"collections/{made}/sources"))["items"][0]
    waiting = [
        await client.call("POST", f"collections/{made}/reindex", {"chunk_size": 99}),
        await client.call("DELETE", f"collections/{made}/sources/{source['id']}"),
        await client.call("POST", f"collections/{made}/append", {}),
    ]
    for one in waiting:
        await client.call("DELETE", f"operations/{one['operation_id']}")
    for one in waiting:
        frames = [frame async for frame in client.watch(one["operation_id"])]
        assert frames[-1]["data"]["status"] == "cancelled"
    frames = [frame async for frame in client.watch(running["operation_id"])]
    assert frames[-1]["data"]["status"] == "completed"
    view = await client.call("GET", f"collections/{made}")
    assert (view["chunk_size"], view["document_count"]) == (24, 60)
    [source] = (await client.call("GET", f"collections/{made}/sources"))["items"]
    assert source["removing"] is False


async def test_one_that_would_lose_documents_is_refused_by_its_validation(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    folder = _folder(tmp_path)
    made, _ = await index(client, folder)
    before = await documents(client, made)
    for number in range(3):
        (folder / f"year-{number:02}.txt").write_bytes(b"\x00\x01\x02" * 500)
    frames = await _reindex(client, made, chunk_size=40)
    end = next(frame["data"] for frame in frames if frame["type"] == "operation_failed")
    assert "3 of 12 documents that are found now would be lost" in end["error_message"]
    assert "(3; the operation's failures tell why), or are empty now (0)" in end["error_message"]
    failures = await client.call("GET", f"operations/{frames[0]['operation_id']}/failures")
    assert len(failures["items"]) == 3
    assert await documents(client, made) == before
    assert (await client.call("GET", f"collections/{made}"))["chunk_size"] == 200
    assert len(await ask(client, "harvest", collection_ids=[made], k=12)) == 12


async def test_passages_are_taken_over_from_the_same_reader_and_made_anew_by_another(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    made, _ = await index(client, _folder(tmp_path, 3))
    [first, *_] = await _rows(shared, "chunks", {"collection_id": made})
    stores = shared.stores
    async with AsyncMongoClient(stores.mongo_url) as mongo:
        base = mongo[stores.database]
        # No file says so: it can only have been taken over.
        await base["chunks"].update_one({"_id": first["_id"]}, {"$set": {"heading": "Taken over"}})
        await _reindex(client, made)
        taken = await _rows(shared, "chunks", {"collection_id": made, "generation": 2})
        assert [one["text"] for one in taken if one["heading"] == "Taken over"] == [first["text"]]
        await base["collections"].update_one(
            {"_id": made}, {"$set": {"generations.g2.reader": "an older one"}}
        )
        await _reindex(client, made)
    anew = await _rows(shared, "chunks", {"collection_id": made, "generation": 3})
    assert len(anew) == len(taken)
    assert not any(one["heading"] == "Taken over" for one in anew)
