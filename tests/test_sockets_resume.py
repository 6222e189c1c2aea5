"""Whoever watches sees the same story: fifty that come and go, joining in a burst, a server that starts again."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import Serving, new_user
from raw_socket import TEXT, connected
from staged import staged
from watchers import Watcher, same_story

from semantik.client import Client

pytestmark = pytest.mark.gen_test(timeout=120)

ROOMY = (
    "--auth-registration", "open", "--sockets-per-user", "500", "--sockets-per-operation", "500",
    "--progress-linger-s", "0.2",
)  # fmt: skip
CROWD = 50


class Crowd:
    """Watchers of one operation, and how often they have come, which a test may wait for."""

    def __init__(
        self, serving: Serving, client: Client, operation_id: str, patience: tuple[int, int]
    ) -> None:
        chance = random.Random(20260115)
        self._visits = 0
        self._visited = asyncio.Event()
        self.urls = [serving.url]
        self.watchers = [
            Watcher(self.urls, client.token, operation_id, lambda: chance.randint(*patience), self._count)
            for _ in range(CROWD)
        ]

    async def come(self, visits: int) -> None:
        while self._visits < visits:
            self._visited.clear()
            await self._visited.wait()

    def _count(self) -> None:
        self._visits += 1
        self._visited.set()


@pytest.mark.crowded
async def test_fifty_who_come_and_go_at_random_see_the_same_story(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    """The operation tells more only when some have come back, so they come back in the middle of it."""
    serving = start(*ROOMY)
    client = await new_user(serving)
    async with staged(serving, client, tmp_path / "empty") as stage, stage.publisher() as publisher:
        crowd = Crowd(serving, client, stage.operation_id, (1, 400))
        async with asyncio.TaskGroup() as following:
            for watcher in crowd.watchers:
                following.create_task(watcher.follow())
            for batch in range(40):
                await crowd.come(6 * batch)
                await asyncio.gather(*(publisher.tell("error", batch=batch, n=n) for n in range(40)))
            await stage.end(publisher)
    assert len(same_story(crowd.watchers)) == 40 * 40 + 2


async def test_who_joins_in_the_middle_of_a_burst_misses_nothing_and_gets_nothing_twice(
    shared: Serving, tmp_path: Path
) -> None:
    """Twenty ask for the history, twenty for what is new, while 400 messages come as fast as they can."""
    client = await new_user(shared)
    async with staged(shared, client, tmp_path / "empty") as stage, stage.publisher() as publisher:

        async def join(query: str) -> list[dict[str, Any]]:
            async with connected(shared.url, stage.path + query) as socket:
                frames = []
                while (found := await socket.read()) is not None and found[0] == TEXT:
                    frames.append(json.loads(found[1]))
                assert found is not None and found[1].startswith(b"\x03\xe8"), "it ends with 1000"
                return [frame for frame in frames if frame["type"] != "presence"]

        async def join_after(told: asyncio.Task[str], query: str) -> list[dict[str, Any]]:
            await told
            return await join(query)

        burst = [asyncio.create_task(publisher.tell("error", n=n)) for n in range(400)]
        whole = [asyncio.create_task(join_after(told, "")) for told in burst[100:300:10]]
        new = [asyncio.create_task(join_after(told, "&since=$")) for told in burst[105:305:10]]
        await asyncio.gather(*burst)
        await stage.end(publisher)
        everything = range(1, 403)
        for state, *frames in await asyncio.gather(*whole):
            assert state["type"] == "current_state"
            assert [frame["seq"] for frame in frames] == list(everything)
        ids = {frame["id"]: frame["seq"] for frame in frames}
        for state, *frames in await asyncio.gather(*new):
            assert [frame["seq"] for frame in frames] == list(everything[ids[state["data"]["last_id"]] :])


@pytest.mark.crowded
async def test_a_crowd_comes_and_goes_while_the_server_indexes_and_starts_again(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    flags = (*ROOMY, "--progress-updates-per-s", "1000", "--pool-batch-files", "1")
    serving = start(*flags)
    client = await new_user(serving)
    folder = _folder(tmp_path, 150)
    made = await client.call("POST", "collections", {"name": "Wind", "source_path": str(folder)})
    crowd = Crowd(serving, client, made["operation_id"], (5, 100))
    async with asyncio.TaskGroup() as following:
        for watcher in crowd.watchers:
            following.create_task(watcher.follow())
        async for frame in client.watch(made["operation_id"]):
            if frame["type"] == "document_processed":
                break
        tree = serving.tree
        serving.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(psutil.wait_procs, tree, 20)
        assert not any(watcher.ended for watcher in crowd.watchers), "the end must come in the middle"
        crowd.urls[0] = (await asyncio.to_thread(start, *flags)).url
    frames = same_story(crowd.watchers)
    done = [frame["data"]["processed"] for frame in frames if frame["type"] == "document_processed"]
    assert done == sorted(done)
    assert done[-1] == 150


def _folder(tmp_path: Path, files: int) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(files):
        lines = [f"Gust {number}.{part} came from the west at {number * part} knots." for part in range(6)]
        (folder / f"gust-{number:03}.txt").write_text("\n\n".join(lines))
    return folder
