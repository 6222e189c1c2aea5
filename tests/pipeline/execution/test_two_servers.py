"""Two servers on one Redis and one MongoDB: watchers may use either, and when one is killed the other takes over."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from support.api import ask, documents, index, new_user
from support.hold import held
from support.server import Serving, Stores, complaints
from support.two_servers import Two, owner_of
from support.watchers import Watcher, same_story

from semantik.client.api import Client
from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.server]

FILES = 160


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with Two(tmp_path) as servers:
        yield servers


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(FILES):
        lines = [f"Lamp {number} of pier {part} burned for {number * part} hours." for part in range(8)]
        (folder / f"lamp-{number:03}.txt").write_text("\n\n".join(lines))
    return folder


async def test_the_other_server_takes_over_after_a_kill(two: Two, tmp_path: Path) -> None:
    flags = ("--auth-registration", "open", "--operations-lease-s", "3", "--progress-linger-s", "0.5")
    limits = (
        "--sockets-per-user",
        "500",
        "--sockets-per-operation",
        "500",
        "--progress-updates-per-s",
        "200",
    )
    first, second = two.start(*flags, *limits)
    client = await new_user(first)
    folder = _folder(tmp_path)
    rng = random.Random(2026)
    # The last files wait, so that the kill comes in the middle of the operation.
    holding = contextlib.ExitStack()
    holding.enter_context(held(folder, "lamp-15*.txt"))
    made = await client.call("POST", "collections", {"name": "Lamps", "source_path": str(folder)})
    urls = [first.url, second.url]
    watchers = [
        Watcher(
            urls[::-1] if number % 2 else urls,
            client.token,
            made["operation_id"],
            lambda: rng.randint(5, 120),
        )
        for number in range(50)
    ]
    async with asyncio.TaskGroup() as following:
        for watcher in watchers:
            following.create_task(watcher.follow())
        owner = await _owner_in_the_middle(two.stores, made["operation_id"], (first, second))
        children = owner.tree[1:]
        owner.kill()
        holding.close()
    survivor = second if owner is first else first
    same_story(watchers)
    assert not [child for child in children if child.is_running() and child.status() != "zombie"]

    survivor_client = Client(survivor.url, client.token)
    messages = [message async for message in survivor_client.watch(made["operation_id"])]
    assert [m["id"] for m in messages if "id" in m] == [key for key, _, _ in watchers[0].story]
    await _assert_indexed_once(survivor_client, made["id"], folder)
    assert not complaints(survivor, crowded=True)


async def _owner_in_the_middle(stores: Stores, operation_id: str, servers: Sequence[Serving]) -> Serving:
    """The server that runs the operation, once a third of it is done."""
    async with Store(stores.mongo_url, stores.database) as store:
        while True:
            operation = await store.operations.get(operation_id)
            assert operation is not None
            assert not operation.ended, "the kill must come in the middle"
            if operation.counts.processed > FILES / 3:
                break
            await asyncio.sleep(0.05)
    return owner_of(operation, servers)


async def _assert_indexed_once(client: Client, collection_id: str, folder: Path) -> None:
    """The collection equals that of an undisturbed run, and all of it is found."""
    view = await client.call("GET", f"collections/{collection_id}")
    undisturbed_id, _ = await index(client, folder, "Undisturbed")
    undisturbed = await client.call("GET", f"collections/{undisturbed_id}")
    for count in ("document_count", "failed_count", "chunk_count"):
        assert view[count] == undisturbed[count]
    assert view["document_count"] == FILES
    found = await documents(client, collection_id)
    assert {item["status"] for item in found.values()} == {"indexed"}
    assert len(found) == FILES
    assert (
        sum(item["chunk_count"] for item in found.values()) == view["chunk_count"] == view["stats"]["vectors"]
    )
    for number in (0, FILES // 2, FILES - 1):
        text = (folder / f"lamp-{number:03}.txt").read_text()
        hits = await ask(client, text, k=1, collection_ids=[collection_id])
        assert hits[0]["document"]["name"] == f"lamp-{number:03}.txt"
