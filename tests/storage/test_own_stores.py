"""Stores of one's own over TCP: MongoDB and Redis servers with TLS and passwords, killed and started again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.api import PASSWORD, documents, index, new_user
from support.local_tls import Certificate
from support.own_stores import Mongo, Redis, plain_nx, secantus
from support.scripts import script
from support.server import Serving

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy]

_FILES = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(_FILES):
        (folder / f"note-{number}.txt").write_text(f"Note {number} is about the lamp of pier {number}.\n")
    return folder


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path / "certificate")


@pytest.fixture
def redis(tmp_path: Path, certificate: Certificate) -> Iterator[Redis]:
    server = Redis(tmp_path / "redis", certificate)
    yield server
    server.stop()


@pytest.fixture(params=["secantus", "plain_nx"])
def mongo(request: pytest.FixtureRequest, tmp_path: Path, certificate: Certificate) -> Iterator[Mongo]:
    folder = tmp_path / "mongo"
    server = secantus(folder, certificate) if request.param == "secantus" else plain_nx(folder)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def given(mongo: Mongo, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers and commands of these tests get the stores."""
    monkeypatch.setenv("SEMANTIK_TEST_MONGO_URL", mongo.url)
    monkeypatch.setenv("SEMANTIK_TEST_REDIS_URL", redis.url)


async def test_all_that_a_server_does_works_on_them(
    start: Callable[..., Serving], folder: Path, mongo: Mongo, redis: Redis
) -> None:
    serving = start()
    client = await new_user(serving)
    name = (await client.call("GET", "auth/me"))["username"]
    collection_id, messages = await index(client, folder)
    assert messages[-1]["status"] == "completed"
    await _found(client, "pier 7", "note-7.txt")

    (folder / "note-7.txt").unlink()
    (folder / "new.txt").write_text("A comet was seen over the reef.")
    serving.kill()
    mongo.kill()
    mongo.start()
    redis.kill()
    redis.start()

    again = start()
    client = Client(again.url)
    await client.sign_in(name, PASSWORD)
    for path, options in (("append", None), ("reindex", {"chunk_size": 64, "chunk_overlap": 8})):
        operation = await client.call("POST", f"collections/{collection_id}/{path}", options)
        watched = [message async for message in client.watch(operation["operation_id"])]
        assert watched[-1]["status"] == "completed", watched[-1]
    await _found(client, "comet over the reef", "new.txt")
    found = await documents(client, collection_id)
    assert len(found) == _FILES and "note-7.txt" not in found
    checked = await script("cleanup", again.data, "--check")
    assert checked.status == 0, checked.out + checked.err


async def _found(client: Client, query: str, name: str) -> None:
    answer = await client.call("POST", "search", {"query": query, "k": 3})
    assert answer["hits"][0]["document"]["name"] == name and not answer.get("degraded"), answer
