"""A folder that looks as the last finished scan saw it is not compared file by file: and nothing is lost by that."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from support.api import documents, index, new_user
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "harbour"
    for name in ("tides.txt", "pier/ropes.txt", "pier/gulls.txt", "quay/lamps.txt", "quay/deep/bells.txt"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"What is to be said of {name} stands here.")
    return home


async def _append(client: Client, made: str, **body: Any) -> dict[str, int]:
    accepted = await client.call("POST", f"collections/{made}/append", body)
    async for _ in client.watch(accepted["operation_id"]):
        pass
    ended = await client.call("GET", f"operations/{accepted['operation_id']}")
    assert ended["status"] == "completed"
    result: dict[str, int] = ended["result"]
    return {name: result[name] for name in ("new", "changed", "unchanged", "moved", "missing")}


def _told(**numbers: int) -> dict[str, int]:
    return dict.fromkeys(("new", "changed", "unchanged", "moved", "missing"), 0) | numbers


async def _change(serving: Serving, table: str, where: dict[str, Any], fields: dict[str, Any]) -> None:
    stores = serving.stores
    async with AsyncMongoClient(stores.mongo_url) as client:
        changed = await client[stores.database][table].update_many(where, {"$set": fields})
        assert changed.matched_count


def _touch(path: Path, second: int) -> None:
    os.utime(path, (second, second))


async def test_records_of_unchanged_folders_are_not_asked_for(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    ropes = str(folder / "pier" / "ropes.txt")
    # A change behind the server's back: who compares the records comes across it.
    await _change(shared, "documents", {"collection_id": made, "path": ropes}, {"modified_ns": 5})
    assert await _append(client, made) == _told(unchanged=5)
    (folder / "pier" / "new.txt").write_text("Something new on the pier.")
    assert await _append(client, made) == _told(new=1, changed=1, unchanged=4)
    assert await _append(client, made) == _told(unchanged=6)


async def test_nothing_kept_is_taken_for_right_once_something_may_be_half_done(
    shared: Serving, folder: Path
) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    ropes = str(folder / "pier" / "ropes.txt")
    await _change(shared, "documents", {"collection_id": made, "path": ropes}, {"modified_ns": 5})
    await _change(shared, "collections", {"_id": made}, {"at_rest": False})
    assert await _append(client, made) == _told(changed=1, unchanged=4)
    await _change(shared, "documents", {"collection_id": made, "path": ropes}, {"due": "another"})
    assert await _append(client, made) == _told(changed=1, unchanged=4)
    assert (await documents(client, made))["ropes.txt"]["status"] == "indexed"


async def test_what_one_folder_of_a_collection_changes_is_not_passed_over_by_another(
    shared: Serving, folder: Path
) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    pier = folder / "pier"
    accepted = await client.call("POST", f"collections/{made}/sources", {"path": str(pier)})
    async for _ in client.watch(accepted["operation_id"]):
        pass
    sources = {
        one["path"]: one["id"] for one in (await client.call("GET", f"collections/{made}/sources"))["items"]
    }
    _touch(pier / "ropes.txt", 1_000_000)
    assert (await _append(client, made))["changed"] == 2  # it lies in both
    assert (await _append(client, made, source_id=sources[str(folder)])) == _told(unchanged=5)
    _touch(pier / "ropes.txt", 2_000_000)
    assert (await _append(client, made, source_id=sources[str(pier)]))["changed"] == 1
    _touch(pier / "ropes.txt", 1_000_000)  # as the scan of the outer folder saw it last
    assert (await _append(client, made, source_id=sources[str(folder)]))["changed"] == 1
    assert (await documents(client, made))["ropes.txt"]["modified_at"].startswith("1970-01-12T13:46:40")


async def test_what_goes_is_noticed_wherever_it_lay(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    (folder / "quay" / "lamps.txt").unlink()
    assert await _append(client, made) == _told(unchanged=4, missing=1)
    (folder / "quay" / "deep" / "bells.txt").unlink()
    (folder / "quay" / "deep").rmdir()
    (folder / "quay").rmdir()
    (folder / "tides.txt").rename(folder / "pier" / "tides.txt")
    assert await _append(client, made) == _told(unchanged=2, missing=1, moved=1)
    assert set(await documents(client, made)) == {"tides.txt", "ropes.txt", "gulls.txt"}
    assert await _append(client, made) == _told(unchanged=3)


async def test_what_is_kept_of_missing_files_is_looked_for_with_every_scan(
    start: Callable[..., Serving], folder: Path
) -> None:
    client = await new_user(start("--auth-registration", "open", "--documents-missing", "keep"))
    made, _ = await index(client, folder)
    text = (folder / "pier" / "gulls.txt").read_text()
    times = (folder / "pier" / "gulls.txt").stat()
    (folder / "pier" / "gulls.txt").unlink()
    (folder / "quay" / "deep" / "bells.txt").unlink()
    (folder / "quay" / "deep").rmdir()
    for _ in range(2):
        assert await _append(client, made) == _told(unchanged=3, missing=2)
    assert (await documents(client, made))["gulls.txt"]["missing"]
    (folder / "pier" / "gulls.txt").write_text(text)
    os.utime(folder / "pier" / "gulls.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    for _ in range(2):
        assert await _append(client, made) == _told(unchanged=4, missing=1)
    assert not (await documents(client, made))["gulls.txt"]["missing"]


async def test_a_new_generation_is_compared_anew(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    accepted = await client.call("POST", f"collections/{made}/reindex", {})
    async for _ in client.watch(accepted["operation_id"]):
        pass
    ropes = str(folder / "pier" / "ropes.txt")
    behind = {"collection_id": made, "generation": 2, "path": ropes}
    await _change(shared, "documents", behind, {"modified_ns": 5})
    assert await _append(client, made) == _told(changed=1, unchanged=4)
    assert await _append(client, made) == _told(unchanged=5)


async def test_what_an_earlier_operation_left_is_read_whatever_came_to_rest_between(
    shared: Serving, folder: Path, tmp_path: Path
) -> None:
    client = await new_user(shared)
    made, _ = await index(client, folder)
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "lamp.txt").write_text("A lamp that hangs beside the harbour.")
    accepted = await client.call("POST", f"collections/{made}/sources", {"path": str(beside)})
    async for _ in client.watch(accepted["operation_id"]):
        pass
    sources = {
        one["path"]: one["id"] for one in (await client.call("GET", f"collections/{made}/sources"))["items"]
    }
    where = {"collection_id": made, "path": str(folder / "pier" / "ropes.txt")}
    # As a cancelled operation leaves it, and as it was for a time left all the same.
    for at_rest in (False, True):
        await _change(shared, "documents", where, {"due": "another", "status": "pending"})
        await _change(shared, "collections", {"_id": made}, {"at_rest": at_rest})
        assert await _append(client, made, source_id=sources[str(beside)]) == _told(unchanged=1)
        await _append(client, made, source_id=sources[str(folder)])
        assert (await documents(client, made))["ropes.txt"]["status"] == "indexed"
        assert (await client.call("GET", f"collections/{made}"))["pending_count"] == 0


async def test_of_folders_that_overlap_each_is_looked_at_for_itself(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    os.link(folder / "pier" / "ropes.txt", folder / "ropes.txt")  # the outer walk comes by this name first
    made, _ = await index(client, folder)
    accepted = await client.call("POST", f"collections/{made}/sources", {"path": str(folder / "pier")})
    async for _ in client.watch(accepted["operation_id"]):
        pass
    assert await _append(client, made) == _told(unchanged=7)
    (folder / "pier" / "ropes.txt").unlink()
    assert (await _append(client, made))["missing"] == 1
