"""Pending files that go missing before they are read: their chunks stay, and the files are read when they return."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import ask, documents, index, new_user
from support.hold import held
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

OPEN = ("--auth-registration", "open", "--progress-linger-s", "0.2")


def _write(folder: Path, name: str, word: str, paragraphs: int = 1) -> None:
    text = "\n\n".join(f"{word} was seen by the crew of {name} on day {day}." for day in range(paragraphs))
    (folder / name).write_text(text)


async def _append(client: Client, collection_id: str, path: str = "append") -> dict[str, Any]:
    accepted = await client.call("POST", f"collections/{collection_id}/{path}", {})
    async for _ in client.watch(accepted["operation_id"]):
        pass
    operation: dict[str, Any] = await client.call("GET", f"operations/{accepted['operation_id']}")
    return operation


async def _cancel_after_scan(client: Client, operation_id: str) -> None:
    async for message in client.watch(operation_id):
        if message["type"] == "scanning_completed":
            await client.call("DELETE", f"operations/{operation_id}")


async def test_kept_chunks_of_a_missing_pending_file_are_found(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    client = await new_user(start(*OPEN, "--documents-missing", "keep"))
    folder = tmp_path / "ships"
    folder.mkdir()
    for number in range(30):
        _write(folder, f"{number:02}.txt", "A whale")
    collection_id, _ = await index(client, folder)
    for number in range(1, 30):
        _write(folder, f"{number:02}.txt", "An iceberg")
    _write(folder, "new.txt", "A lighthouse")
    with held(folder):
        accepted = await client.call("POST", f"collections/{collection_id}/append", {})
        await _cancel_after_scan(client, accepted["operation_id"])
    pending = await client.call("GET", f"collections/{collection_id}/documents", status="pending", limit=500)
    assert len(pending["items"]) == 30
    stamp = (folder / "29.txt").stat()
    for number in range(1, 30):
        (folder / f"{number:02}.txt").unlink()
    (folder / "new.txt").unlink()
    ended = await _append(client, collection_id)
    assert (ended["status"], ended["failed_files"], ended["result"]["missing"]) == ("completed", 0, 30)
    found = await documents(client, collection_id)
    assert (found["29.txt"]["status"], found["29.txt"]["missing"]) == ("indexed", True)
    assert "new.txt" not in found
    [hit] = await ask(client, "whale", k=1, filters={"path_glob": "29.txt"}, collection_ids=[collection_id])
    assert hit["passage"].startswith("A whale")
    _write(folder, "29.txt", "An iceberg")
    os.utime(folder / "29.txt", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert (await _append(client, collection_id))["result"]["changed"] == 1
    [hit] = await ask(client, "whale", k=1, filters={"path_glob": "29.txt"}, collection_ids=[collection_id])
    assert "An iceberg" in hit["passage"]
    assert (await documents(client, collection_id))["29.txt"]["missing"] is False


async def test_a_missing_failed_file_is_read_when_it_returns(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    client = await new_user(start(*OPEN, "--documents-missing", "keep"))
    folder, away = tmp_path / "ships", tmp_path / "away.txt"
    folder.mkdir()
    _write(folder, "one.txt", "A whale")
    (folder / "two.txt").write_bytes(b"\x00\x01\x02" * 100)
    collection_id, _ = await index(client, folder)
    (folder / "two.txt").rename(away)
    await _append(client, collection_id)
    assert (await documents(client, collection_id))["two.txt"]["missing"] is True
    ended = await _append(client, collection_id, "retry")
    assert ended["failed_files"] == 1
    away.rename(folder / "two.txt")
    assert (await _append(client, collection_id))["result"]["changed"] == 1
    two = (await documents(client, collection_id))["two.txt"]
    assert two["missing"] is False and "no longer there" not in two["error"]["message"]


async def test_pending_files_of_an_unmounted_disk_are_read_when_it_returns(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    folder, away = tmp_path / "disk", tmp_path / "away"
    folder.mkdir()
    for number in range(30):
        _write(folder, f"{number:02}.txt", "An iceberg")
    with held(folder):
        made = await client.call("POST", "collections", {"name": "disk", "source_path": str(folder)})
        await _cancel_after_scan(client, made["operation_id"])
    pending = await client.call("GET", f"collections/{made['id']}/documents", status="pending", limit=500)
    assert len(pending["items"]) == 30
    folder.rename(away)
    folder.mkdir()
    ended = await _append(client, made["id"])
    assert (ended["status"], ended["failed_files"]) == ("completed", 0)
    assert "Is a disk not mounted?" in str(ended["warnings"])
    assert (await documents(client, made["id"]))["29.txt"]["due"] is True
    (away / "29.txt").rename(folder / "29.txt")
    assert (await _append(client, made["id"]))["result"]["new"] == 1
    assert {name: one["status"] for name, one in (await documents(client, made["id"])).items()} == {
        "29.txt": "indexed"
    }
