"""The disk of the data folder fills up while the server works: it says so, and searches what is there; with room it
goes on by itself, or after a restart, and nothing is broken."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from support.api import ask, index, new_user
from support.operation_fixtures import (
    SMALL_STEPS,
    begin,
    in_the_middle,
    is_as_undisturbed,
    make_folder,
    until_ended,
)
from support.server import Serving
from support.two_servers import says
from support.watchers import Watcher, same_story
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from semantik.client.api import Client
from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy]

_FLAGS = ("--auth-registration", "open", "--progress-linger-s", "0.5")
_SIZE = "64m"
_BLOCK = 1 << 16


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The data folder of the test's server, on a disk of its own."""
    data = tmp_path / "data"
    data.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(data)], capture_output=True, text=True
    )
    if mounting.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounting.stderr.strip()}")
    yield data
    subprocess.run(["umount", "--lazy", str(data)], check=True)


def _fill(disk: Path) -> Path:
    """Leave no byte free; returns what takes the room."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (_BLOCK, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return ballast


async def _refused(client: Client) -> HTTPResponse:
    """The answer to a change that the disk has no room for; small ones may still find some."""
    for number in itertools.count():
        answer = await AsyncHTTPClient().fetch(
            f"{client.url}/api/v2/collections",
            method="POST",
            headers={"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"},
            body=json.dumps({"name": f"More {number}", "description": "more " * 100}),
            raise_error=False,
        )
        if answer.code != HTTPStatus.CREATED:
            return answer
    raise AssertionError


@pytest.mark.parametrize("then", ["by itself", "after a restart"])
async def test_the_disk_fills_while_a_folder_is_indexed(
    small_disk: Path, start: Callable[..., Serving], tmp_path: Path, then: str
) -> None:
    serving = start(*_FLAGS, *SMALL_STEPS)
    client = await new_user(serving)
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "moon.txt").write_text("The moon is a stone that shines.")
    there, _ = await index(client, shelf, "Shelf")
    begun = await begin("index", client, make_folder(tmp_path / "lamps", 160))
    watcher = Watcher([serving.url], client.token, begun.operation_id)
    stores = serving.stores
    async with Store(stores.mongo_url, stores.database) as store:
        await in_the_middle(store, begun, 0.1)
    said = len(serving.log.read_text())
    ballast = _fill(small_disk)
    await says(serving, said, "waits: The disk of MongoDB is full: make room there.")
    answer = await _refused(client)
    hits = await ask(client, "What shines?", collection_ids=[there])
    assert hits[0]["document"]["name"] == "moon.txt"
    assert answer.code == HTTPStatus.SERVICE_UNAVAILABLE and int(answer.headers["Retry-After"]) > 0
    assert b"The disk of MongoDB is full: make room" in answer.body
    assert "burned for" not in serving.log.read_text(), "what people write has no place in the log"
    ballast.unlink()
    if then == "after a restart":
        serving.stop()
        serving = start(*_FLAGS, *SMALL_STEPS)
        client = Client(serving.url, client.token)
    async with Store(stores.mongo_url, stores.database) as store:
        assert (await until_ended(store, begun)).status == "completed"
    watcher.urls = [serving.url]
    await watcher.follow()
    same_story([watcher])
    await is_as_undisturbed(begun, client, serving.stores)
