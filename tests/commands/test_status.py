"""`semantik-status` as a process: beside a running server, after its end, and with unreachable stores."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.api import PASSWORD, index
from support.patience import deadline, patience
from support.redis_server import RedisServer
from support.scripts import script
from support.server import SETUP_CODE, Serving
from support.two_servers import MongoServer

from semantik import __version__
from semantik.client.api import Client
from semantik.commands.store_connection import open_stores
from semantik.config.settings import Settings
from semantik.core.models import Counts, Operation, new_id, now

pytestmark = pytest.mark.gen_test


async def _status(data: Path, *words: str) -> tuple[int, dict[str, Any]]:
    ended = await script("status", data, "--json", *words)
    assert ended.err == ""
    return ended.status, json.loads(ended.out)


async def _idle_status(data: Path) -> tuple[int, dict[str, Any]]:
    """The status once the heartbeat of the server, sent every five seconds, counts no running operation."""
    async with deadline():
        while True:
            status, report = await _status(data)
            if not any(instance["running"] for instance in report["instances"]):
                return status, report
            await asyncio.sleep(0.2)


async def _index_two_documents(serving: Serving, folder: Path) -> str:
    """Index a collection with two documents for the user ann; returns its id."""
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(f"The lamp {name} of the pier burned all night.")
    client = Client(serving.url)
    await client.register("ann", PASSWORD, SETUP_CODE)
    await client.sign_in("ann", PASSWORD)
    collection_id, _ = await index(client, folder, "Lamps")
    return collection_id


async def test_status_beside_a_running_server_and_after_its_end(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start("--pool-workers", "1")
    collection_id = await _index_two_documents(serving, tmp_path / "folder")
    status, report = await _idle_status(serving.data)
    assert (status, report["well"]) == (0, True)
    [instance] = report["instances"]
    assert instance["pid"] == serving.process.pid and instance["url"] == serving.url
    assert (instance["host"], instance["version"]) == (socket.gethostname(), __version__)
    assert (instance["state"], instance["workers"], instance["running"]) == ("alive", 1, 0)
    assert report["stores"]["mongo"]["holds"] == {
        "documents": {"indexed": 2},
        "chunks": 2,
        "operations": {"completed": 1},
    }
    assert report["stores"]["redis"]["answers"] and report["stores"]["redis"]["memory_bytes"] > 0
    assert report["queue"] == []
    assert report["collections"] == [
        {
            "id": collection_id,
            "name": "Lamps",
            "owner": "ann",
            "documents": 2,
            "failed": 0,
            "warned": 0,
            "chunks": 2,
            "status": "ready",
        }
    ]
    text = (await script("status", serving.data)).out
    assert text.startswith("All is well.\n\nInstances\n  HOST")
    assert "2 documents, 2 chunks, 1 operations" in text

    assert serving.stop() == 0
    status, report = await _status(serving.data)
    assert (status, report["well"], report["instances"]) == (1, False, [])
    assert [collection["name"] for collection in report["collections"]] == ["Lamps"]
    ended = await script("status", serving.data)
    assert ended.status == 1 and ended.out.startswith("No server runs.\n")


async def test_instances_are_alive_silent_or_gone(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start()
    settings = Settings(
        data=serving.data, mongo_url=serving.stores.mongo_url, mongo_database=serving.stores.database
    )
    async with open_stores(settings) as stores:
        [instance] = await stores.store.instances.all()
        elsewhere = replace(instance, id=new_id(), host="elsewhere", seen_at=now())
        silent = replace(elsewhere, id=new_id(), host="quiet", seen_at=instance.started_at.replace(year=2020))
        for one in (elsewhere, silent):
            await stores.store.instances.save(one)
    _, report = await _status(serving.data)
    assert {one["host"]: one["state"] for one in report["instances"]} == {
        socket.gethostname(): "alive",
        "elsewhere": "alive",
        "quiet": "silent",
    }
    children = serving.tree[1:]
    serving.kill()
    psutil.wait_procs(children, patience())
    _, report = await _status(serving.data)
    assert {one["host"]: one["state"] for one in report["instances"]}[socket.gethostname()] == "gone"
    start()
    _, report = await _status(serving.data)
    assert [one["host"] for one in report["instances"]].count(socket.gethostname()) == 1
    assert "quiet" not in {one["host"] for one in report["instances"]}, (
        "silent instances are removed after a week"
    )


async def test_the_queue_lists_running_and_queued_operations(tmp_path: Path) -> None:
    async with open_stores(Settings(data=tmp_path), create=True) as stores:
        collection_id = new_id()
        operation = Operation(
            id=new_id(),
            collection_id=collection_id,
            user_id=new_id(),
            type="index",
            source_id=None,
            status="processing",
            stage="scan",
            counts=Counts(),
            current_file=None,
            progress_percent=41.7,
            created_at=now().replace(year=2020),
            started_at=now().replace(year=2020),
        )
        await stores.store.operations.add(operation)
        queued = replace(operation, id=new_id(), status="queued", created_at=now(), started_at=None)
        await stores.store.operations.add(queued)
    status, report = await _status(tmp_path)
    assert status == 1
    running, waiting = report["queue"]
    assert (running["type"], running["status"], running["progress_percent"]) == ("index", "processing", 41.7)
    assert running["collection"] == waiting["collection"] == "(deleted)"
    assert running["for_s"] > 365 * 86_400 > waiting["for_s"]
    text = (await script("status", tmp_path)).out
    assert " processing  42 %  " in text and " d " in text


async def test_unreachable_stores_are_reported_without_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))  # bound, but not listening
        port = bound.getsockname()[1]
        mongo = f"mongodb://me:secret@127.0.0.1:{port}/?authMechanismProperties=AWS_SESSION_TOKEN:secret"
        redis = f"redis://:secret@127.0.0.1:{port}/0"
        monkeypatch.setenv("SEMANTIK_MONGO_URL", mongo)
        monkeypatch.setenv("SEMANTIK_REDIS_URL", redis)
        status, report = await _status(tmp_path / "data")
        ended = await script("status", tmp_path / "data")
    assert (status, ended.status) == (1, 1)
    assert report["stores"]["mongo"] == {
        "where": f"mongodb://127.0.0.1:{port}/",
        "answers": False,
        "holds": None,
    }
    assert report["stores"]["redis"] == {
        "where": f"redis://127.0.0.1:{port}/0",
        "answers": False,
        "memory_bytes": None,
    }
    assert report["instances"] is report["queue"] is report["collections"] is None
    assert "secret" not in ended.out and ended.out.startswith("MongoDB does not answer")
    assert not (tmp_path / "data").exists()


async def test_one_unreachable_store_is_reported_alone(tmp_path: Path) -> None:
    mongo, redis = MongoServer(tmp_path / "mongo"), RedisServer(tmp_path / "redis")
    urls = ("--mongo-url", mongo.url, "--redis-url", redis.url)
    try:
        status, report = await _status(tmp_path / "data", *urls)
        assert status == 1, "no server runs"
        assert report["stores"]["mongo"]["answers"] and report["stores"]["redis"]["answers"]
        redis.kill()
        status, report = await _status(tmp_path / "data", *urls)
        assert status == 1
        assert report["stores"]["mongo"]["answers"] and not report["stores"]["redis"]["answers"]
    finally:
        mongo.stop()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ("--config", "/nowhere.toml"),
            "semantik-status: The configuration file /nowhere.toml cannot be read",
        ),
        ((), "semantik-status: The data folder"),
        (("--mongo-url", "mongodb://"), "semantik-status: mongo_url is not an address of a MongoDB"),
        (("--port", "80"), "usage: semantik-status"),
    ],
)
async def test_misuse_is_reported(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    ended = await script("status", tmp_path / "data", *words)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(why)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("redirect", "error"),
    [
        ("| true", ""),
        (">/dev/full", "semantik-status: The output cannot be written: No space left on device.\n"),
    ],
)
async def test_output_that_cannot_be_written_causes_no_traceback(
    tmp_path: Path, redirect: str, error: str
) -> None:
    async with open_stores(Settings(data=tmp_path), create=True):
        pass
    ended = await script("status", tmp_path, prefix=("sh", "-c", f'"$0" "$@" {redirect}'))
    assert (ended.out, ended.err) == ("", error)
