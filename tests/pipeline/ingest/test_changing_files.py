"""Files that change while they are read: the chunks are those of the current content, never of two versions."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.api import ask, documents, index, new_user
from support.server import Serving
from support.two_servers import until

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

_PARTS = 60
_FILES = 24


def _text(version: int) -> str:
    return "\n\n".join(f"Version {version:06}: bell {part} rings at noon." for part in range(_PARTS))


@asynccontextmanager
async def _rewriting(paths: list[Path], first: int) -> AsyncIterator[Callable[[], int]]:
    """Rewrite the files in place, in two halves each, until the block ends; yields a getter of the version."""
    version = first

    async def rewrite() -> None:
        nonlocal version
        while True:
            version += 1
            text = _text(version)
            for path in paths:
                with path.open("r+") as file:
                    file.write(text[: len(text) // 2])
                    file.flush()
                    await asyncio.sleep(0)
                    file.write(text[len(text) // 2 :])
            await asyncio.sleep(0.005)

    writing = asyncio.create_task(rewrite())
    try:
        yield lambda: version
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    for path in paths:
        path.write_text(_text(version))


async def _append(client: Client, collection_id: str) -> list[dict[str, Any]]:
    accepted = await client.call("POST", f"collections/{collection_id}/append", {})
    return [message async for message in client.watch(accepted["operation_id"])]


async def _texts(client: Client, collection_id: str) -> dict[str, str]:
    """The text of each document, joined from its chunks."""
    texts = {}
    for name, one in (await documents(client, collection_id)).items():
        content = await client.call("GET", f"collections/{collection_id}/documents/{one['id']}/content")
        texts[name] = content["text"]
    return texts


async def test_constantly_rewritten_files_end_with_their_current_content(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    folder = tmp_path / "bells"
    folder.mkdir()
    paths = [folder / f"bell-{number:02}.txt" for number in range(_FILES)]
    for path in paths:
        path.write_text(_text(0))
    async with _rewriting(paths, 0) as version:
        collection_id, messages = await index(client, folder)
        assert messages[-1]["data"]["status"] == "completed"
        for _ in range(2):
            assert (await _append(client, collection_id))[-1]["data"]["status"] == "completed"
        assert version() > 3
    assert (await _append(client, collection_id))[-1]["data"]["status"] == "completed"
    assert await _texts(client, collection_id) == {path.name: path.read_text() for path in paths}
    view = await client.call("GET", f"collections/{collection_id}")
    found = await documents(client, collection_id)
    assert view["chunk_count"] == view["stats"]["vectors"] == sum(d["chunk_count"] for d in found.values())
    hits = await ask(client, "Which bell rings at noon?", collection_ids=[collection_id], k=50)
    expected = f"Version {version():06}"
    assert hits and all(expected in hit["passage"] for hit in hits)


def _truncate(path: Path) -> None:
    os.truncate(path, 40)


def _replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_text("A whole new text about whales.")
    other.replace(path)


def _delete(path: Path) -> None:
    path.unlink()


def _make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside.txt").write_text("Inside the folder there are herrings.")


def _make_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


_CHANGES: dict[str, Callable[[Path], None]] = {
    "truncated.txt": _truncate,
    "replaced.txt": _replace,
    "deleted.txt": _delete,
    "folder.txt": _make_folder,
    "fifo.txt": _make_fifo,
}


_CURRENT_CHUNKS = {
    "A steady lamp burns on the pier.",
    "Version 1 of the log of a whaler: nothin",
    "A whole new text about whales.",
    "Inside the folder there are herrings.",
}


@pytest.mark.parametrize("kind", ["index", "append"])
async def test_files_changed_between_scan_and_reading_give_current_content_or_an_error(
    start: Callable[..., Serving], tmp_path: Path, kind: str
) -> None:
    nth = 1 if kind == "index" else 2  # the first scan is the INDEX's
    serving = start(env={"SEMANTIK_FAILPOINT": f"scanning.completed:{nth}:stop"})
    client = await new_user(serving)
    folder = tmp_path / "whales"
    folder.mkdir()
    (folder / "steady.txt").write_text("A steady lamp burns on the pier.")
    _write_all(folder, 1)
    if kind == "index":
        made = await client.call("POST", "collections", {"name": "Whales", "source_path": str(folder)})
        collection_id, operation_id = made["id"], made["operation_id"]
    else:
        collection_id, _ = await index(client, folder)
        _write_all(folder, 2)
        accepted = await client.call("POST", f"collections/{collection_id}/append", {})
        operation_id = accepted["operation_id"]
    process = psutil.Process(serving.process.pid)
    await until(lambda: process.status() == psutil.STATUS_STOPPED)
    for name, change in _CHANGES.items():
        change(folder / name)
    process.send_signal(signal.SIGCONT)
    messages = [message async for message in client.watch(operation_id)]
    assert messages[-1]["data"]["status"] == "completed"
    failures = {
        message["data"]["path"]: message["data"]["message"]
        for message in messages
        if message["type"] == "error"
    }
    assert failures == {
        str(folder / "deleted.txt"): "The file is no longer there.",
        str(folder / "folder.txt"): "This is not a regular file.",
        str(folder / "fifo.txt"): "This is not a regular file.",
    }
    assert await _found_chunks(client, collection_id) == _CURRENT_CHUNKS - {
        "Inside the folder there are herrings."
    }
    assert (await _append(client, collection_id))[-1]["data"]["status"] == "completed"
    assert await _found_chunks(client, collection_id) == _CURRENT_CHUNKS
    names = set(await documents(client, collection_id))
    assert names == {"steady.txt", "truncated.txt", "replaced.txt", "inside.txt"}


def _write_all(folder: Path, version: int) -> None:
    for name in _CHANGES:
        text = f"Version {version} of the log of a whaler: nothing was seen today."
        (folder / name).write_text(f"{text} {name}")


async def _found_chunks(client: Client, collection_id: str) -> set[str]:
    hits = await ask(client, "What was seen?", collection_ids=[collection_id], k=50)
    return {hit["passage"].replace("Version 2", "Version 1") for hit in hits}
