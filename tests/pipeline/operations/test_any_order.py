"""Random file changes and operations in random order: the collection ends equal to a new index of the same files."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from support.api import new_user
from support.server import Serving

from semantik.client.api import Client
from semantik.client.websocket import Refused

pytestmark = pytest.mark.gen_test

NAMES = ("a.txt", "b.txt", "A.txt", "c.md", "below/d.txt", "below/e.txt", "inner/f.txt", "inner/x/g.txt")
WORDS = (
    "tide",
    "moon",
    "rope",
    "knot",
    "gull",
    "bread",
    "comet",
    "tail",
    "pump",
    "anchor",
    "lamp",
    "fog",
    "bell",
)


def _text(rng: random.Random) -> str:
    lines = (
        " ".join(rng.choice(WORDS) for _ in range(rng.randint(4, 40))) for _ in range(rng.choice((1, 2, 9)))
    )
    return "\n\n".join(lines)


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def _change(rng: random.Random, root: Path) -> None:
    """Make one random change: of content, name, time or folder, a copy, or a swap of two names."""
    files = _files(root)
    one, other = rng.choice(files), rng.choice(files)
    new = root / rng.choice(("one", "two")) / rng.choice(NAMES)
    kind = rng.choice(("new", "new", "edit", "empty", "remove", "move", "swap", "copy", "time", "folder"))
    if kind in ("new", "move", "copy"):
        new.parent.mkdir(parents=True, exist_ok=True)
    if kind == "new":
        new.write_text(_text(rng))
    elif kind in ("edit", "empty"):
        one.write_text(_text(rng) if kind == "edit" else "")
    elif kind == "remove":
        one.unlink()
    elif kind == "move":
        one.rename(new)
    elif kind == "copy" and one != new:
        shutil.copy(one, new)
    elif kind == "swap" and one != other:
        aside = one.with_name("aside")
        one.rename(aside)
        other.rename(one)
        aside.rename(other)
    elif kind == "time":
        os.utime(one, (rng.randint(1, 10**9),) * 2)
    elif kind == "folder" and (root / "one" / "below").exists():
        (root / "one" / "below").rename(root / "one" / f"below {rng.random()}")
    for folder in ("one", "two", "one/inner"):  # an empty source would keep its documents
        (root / folder).mkdir(exist_ok=True)
        if not _files(root / folder):
            (root / folder / "always.txt").write_text(f"{folder} is never empty.")


async def _request_random_operation(
    client: Client, rng: random.Random, collection_id: str, root: Path
) -> str | None:
    """Request a random operation; returns its id, or None if it is not possible now."""
    sources = (await client.call("GET", f"collections/{collection_id}/sources"))["items"]
    kind = rng.choice(("append", "append", "one", "add", "add", "reindex", "remove"))
    requests: dict[str, tuple[str, str, Any]] = {
        "append": ("POST", "append", {}),
        "one": ("POST", "append", {"source_id": rng.choice(sources)["id"]}),
        "add": ("POST", "sources", {"path": str(root / rng.choice(("one", "two", "one/inner")))}),
        "reindex": ("POST", "reindex", {"chunk_size": rng.choice((20, 40, 60))}),
        "remove": ("DELETE", f"sources/{rng.choice(sources)['id']}", None),
    }
    if kind == "remove" and sum(not source["removing"] for source in sources) == 1:
        return None
    method, path, body = requests[kind]
    try:
        return str((await client.call(method, f"collections/{collection_id}/{path}", body))["operation_id"])
    except Refused as refused:
        assert refused.status == 409
        return None


async def _ended(client: Client, operation_id: str) -> dict[str, Any]:
    async with aclosing(client.watch(operation_id)) as messages:  # type: ignore[type-var]
        async for message in messages:
            if message["type"] == "status_update" and message["data"].get("terminal"):
                break
    operation: dict[str, Any] = await client.call("GET", f"operations/{operation_id}")
    return operation


async def _snapshot(client: Client, collection_id: str) -> dict[str, Any]:
    documents = (await client.call("GET", f"collections/{collection_id}/documents", limit=500))["items"]
    query = {"query": "the moon and the tide", "collection_ids": [collection_id], "k": 500}
    hits = (await client.call("POST", "search", query))["hits"]
    view = await client.call("GET", f"collections/{collection_id}")
    places = [each for hit in hits for each in (hit, *hit["also_in"])]  # equal texts are one hit
    assert view["stats"]["vectors"] == view["chunk_count"] == len(places)
    texts = {
        one["path"]: await client.call("GET", f"collections/{collection_id}/documents/{one['id']}/content")
        for one in documents
        if one["status"] == "indexed"
    }
    return {
        "documents": [
            [one[name] for name in ("path", "status", "size", "modified_at", "chunk_count", "due")]
            for one in documents
        ],
        "places": sorted((each["document"]["path"], each["start"], each["end"]) for each in places),
        "texts": {path: content["text"] for path, content in texts.items()},
        "counts": [view[name] for name in ("document_count", "chunk_count", "pending_count")],
    }


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_collection_ends_equal_to_a_new_index(shared: Serving, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    client = await new_user(shared)
    for folder in ("one/inner", "two"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "first.txt").write_text(_text(rng))
    options = {"name": "live", "source_path": str(tmp_path / "one"), "chunk_size": 40, "chunk_overlap": 5}
    collection_id = (await client.call("POST", "collections", options))["id"]
    for number in range(2):
        accepted = []
        for _ in range(4):
            for _ in range(rng.randint(0, 3)):
                _change(rng, tmp_path)
            if operation_id := await _request_random_operation(client, rng, collection_id, tmp_path):
                accepted.append(operation_id)
                if rng.random() < 0.3:
                    await asyncio.sleep(rng.random() / 4)  # at a random point of the operation
                    await _cancel(client, operation_id)
        for operation_id in accepted:
            ended = await _ended(client, operation_id)
            assert ended["status"] != "failed" or "would be lost" in ended["error_message"], ended
        last = await client.call("POST", f"collections/{collection_id}/append", {})
        assert (await _ended(client, last["operation_id"]))["status"] == "completed"
        view = await client.call("GET", f"collections/{collection_id}")
        options = {name: view[name] for name in ("chunk_size", "chunk_overlap")}
        fresh = (await client.call("POST", "collections", {"name": f"new {number}", **options}))["id"]
        for source in (await client.call("GET", f"collections/{collection_id}/sources"))["items"]:
            added = await client.call("POST", f"collections/{fresh}/sources", {"path": source["path"]})
            await _ended(client, added["operation_id"])
        assert await _snapshot(client, collection_id) == await _snapshot(client, fresh)


async def _cancel(client: Client, operation_id: str) -> None:
    try:
        await client.call("DELETE", f"operations/{operation_id}")
    except Refused as refused:  # the operation has ended already
        assert refused.status == 409
