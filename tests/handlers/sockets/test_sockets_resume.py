"""Whoever watches sees the same story: fifty that come and go, joining in a burst, a server that starts again."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import new_user
from support.fake_operation import fake_operation
from support.hold import held
from support.processes import still_running
from support.raw_socket import TEXT, connected
from support.server import Serving
from support.watchers import Watcher, same_story

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

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
    async with fake_operation(serving, client, started=False) as operation:
        crowd = Crowd(serving, client, operation.id, (1, 400))
        async with asyncio.TaskGroup() as following:
            for watcher in crowd.watchers:
                following.create_task(watcher.follow())
            for batch in range(40):
                await crowd.come(6 * batch)
                await asyncio.gather(*(operation.publish("error", batch=batch, n=n) for n in range(40)))
            await operation.end()
    assert len(same_story(crowd.watchers)) == 40 * 40 + 2


async def test_who_joins_in_the_middle_of_a_burst_misses_nothing_and_gets_nothing_twice(
    shared: Serving, tmp_path: Path
) -> None:
    """Half ask for the history, half for what is new, while messages come as fast as they can: at least 400.

    Who has not come in by then does so between two of those that follow, one batch for each who came.
    """
    client = await new_user(shared)
    async with fake_operation(shared, client, started=False) as operation:
        joined, news = 0, asyncio.Event()

        async def join(query: str) -> list[dict[str, Any]]:
            nonlocal joined
            async with connected(shared.url, operation.path + query) as socket:
                frames: list[dict[str, Any]] = []
                while (found := await socket.read()) is not None and found[0] == TEXT:
                    if not frames:
                        joined += 1
                        news.set()
                    frames.append(json.loads(found[1]))
                assert found is not None and found[1].startswith(struct.pack("!H", 1000))
                return [frame for frame in frames if frame["type"] != "presence"]

        joining = [asyncio.create_task(join(query)) for query in ["", "&since=$"] * 20]
        told = 0
        while told < 400 or joined < len(joining):
            if told >= 400:
                await news.wait()
            news.clear()
            assert not [task.exception() for task in joining if task.done()]
            await asyncio.gather(*(operation.publish("error", n=n) for n in range(told, told + 20)))
            told += 20
        await operation.end()
        everything = list(range(1, told + 3))
        found = await asyncio.gather(*joining)
        assert all(state["type"] == "current_state" for state, *_ in found)
        stories = [[frame["seq"] for frame in frames] for _, *frames in found]
        assert stories[::2] == [everything] * 20
        begins = {frame["id"]: frame["seq"] for frame in found[0][1:]} | {"0-0": 0}
        assert stories[1::2] == [everything[begins[state["data"]["last_id"]] :] for state, *_ in found[1::2]]
        # Who comes when all has been said is not kept waiting for more.
        for query in ("&since=$", f"&since={found[0][-1]['id']}"):
            assert [frame["type"] for frame in await join(query)] == ["current_state"]


@pytest.mark.crowded
async def test_a_crowd_comes_and_goes_while_the_server_indexes_and_starts_again(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    flags = (*ROOMY, "--progress-updates-per-s", "1000", "--pool-batch-files", "1")
    serving = start(*flags)
    client = await new_user(serving)
    folder = _folder(tmp_path, 150)
    async with asyncio.TaskGroup() as following:
        with held(folder, "gust-149.txt"):
            made = await client.call("POST", "collections", {"name": "Wind", "source_path": str(folder)})
            crowd = Crowd(serving, client, made["operation_id"], (5, 100))
            for watcher in crowd.watchers:
                following.create_task(watcher.follow())
            async for frame in client.watch(made["operation_id"]):
                if frame["type"] == "document_processed":
                    break
            tree = serving.tree
            serving.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(still_running, tree) == []
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
