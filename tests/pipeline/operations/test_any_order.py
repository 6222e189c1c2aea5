"""Files change and operations run in any order, drawn by lot: in the end that is found which a new index finds."""

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


def _text(lot: random.Random) -> str:
    lines = (
        " ".join(lot.choice(WORDS) for _ in range(lot.randint(4, 40))) for _ in range(lot.choice((1, 2, 9)))
    )
    return "\n\n".join(lines)


def _files(home: Path) -> list[Path]:
    return sorted(path for path in home.rglob("*") if path.is_file())


def _change(lot: random.Random, home: Path) -> None:
    """One change: of content, name, time or folder; a copy, or two names exchanged."""
    there = _files(home)
    one, other = lot.choice(there), lot.choice(there)
    name = home / lot.choice(("one", "two")) / lot.choice(NAMES)
    kind = lot.choice(("new", "new", "edit", "empty", "remove", "move", "swap", "copy", "time", "folder"))
    if kind in ("new", "move", "copy"):
        name.parent.mkdir(parents=True, exist_ok=True)
    if kind == "new":
        name.write_text(_text(lot))
    elif kind in ("edit", "empty"):
        one.write_text(_text(lot) if kind == "edit" else "")
    elif kind == "remove":
        one.unlink()
    elif kind == "move":
        one.rename(name)
    elif kind == "copy" and one != name:
        shutil.copy(one, name)
    elif kind == "swap" and one != other:
        aside = one.with_name("aside")
        one.rename(aside)
        other.rename(one)
        aside.rename(other)
    elif kind == "time":
        os.utime(one, (lot.randint(1, 10**9),) * 2)
    elif kind == "folder" and (home / "one" / "below").exists():
        (home / "one" / "below").rename(home / "one" / f"below {lot.random()}")
    for folder in ("one", "two", "one/inner"):  # an empty one would keep what it had
        (home / folder).mkdir(exist_ok=True)
        if not _files(home / folder):
            (home / folder / "always.txt").write_text(f"{folder} is never empty.")


async def _ask_for_anything(client: Client, lot: random.Random, made: str, home: Path) -> str | None:
    """Ask for an operation; returns its id, or None where it may not be had now."""
    sources = (await client.call("GET", f"collections/{made}/sources"))["items"]
    kind = lot.choice(("append", "append", "one", "add", "add", "reindex", "remove"))
    wishes: dict[str, tuple[str, str, Any]] = {
        "append": ("POST", "append", {}),
        "one": ("POST", "append", {"source_id": lot.choice(sources)["id"]}),
        "add": ("POST", "sources", {"path": str(home / lot.choice(("one", "two", "one/inner")))}),
        "reindex": ("POST", "reindex", {"chunk_size": lot.choice((20, 40, 60))}),
        "remove": ("DELETE", f"sources/{lot.choice(sources)['id']}", None),
    }
    if kind == "remove" and sum(not source["removing"] for source in sources) == 1:
        return None
    method, path, body = wishes[kind]
    try:
        return str((await client.call(method, f"collections/{made}/{path}", body))["operation_id"])
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


async def _found(client: Client, made: str) -> dict[str, Any]:
    documents = (await client.call("GET", f"collections/{made}/documents", limit=500))["items"]
    asked = {"query": "the moon and the tide", "collection_ids": [made], "k": 500}
    hits = (await client.call("POST", "search", asked))["hits"]
    view = await client.call("GET", f"collections/{made}")
    assert view["stats"]["vectors"] == view["chunk_count"] == len(hits)
    return {
        "documents": [
            [one[name] for name in ("path", "status", "size", "modified_at", "chunk_count", "due")]
            for one in documents
        ],
        "passages": sorted((hit["document"]["path"], hit["start"], hit["passage"]) for hit in hits),
        "counts": [view[name] for name in ("document_count", "chunk_count", "pending_count")],
    }


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_is_found_in_the_end_is_what_a_new_index_finds(
    shared: Serving, tmp_path: Path, seed: int
) -> None:
    lot = random.Random(seed)
    client = await new_user(shared)
    for folder in ("one/inner", "two"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "first.txt").write_text(_text(lot))
    wish = {"name": "live", "source_path": str(tmp_path / "one"), "chunk_size": 40, "chunk_overlap": 5}
    made = (await client.call("POST", "collections", wish))["id"]
    for number in range(2):
        asked = []
        for _ in range(4):
            for _ in range(lot.randint(0, 3)):
                _change(lot, tmp_path)
            if operation_id := await _ask_for_anything(client, lot, made, tmp_path):
                asked.append(operation_id)
                if lot.random() < 0.3:
                    await asyncio.sleep(lot.random() / 4)  # anywhere in its course
                    await _cancel(client, operation_id)
        for operation_id in asked:
            ended = await _ended(client, operation_id)
            assert ended["status"] != "failed" or "would be lost" in ended["error_message"], ended
        last = await client.call("POST", f"collections/{made}/append", {})
        assert (await _ended(client, last["operation_id"]))["status"] == "completed"
        view = await client.call("GET", f"collections/{made}")
        wish = {name: view[name] for name in ("chunk_size", "chunk_overlap")}
        fresh = (await client.call("POST", "collections", {"name": f"new {number}", **wish}))["id"]
        for source in (await client.call("GET", f"collections/{made}/sources"))["items"]:
            added = await client.call("POST", f"collections/{fresh}/sources", {"path": source["path"]})
            await _ended(client, added["operation_id"])
        assert await _found(client, made) == await _found(client, fresh)


async def _cancel(client: Client, operation_id: str) -> None:
    try:
        await client.call("DELETE", f"operations/{operation_id}")
    except Refused as refused:  # it was faster
        assert refused.status == 409
