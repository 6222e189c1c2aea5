"""`semantik-cleanup` as a process: it removes expired records and repairs inconsistencies, also beside a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.api import documents, index, new_user
from support.scripts import script
from support.server import Serving

from semantik.commands.store_connection import open_stores
from semantik.config.loader import load
from semantik.config.settings import Settings
from semantik.core.models import ApiKey, Failure, FileFailure, Operation, Session, new_id, now
from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.embedded]

OPEN = ("--auth-registration", "open", "--pool-workers", "1")
EXPIRY = timedelta(days=31)


def _make_folder(tmp_path: Path, count: int) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(count):
        text = "\n\n".join(f"Lamp {number}.{part} of the pier burned all night." for part in range(20))
        (folder / f"{number:03}.txt").write_text(text)
    return folder


def _settings(serving: Serving) -> Settings:
    return load(environ={}, overrides={"data": str(serving.data)})


async def _add_expired(store: Store) -> tuple[Operation, Operation]:
    """Expire the operation and an older one of the same folder; add an expired session and an expired API key."""
    [collection] = await store.collections.all()
    [newest] = await store.operations.of_collections([collection.id], 0)
    long_ago = now() - EXPIRY
    older = replace(newest, id=new_id(), created_at=long_ago, completed_at=long_ago)
    await store.operations.add(older)
    await store.failures.record(FileFailure(older.id, new_id(), "/x", Failure("corrupt", "It is torn.")))
    old = int(long_ago.timestamp() * 1000)
    await store.operations._table.update_one({"_id": newest.id}, {"$set": {"completed_at": old}})
    await store.sessions.add(Session(new_id(), newest.user_id, long_ago, long_ago))
    await store.api_keys.add(ApiKey("k" * 16, newest.user_id, "n", "h", ("read",), long_ago, long_ago))
    return older, newest


async def test_expired_records_are_listed_and_then_removed(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    await index(client, _make_folder(tmp_path, 2))
    untouched = await script("cleanup", serving.data)
    assert (untouched.status, untouched.out, untouched.err) == (0, "There is nothing to remove.\n", "")
    async with open_stores(_settings(serving)) as stores:
        store = stores.store
        older, newest = await _add_expired(store)
        dry = await script("cleanup", serving.data, "--dry-run")
        assert (dry.status, dry.err) == (0, "")
        assert ": 1, failures of files in them: 1. " in dry.out
        assert "Expired sessions: 1. " in dry.out and "Expired API keys: 1. " in dry.out
        assert "Would be removed: " in dry.out and "Would be removed: 0 bytes" not in dry.out
        assert await store.operations.get(older.id) is not None
        done = await script("cleanup", serving.data)
        assert done.status == 0 and dry.out.replace("Would be removed", "Removed") == done.out
        assert await store.operations.get(older.id) is None
        assert await store.operations.get(newest.id) is not None
        assert await store.failures.page(older.id, "", 9) == []
        assert (
            (await store.sessions.expired_size(now())).rows
            == (await store.api_keys.expired_size(now())).rows
            == 0
        )
    again = await script("cleanup", serving.data, "--dry-run", "--json")
    assert json.loads(again.out) == {"dry_run": True, "removed": []}
    assert (await client.call("GET", "auth/me"))["username"]


async def test_inconsistencies_are_reported_with_status_1_and_repaired(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN)
    await index(await new_user(serving), _make_folder(tmp_path, 2))
    assert serving.stop() == 0
    before = await script("cleanup", serving.data, "--check")
    assert (before.status, before.out, before.err) == (0, "Everything agrees.\n", "")
    async with open_stores(_settings(serving)) as stores:
        [collection] = await stores.store.collections.all()
        [first, *_] = [d async for p in stores.store.documents.of_generation(collection.current) for d in p]
        await stores.store.chunks.remove_spans(collection.id, [(first.first_seq, first.first_seq + 1)])
    after = await script("cleanup", serving.data, "--check")
    assert after.status == 1 and after.err == "" and first.path in after.out
    as_json = await script("cleanup", serving.data, "--check", "--json")
    listed = json.loads(as_json.out)["issues"]
    assert (
        as_json.status == 1
        and len({(issue["kind"], issue["subject"]) for issue in listed}) == len(listed) >= 2
    )
    assert all(issue["description"] in after.out and issue["repairable"] for issue in listed)
    repaired = await script("cleanup", serving.data, "--repair")
    assert repaired.status == 0 and repaired.out.count("Repaired: ") >= 2
    assert repaired.out.endswith("Everything agrees.\n")
    assert (await script("cleanup", serving.data, "--check")).status == 0


async def test_checks_and_repairs_do_not_disturb_an_indexing_server(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    indexing = asyncio.create_task(index(client, _make_folder(tmp_path, 150)))
    while not indexing.done():
        for mode in ("--check", "--repair"):
            ended = await script("cleanup", serving.data, mode)
            assert (ended.status, ended.err) == (0, ""), ended.out
            assert "Repaired" not in ended.out
    collection_id, messages = await indexing
    assert messages[-2]["type"] == "operation_completed"
    found = await documents(client, collection_id)
    assert len(found) == 150 and all(one["status"] == "indexed" for one in found.values())
    last = await script("cleanup", serving.data, "--check")
    assert (last.status, last.out) == (0, "Everything agrees.\n")


async def test_misuse_is_reported_in_one_sentence(tmp_path: Path) -> None:
    unused = await script("cleanup", tmp_path / "nowhere")
    assert unused.status == 2 and "does not exist" in unused.err and unused.err.count("\n") == 1
    both = await script("cleanup", tmp_path, "--check", "--repair")
    assert both.status == 2 and "not allowed with" in both.err
    helped = await script("cleanup", tmp_path, "--help")
    assert helped.status == 0 and "--dry-run" in helped.out
