"""Two servers that differ: an operation runs where its folder and its model are, else it waits visibly."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.api import index, new_user, refusal_of
from support.hold import held
from support.patience import patience
from support.places import FLAGS, Places
from support.two_servers import Two, owner_of

from semantik.client.api import Client
from semantik.core.models import Operation
from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.server]

_LOOK_S = 0.05


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with Two(tmp_path_factory.mktemp("places")) as two:
        yield Places(two, tmp_path_factory.mktemp("folders"))


@contextlib.asynccontextmanager
async def _store(places: Places) -> AsyncIterator[Store]:
    stores = places.two.stores
    async with Store(stores.mongo_url, stores.database) as store:
        yield store


async def _ended(store: Store, operation_id: str) -> Operation:
    return await _once(store, operation_id, lambda operation: operation.ended)


async def _once(store: Store, operation_id: str, condition: Callable[[Operation], bool]) -> Operation:
    """The operation once the condition holds."""
    while True:
        operation = await store.operations.get(operation_id)
        assert operation is not None
        if condition(operation):
            return operation
        assert not operation.ended, operation
        await asyncio.sleep(_LOOK_S)


async def _waits(client: Client, operation_id: str, sentence: str) -> dict[str, Any]:
    """The operation as REST shows it, once it says so."""
    while True:
        view: dict[str, Any] = await client.call("GET", f"operations/{operation_id}")
        if view["waiting"] == sentence:
            return view
        assert view["status"] in ("queued", "processing"), view
        await asyncio.sleep(_LOOK_S)


async def test_only_the_server_that_reads_the_folder_takes_its_operations(places: Places) -> None:
    """The other one is asked each time, and hears of it first."""
    near, far = await new_user(places.near), await new_user(places.far)
    far.token = near.token
    places.write("far", "first.txt")
    collection_id, _ = await index(far, places.folders["far"], "Far")
    async with _store(places) as store:
        for number in range(5):
            places.write("far", f"more-{number}.txt")
            accepted = await near.call("POST", f"collections/{collection_id}/append", {})
            ended = await _ended(store, accepted["operation_id"])
            assert ended.status == "completed" and owner_of(ended, places.two.servers) is places.far
            assert ended.counts.indexed == 1 and ended.waiting is None
    frames = [frame async for frame in near.watch(accepted["operation_id"])]
    assert not any(frame["data"].get("waiting") for frame in frames)


async def test_an_operation_that_no_server_can_read_waits_visibly_and_starts_with_its_folder(
    places: Places, tmp_path: Path
) -> None:
    client = await new_user(places.near)
    folder = places.folders["both"] / "wandering"
    folder.mkdir()
    (folder / "a.txt").write_text("The lamp of the pier burned all night.")
    collection_id, _ = await index(client, folder, "Wandering")
    away = folder.rename(tmp_path / "away")
    accepted = await client.call("POST", f"collections/{collection_id}/append", {})
    operation_id, sentence = accepted["operation_id"], f"No server can read {folder}."
    view = await _waits(client, operation_id, sentence)
    assert view["status"] == "queued"
    watching = asyncio.create_task(_frames(client, operation_id))
    (away / "b.txt").write_text("The keeper wrote down the weather.")
    away.rename(folder)
    frames = await watching
    assert frames[0]["type"] == "current_state" and frames[0]["data"]["waiting"] == sentence
    told = [one["data"] for one in frames if one["type"] == "operation_queued" and "waiting" in one["data"]]
    assert told[0] == {"queue_position": 0, "waiting": sentence}
    view = await client.call("GET", f"operations/{operation_id}")
    assert (view["status"], view["waiting"], view["result"]["new"]) == ("completed", None, 1)


async def _frames(client: Client, operation_id: str) -> list[dict[str, Any]]:
    return [frame async for frame in client.watch(operation_id)]


async def test_an_operation_that_waits_can_be_cancelled(places: Places) -> None:
    client = await new_user(places.near)
    folder = places.folders["both"] / "gone"
    folder.mkdir()
    collection_id, _ = await index(client, folder, "Gone")
    folder.rmdir()
    accepted = await client.call("POST", f"collections/{collection_id}/append", {})
    await _waits(client, accepted["operation_id"], f"No server can read {folder}.")
    await client.call("DELETE", f"operations/{accepted['operation_id']}")
    frames = await _frames(client, accepted["operation_id"])
    assert frames[-1]["data"]["status"] == "cancelled"


async def test_what_waits_holds_up_its_own_collection_only(places: Places) -> None:
    client = await new_user(places.near)
    folder = places.folders["both"] / "lost"
    folder.mkdir()
    collection_id, _ = await index(client, folder, "Lost")
    folder.rmdir()
    waiting = await client.call("POST", f"collections/{collection_id}/append", {})
    await _waits(client, waiting["operation_id"], f"No server can read {folder}.")
    places.write("near", "here.txt")
    _, frames = await index(client, places.folders["near"], "Near")
    assert frames[-1]["data"]["status"] == "completed"
    removed = await client.call("DELETE", f"collections/{collection_id}")
    assert removed is None
    async with _store(places) as store:
        while True:
            if await store.operations.get(waiting["operation_id"]) is None:
                break
            await asyncio.sleep(_LOOK_S)


async def test_a_source_names_the_servers_that_see_it(places: Places) -> None:
    near = await new_user(places.near)
    folder = places.folders["far"] / "named"
    folder.mkdir()
    (folder / "a.txt").write_text("The lamp of the pier burned all night.")
    body = {"name": "Named", "source_path": f"{folder}/../named/", "server": "archive"}
    refused = await refusal_of(near, "POST", "collections", {**body, "server": "attic"})
    assert refused.status == 422 and "archive" in str(refused)
    made = await near.call("POST", "collections", body)
    async with _store(places) as store:
        ended = await _ended(store, made["operation_id"])
        assert owner_of(ended, places.two.servers) is places.far and ended.counts.indexed == 1
        sources = f"collections/{made['id']}/sources"
        [source] = (await near.call("GET", sources))["items"]
        assert (source["server"], source["path"]) == ("archive", str(folder))
        # Both could read this one.
        shared = places.folders["both"] / "named"
        shared.mkdir()
        added = await near.call("POST", sources, {"path": str(shared), "server": "archive"})
        assert owner_of(await _ended(store, added["operation_id"]), places.two.servers) is places.far
        path = f"{sources}/{added['source']['id']}"
        assert (await near.call("PATCH", path, {"server": None}))["server"] is None
        assert (await near.call("PATCH", path, {"server": "archive"}))["server"] == "archive"
        assert (await refusal_of(near, "PATCH", path, {"server": "attic"})).status == 422


async def test_a_server_that_does_not_see_an_original_names_the_label_of_one_that_does(
    places: Places,
) -> None:
    far, near = await new_user(places.far), Client(places.near.url)
    near.token = far.token
    folder = places.folders["far"] / "originals"
    folder.mkdir()
    (folder / "a.txt").write_text("The lamp of the pier burned all night.")
    collection_id, _ = await index(far, folder, "Originals")
    path = f"collections/{collection_id}/documents"
    [document] = (await near.call("GET", path))["items"]
    refused = await refusal_of(near, "GET", f"{path}/{document['id']}/original")
    assert refused.status == 404
    assert str(refused).endswith("A server with the label archive may see it: ask that.")


async def test_a_model_that_is_on_no_server_is_waited_for(places: Places, tmp_path: Path) -> None:
    client = await new_user(places.near)
    folder = places.folders["both"] / "modelled"
    folder.mkdir()
    (folder / "a.txt").write_text("The lamp of the pier burned all night.")
    model = str(tmp_path / "model")
    body = {"name": "Modelled", "source_path": str(folder), "embedding_model": model}
    made = await client.call("POST", "collections", body)
    await _waits(client, made["operation_id"], f"No server has the model {model}.")
    (tmp_path / "model").mkdir()
    async with _store(places) as store:
        ended = await _ended(store, made["operation_id"])
        assert ended.started_at is not None and ended.waiting is None


async def test_the_operation_of_a_killed_server_waits_for_it(places: Places) -> None:
    """Its folder is only there; a lease of two seconds has ended long before its record counts as silent."""
    far = await new_user(places.far)
    folder = places.folders["far"] / "killed"
    folder.mkdir()
    for number in range(8):
        (folder / f"lamp-{number}.txt").write_text(f"Lamp {number} of the pier burned all night.")
    async with _store(places) as store:
        with held(folder, "lamp-[5-7].txt"):
            made = await far.call("POST", "collections", {"name": "Killed", "source_path": str(folder)})
            await _once(store, made["operation_id"], lambda operation: operation.stage is not None)
            places.far.kill()
        near = Client(places.near.url, far.token)
        view = await _waits(near, made["operation_id"], f"No server can read {folder}.")
        assert view["status"] == "processing"
        watching = asyncio.create_task(_frames(near, made["operation_id"]))
        places.restart_far()
        frames = await watching
        assert frames[-1]["data"]["status"] == "completed"
        ended = await _ended(store, made["operation_id"])
        assert ended.counts.indexed == 8 and owner_of(ended, places.two.servers) is places.far


async def _failed(client: Client, folder: Path) -> list[dict[str, Any]]:
    """The messages of a scan of a folder that has vanished, which fails with the sentence of always."""
    folder.mkdir()
    collection_id, _ = await index(client, folder, "Vanished")
    folder.rmdir()
    accepted = await client.call("POST", f"collections/{collection_id}/append", {})
    frames = await _frames(client, accepted["operation_id"])
    view = await client.call("GET", f"operations/{accepted['operation_id']}")
    assert view["error_message"] == f"There is no folder {folder} on the server's machine."
    return [frame["data"] for frame in frames]


async def test_after_the_wait_it_ends_with_its_error(tmp_path: Path) -> None:
    with Two(tmp_path) as two:
        first, _ = two.start(*FLAGS, "--operations-unreadable-wait-s", "1")
        folder = tmp_path / "vanished"
        told = await _failed(await new_user(first), folder)
        assert any(data.get("waiting") == f"No server can read {folder}." for data in told)


async def test_the_only_server_does_not_wait_for_another(tmp_path: Path) -> None:
    with Two(tmp_path) as two:
        alone = two.start_one("first", *FLAGS)
        two.servers.append(alone)
        told = await _failed(await new_user(alone), tmp_path / "vanished")
        assert not any(data.get("waiting") for data in told)


async def test_the_first_sign_of_life_after_a_kill(places: Places) -> None:
    client = await new_user(places.near)
    folder = places.folders["both"] / "taken"
    folder.mkdir()
    for number in range(8):
        (folder / f"lamp-{number}.txt").write_text(f"Lamp {number} of the pier burned all night.")
    async with _store(places) as store:
        with held(folder, "lamp-[5-7].txt"):
            made = await client.call("POST", "collections", {"name": "Taken", "source_path": str(folder)})
            begun = await _once(store, made["operation_id"], lambda operation: operation.stage is not None)
            owner = owner_of(begun, places.two.servers)
            survivor = places.near if owner is places.far else places.far
            watching = Client(survivor.url, client.token).watch(made["operation_id"])
            assert (await anext(watching))["type"] == "current_state"
            owner.kill()
            killed = time.monotonic()
            async for frame in watching:
                if frame["type"] == "status_update" and "waiting" in frame["data"]:
                    break
            assert time.monotonic() - killed < patience(2 + 3)
        rest = [frame async for frame in watching]
        assert rest[-1]["data"]["status"] == "completed"
        ended = await _ended(store, made["operation_id"])
        assert ended.counts.indexed == 8
