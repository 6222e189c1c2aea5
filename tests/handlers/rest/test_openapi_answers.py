"""A running server answers as docs/openapi.yaml says, whatever it is asked: all checks of schemathesis, bounded."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD, documents, index
from support.schemathesis_run import World, schemathesis
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.crowded]

# Operations that end the sessions of whoever asks.
_ENDING = (
    "logout",
    "changePassword",
    "endSession",
    "endSessions",
    "setUpSecondFactor",
    "confirmSecondFactor",
    "removeSecondFactor",
)


async def test_every_answer_is_one_that_is_described(start: Callable[..., Serving], tmp_path: Path) -> None:
    unlimited = [
        f"--rate-limits-{group}-per-s=0" for group in ("search", "read", "write", "sign-in", "sockets")
    ]
    serving = start(
        *("--auth-registration", "open", "--documents-roots", str(tmp_path)),
        *(*unlimited, "--sign-in-free-per-address", "1000000", "--sign-in-free-attempts", "1000000"),
    )
    world = await _world(serving, tmp_path)
    report = await asyncio.to_thread(
        schemathesis, serving, world, tmp_path, "--phases", "coverage,fuzzing,stateful", "-n", "3"
    )
    assert "0 failed" not in report


async def _world(serving: Serving, tmp_path: Path) -> World:
    """An administrator with two collections, whose documents are read, failed, empty and in an archive."""
    client = Client(serving.url)
    for name in ("keeper", "leaver", "cyd", "dan"):
        await client.register(name, PASSWORD, SETUP_CODE)
    await client.sign_in("keeper", PASSWORD)
    users = {user["username"]: user["id"] for user in (await client.call("GET", "users"))["items"]}
    folders = [tmp_path / "storms", tmp_path / "letters"]
    for folder in folders:
        folder.mkdir()
        (folder / "storm.md").write_text("# Storm\n\nThe storm tore the roof off the barn.")
        (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
        (folder / "empty.txt").write_text("")
        with zipfile.ZipFile(folder / "letters.zip", "w") as archive:
            archive.writestr("a.txt", "A letter about the storm.")
    kept, spare = [
        await _ids(client, *each) for each in zip(folders, (users["cyd"], users["dan"]), strict=True)
    ]
    lasting = [users["keeper"], users["leaver"]]
    return World("keeper", "leaver", PASSWORD, [*map(str, folders)], kept, spare, lasting, _ENDING)


async def _ids(client: Client, folder: Path, user_id: str) -> dict[str, Any]:
    collection_id, _ = await index(client, folder, folder.name)
    found = await documents(client, collection_id)
    [source] = (await client.call("GET", f"collections/{collection_id}/sources"))["items"]
    [operation] = (await client.call("GET", "operations", collection_id=collection_id))["items"]
    key = await client.call("POST", "api-keys", {"name": folder.name})
    group = await client.call("POST", "groups", {"name": folder.name})
    hits = (await client.call("POST", "search", {"query": "storm", "collection_ids": [collection_id]}))[
        "hits"
    ]
    hit = next(hit for hit in hits if hit["document"]["id"] == found["storm.md"]["id"])
    return {
        "collection_id": collection_id,
        "source_id": source["id"],
        "document_id": found["storm.md"]["id"],
        "seq": hit["seq"],
        "operation_id": operation["id"],
        "key_id": key["id"],
        "user_id": user_id,
        "group_id": group["id"],
        "subject_id": user_id,
        "path": "app.js",
    }
