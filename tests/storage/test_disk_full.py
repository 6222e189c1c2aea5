"""The disk of the data folder fills up during an operation. The server reports it and still searches what is indexed.

Once there is free space, the operation resumes by itself or after a restart, and its result is complete.
"""

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

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.embedded]

_FLAGS = ("--auth-registration", "open", "--progress-linger-s", "0.5")
_SIZE = "64m"
_BLOCK = 1 << 16


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The data folder of the server, on a file system of its own."""
    data = tmp_path / "data"
    data.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(data)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield data
    subprocess.run(["umount", "--lazy", str(data)], check=True)


def _fill(disk: Path) -> Path:
    """Leave no byte free; returns the file that takes the space."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (_BLOCK, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return ballast


async def _first_refusal(client: Client) -> HTTPResponse:
    """The response to a write for which the disk has no space; small writes may still succeed."""
    for number in itertools.count():
        response = await AsyncHTTPClient().fetch(
            f"{client.url}/api/v2/collections",
            method="POST",
            headers={"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"},
            body=json.dumps({"name": f"More {number}", "description": "more " * 100}),
            raise_error=False,
        )
        if response.code != HTTPStatus.CREATED:
            return response
    raise AssertionError


@pytest.mark.parametrize("then", ["by itself", "after a restart"])
async def test_indexing_resumes_after_the_disk_was_full(
    small_disk: Path, start: Callable[..., Serving], tmp_path: Path, then: str
) -> None:
    serving = start(*_FLAGS, *SMALL_STEPS)
    client = await new_user(serving)
    other = tmp_path / "shelf"
    other.mkdir()
    (other / "moon.txt").write_text("The moon is a stone that shines.")
    other_id, _ = await index(client, other, "Shelf")
    # More than the space that the stores have allocated before.
    operation = await begin("index", client, make_folder(tmp_path / "lamps", 1200))
    watcher = Watcher([serving.url], client.token, operation.operation_id)
    stores = serving.stores
    async with Store(stores.mongo_url, stores.database) as store:
        await in_the_middle(store, operation, 0.1)
    log_length = len(serving.log.read_text())
    ballast = _fill(small_disk)
    await says(serving, log_length, "waits: The disk of MongoDB is full: make room there.")
    response = await _first_refusal(client)
    hits = await ask(client, "What shines?", collection_ids=[other_id])
    assert hits[0]["document"]["name"] == "moon.txt"
    assert response.code == HTTPStatus.SERVICE_UNAVAILABLE and int(response.headers["Retry-After"]) > 0
    assert b"The disk of MongoDB is full: make room" in response.body
    assert "burned for" not in serving.log.read_text(), "the log must not contain text of documents"
    ballast.unlink()
    if then == "after a restart":
        serving.stop()
        serving = start(*_FLAGS, *SMALL_STEPS)
        client = Client(serving.url, client.token)
    async with Store(stores.mongo_url, stores.database) as store:
        assert (await until_ended(store, operation)).status == "completed"
    watcher.urls = [serving.url]
    await watcher.follow()
    same_story([watcher])
    await is_as_undisturbed(operation, client, serving.stores)
