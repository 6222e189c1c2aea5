"""MongoDB goes away in the middle of an INDEX, as while another primary is elected, and comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.api import documents, new_user
from support.own_stores import Mongo, secantus
from support.patience import deadline
from support.relay import Relay
from support.scripts import script
from support.server import Serving
from support.two_servers import until
from support.watchers import Watcher, same_story
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy]

_FILES = 240
_AWAY_S = 6.0
_FLAGS = ("--pool-batch-files", "2", "--auth-registration", "open", "--progress-linger-s", "2")


@pytest.fixture
def mongo(tmp_path: Path) -> Iterator[Mongo]:
    server = secantus(tmp_path / "mongo")
    yield server
    server.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(_FILES):
        (folder / f"note-{number}.txt").write_text(f"Note {number} is about the lamp of pier {number}.\n")
    return folder


async def _cut(relay: Relay, mongo: Mongo) -> None:
    """Three times, as connections break when a primary steps down; the last time nobody is there for long."""
    for _ in range(2):
        relay.cut()
        await asyncio.sleep(0.5)
    relay.away = True
    relay.cut()
    await asyncio.sleep(_AWAY_S)
    relay.away = False


async def _kill(relay: Relay, mongo: Mongo) -> None:
    mongo.kill()
    await asyncio.sleep(_AWAY_S)
    await asyncio.to_thread(mongo.start)


@asynccontextmanager
async def _searching(client: Client) -> AsyncIterator[list[int]]:
    """Search all the time; the statuses."""
    statuses: list[int] = []
    request = HTTPRequest(
        f"{client.url}/api/v2/search",
        method="POST",
        headers={"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"},
        body='{"query": "lamp of the pier"}',
        request_timeout=60,
    )

    async def search() -> None:
        while True:
            response = await AsyncHTTPClient().fetch(request, raise_error=False)
            statuses.append(response.code)
            await asyncio.sleep(0.2)

    task = asyncio.create_task(search())
    yield statuses
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("fault", [_cut, _kill])
async def test_an_operation_goes_on_after_a_change_of_primary(
    start: Callable[..., Serving],
    folder: Path,
    mongo: Mongo,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Relay, Mongo], Awaitable[None]],
) -> None:
    async with Relay(mongo.url) as relay:
        # A driver that is not told so connects to the address that the server has for itself.
        url = f"mongodb://{relay.address}/?directConnection=true&socketTimeoutMS=300000"
        monkeypatch.setenv("SEMANTIK_TEST_MONGO_URL", url)
        # Of a Redis that other tests use, too, the check of this MongoDB would report their messages.
        monkeypatch.delenv("SEMANTIK_TEST_REDIS_URL", raising=False)
        serving = await asyncio.to_thread(start, *_FLAGS)
        client = await new_user(serving)
        made = await client.call("POST", "collections", {"name": "Notes", "source_path": str(folder)})
        assert client.token is not None
        watchers = [
            Watcher([serving.url], client.token, made["operation_id"], silence_s=120) for _ in range(5)
        ]
        async with _searching(client) as statuses, asyncio.TaskGroup() as group:
            for watcher in watchers:
                group.create_task(watcher.follow())
            async with deadline():
                await until(lambda: any(each["type"] == "file_completed" for each in watchers[0].frames))
            began = time.monotonic()
            await fault(relay, mongo)
            assert not any(each["type"] == "operation_completed" for each in watchers[0].frames)
            assert time.monotonic() - began >= _AWAY_S
            async with deadline():
                await until(lambda: statuses[-1] == 200)
        messages = same_story(watchers)
        assert "operation_completed" in {message["type"] for message in messages}
        assert set(statuses) <= {200, 503} and 503 in statuses and statuses[-1] == 200, statuses
        found = await documents(client, made["id"])
        assert len(found) == _FILES and all(one["status"] == "indexed" for one in found.values())
        checked = await script("cleanup", serving.data, "--check")
        assert checked.status == 0, checked.out + checked.err
