"""The main job end to end on a real server: index a folder, receive messages, search, kill, restart, search again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD, ask, documents, index
from support.server import SAMPLES, SETUP_CODE, Serving

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.real_model]

STAGES = [
    "operation_queued",
    "operation_started",
    "scanning_documents",
    "scanning_completed",
    "processing_embeddings",
    "document_processed",
    "index_completed",
    "operation_completed",
    "status_update",
]


async def test_an_indexed_folder_is_searchable_before_and_after_a_kill(start: Callable[..., Serving]) -> None:
    serving = start("--progress-linger-s", "0.2")
    client = await _first_user(serving)
    collection_id, messages = await index(client, SAMPLES)
    _check_messages(messages)
    await _check_search(client, collection_id)
    children = serving.tree[1:]
    serving.kill()

    again = start()
    client = Client(again.url)
    await client.sign_in("admin", PASSWORD)
    await _check_search(client, collection_id)
    assert not [child for child in children if child.is_running() and child.status() != "zombie"]
    view = await client.call("GET", f"collections/{collection_id}")
    assert view["status"] == "ready"
    assert view["stats"]["vectors"] == view["chunk_count"] > 0


async def test_a_server_killed_while_indexing_resumes_the_operation(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(300):
        text = "\n\n".join(
            f"Note {number}.{part}: the tide was at {number * part} today." for part in range(8)
        )
        (folder / f"note-{number:03}.txt").write_text(text)
    serving = start()
    client = await _first_user(serving)
    made = await client.call("POST", "collections", {"name": "Notes", "source_path": str(folder)})
    seen: list[dict[str, Any]] = []
    async for message in client.watch(made["operation_id"]):
        seen.append(message)
        if message["type"] == "document_processed":
            # A document is searchable as soon as its message is published.
            path = message["data"]["current_file"]
            hits = await ask(client, Path(path).read_text(), k=1)
            assert hits[0]["document"]["path"] == path
            break
    done = seen[-1]["data"]["processed"]
    assert 0 < done < 300, "the kill must come before the operation ends"
    serving.kill()

    again = start("--progress-linger-s", "0.2")
    client = Client(again.url)
    await client.sign_in("admin", PASSWORD)
    last = seen[-1]["id"]
    rest = [message async for message in client.watch(made["operation_id"], since=last)]
    _check_messages(seen + rest)
    view = await client.call("GET", f"collections/{made['id']}")
    assert (view["document_count"], view["failed_count"]) == (300, 0)
    assert view["stats"]["vectors"] == view["chunk_count"]
    found = await documents(client, made["id"])
    assert sum(item["chunk_count"] for item in found.values()) == view["chunk_count"]
    assert {item["status"] for item in found.values()} == {"indexed"}
    hits = await ask(client, "Note 217.5: the tide was at 1085 today.", k=1)
    assert hits[0]["document"]["name"] == "note-217.txt"


async def _first_user(serving: Serving) -> Client:
    client = Client(serving.url)
    await client.register("admin", PASSWORD, SETUP_CODE)
    await client.sign_in("admin", PASSWORD)
    return client


def _check_messages(messages: list[dict[str, Any]]) -> None:
    """The snapshot comes first, stages are in order, seqs have no gap, one message is terminal, both forms agree."""
    assert messages[0]["type"] == "current_state"
    kinds = [message["type"] for message in messages]
    positions = [kinds.index(stage) for stage in STAGES[:-1]]
    assert positions == sorted(positions)
    assert kinds[-1] == "status_update"
    assert messages[-1]["data"]["status"] == "completed"
    assert (
        sum(kind in ("operation_completed", "operation_failed", "operation_cancelled") for kind in kinds) == 1
    )
    stream = [message for message in messages if "seq" in message]
    assert [message["seq"] for message in stream] == list(range(1, len(stream) + 1))
    percents = [m["data"]["progress_percent"] for m in stream if "progress_percent" in m["data"]]
    assert percents == sorted(percents)
    for message in messages:
        envelope = {"type", "timestamp", "id", "seq", "operation_id"}
        assert all(message[key] == value for key, value in message["data"].items() if key not in envelope)


async def _check_search(client: Client, collection_id: str) -> None:
    hits = await ask(client, "What do we do when the generator fails?", collection_ids=[collection_id])
    assert hits[0]["document"]["name"] == "power-and-heating.pdf"
    assert -1 <= hits[0]["score"] <= 1
    assert hits[0]["page"]
    document = hits[0]["document"]["id"]
    path = f"collections/{collection_id}/documents/{document}/content"
    start, end = hits[0]["start"], hits[0]["end"]
    content = await client.call("GET", path, offset=start, limit=end - start)
    assert content["text"] == hits[0]["passage"]


async def test_large_segments_are_searched_with_a_calibrated_engine_and_true_cosines(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    animals = ("heron", "otter", "badger", "lynx", "raven", "salmon", "viper", "hare", "owl", "beetle")
    places = ("river", "forest", "ridge", "meadow", "harbour", "quarry", "cellar", "orchard")
    for number in range(480):
        animal, place = animals[number % 10], places[number // 10 % 8]
        text = f"Sighting {number}: a {animal} was seen near the {place} at {number % 24} o'clock."
        (folder / f"sighting-{number:03}.txt").write_text(text)
    # One segment is built after the last chunks: an engine for fewer chunks would score most of them.
    flags = ("--index-exact-below", "440", "--index-tail-rows", "450", "--progress-linger-s", "0.2")
    serving = start(*flags)
    client = await _first_user(serving)
    collection_id, _ = await index(client, folder)
    stats: dict[str, Any] = {}
    while not stats.get("measured_recall"):  # the merge runs in the background
        stats = (await client.call("GET", f"collections/{collection_id}"))["stats"]
        await asyncio.sleep(0.1)
    assert stats["engine"] == "codes" and stats["measured_recall"] >= 0.95 and stats["vectors"] == 480
    hits = await ask(client, "Sighting 137: a hare was seen near the orchard at 17 o'clock.", k=5)
    assert -1 <= hits[-1]["score"] <= hits[0]["score"] <= 1
    text = (folder / "sighting-137.txt").read_text()
    exact = await ask(client, text, k=1)
    assert exact[0]["passage"] == text and exact[0]["score"] > 0.99
    filtered = await ask(client, text, k=3, filters={"path_glob": "sighting-2*.txt"})
    assert filtered and all(hit["document"]["name"].startswith("sighting-2") for hit in filtered)
