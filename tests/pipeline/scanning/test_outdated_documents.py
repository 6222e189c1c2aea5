"""Documents that another version of the readers has read are read again by the next scan, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from support.api import documents, index, new_user
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


async def _append(client: Client, collection_id: str) -> dict[str, Any]:
    """Scan again; returns the data of `scanning_completed`."""
    accepted = await client.call("POST", f"collections/{collection_id}/append", {})
    messages = [message async for message in client.watch(accepted["operation_id"])]
    return next(message["data"] for message in messages if message["type"] == "scanning_completed")


async def _age(serving: Serving, collection_id: str, name: str, **fields: Any) -> None:
    """Make one document, and with it its source, look as an earlier version left it."""
    async with AsyncMongoClient(serving.stores.mongo_url) as mongo:
        base = mongo[serving.stores.database]
        where = {"collection_id": collection_id, "path": {"$regex": f"{name}$"}}
        await base["documents"].update_one(where, {"$set": fields})
        await base["sources"].update_one({"collection_id": collection_id}, {"$set": {"reader": "earlier"}})


async def test_outdated_documents_are_read_again_and_the_scan_says_so(
    shared: Serving, tmp_path: Path
) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name in ("walnut.txt", "hazel.txt"):
        (folder / name).write_text(f"The {name} tree stands behind the barn.")
    (folder / "blob.bin").write_bytes(bytes(range(32)) * 40)
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    before = await documents(client, collection_id)
    await _age(shared, collection_id, "walnut.txt", reader="office-1 kreuzberg-4.10.4", title="Of old")
    scanned = await _append(client, collection_id)
    assert (scanned["outdated_documents"], scanned["changed_documents"], scanned["total_files"]) == (1, 0, 1)
    assert ["read again" in warning for warning in scanned["warnings"]] == [True]
    assert await documents(client, collection_id) == before
    again = await _append(client, collection_id)
    assert (again["outdated_documents"], again["total_files"], again["warnings"]) == (0, 0, [])


async def test_failed_documents_are_outdated_too_and_deleted_ones_are_not(
    shared: Serving, tmp_path: Path
) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name in ("walnut.txt", "hazel.txt"):
        (folder / name).write_text(f"The {name} tree stands behind the barn.")
    (folder / "blob.bin").write_bytes(bytes(range(32)) * 40)
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    assert (await documents(client, collection_id))["blob.bin"]["status"] == "failed"
    await _age(shared, collection_id, "blob.bin", reader=None)
    await _age(shared, collection_id, "walnut.txt", reader=None)
    (folder / "walnut.txt").unlink()
    scanned = await _append(client, collection_id)
    assert (scanned["outdated_documents"], scanned["missing_documents"]) == (1, 1)


async def test_the_quality_of_documents_is_counted_listed_and_kept(shared: Serving, tmp_path: Path) -> None:
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "plain.txt").write_text("The walnut tree stands behind the barn.")
    (folder / "thai.txt").write_text("กุญแจอยู่ในลิ้นชัก ประตูเปิดตอนเช้า " * 30)
    client = await new_user(shared)
    collection_id, messages = await index(client, folder)
    end = next(message["data"] for message in messages if message["type"] == "operation_completed")
    assert end["result"]["warned"] == 1
    found = await documents(client, collection_id)
    assert found["plain.txt"]["quality"] == {
        "characters": 39,
        "unknown_share": 0.0,
        "left_out": 0,
        "pages_without_text": 0,
        "recognised_pages": 0,
        "warnings": [],
    }
    assert found["thai.txt"]["quality"]["unknown_share"] > 0.8
    assert len(found["thai.txt"]["quality"]["warnings"]) == 1
    listed = await client.call("GET", f"collections/{collection_id}/documents", warned="true")
    assert [one["name"] for one in listed["items"]] == ["thai.txt"]
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["warned_count"], view["document_count"]) == (1, 2)
    await _append(client, collection_id)
    assert (await client.call("GET", f"collections/{collection_id}"))["warned_count"] == 1
