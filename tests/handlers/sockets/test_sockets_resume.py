"""All watchers see the same messages: fifty that reconnect at random, joins during a burst, a server restart."""

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

HIGH_LIMITS = (
    "--auth-registration", "open", "--sockets-per-user", "500", "--sockets-per-operation", "500",
    "--progress-linger-s", "0.2",
)  # fmt: skip
WATCHER_COUNT = 50


class WatcherGroup:
    """Watchers of one operation, and the number of their visits, which a test can wait for."""

    def __init__(
        self, serving: Serving, client: Client, operation_id: str, messages_per_visit: tuple[int, int]
    ) -> None:
        rng = random.Random(20260115)
        self._visits = 0
        self._visited = asyncio.Event()
        self.urls = [serving.url]
        self.watchers = [
            Watcher(
                self.urls, client.token, operation_id, lambda: rng.randint(*messages_per_visit), self._count
            )
            for _ in range(WATCHER_COUNT)
        ]

    async def wait_for_visits(self, visits: int) -> None:
        while self._visits < visits:
            self._visited.clear()
            await self._visited.wait()

    def _count(self) -> None:
        self._visits += 1
        self._visited.set()


@pytest.mark.crowded
async def test_fifty_watchers_that_reconnect_at_random_see_the_same_messages(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    """Each batch is published only after some watchers have reconnected, so they reconnect in mid-operation."""
    serving = start(*HIGH_LIMITS)
    client = await new_user(serving)
    async with fake_operation(serving, client, started=False) as operation:
        group = WatcherGroup(serving, client, operation.id, (1, 400))
        async with asyncio.TaskGroup() as following:
            for watcher in group.watchers:
                following.create_task(watcher.follow())
            for batch in range(40):
                await group.wait_for_visits(6 * batch)
                await asyncio.gather(*(operation.publish("error", batch=batch, n=n) for n in range(40)))
            await operation.end()
    assert len(same_story(group.watchers)) == 40 * 40 + 2


async def test_joining_during_a_burst_loses_and_repeats_nothing(shared: Serving, tmp_path: Path) -> None:
    """Half request the history, half only new messages, while at least 400 are published at full speed.

    Sockets that are not connected by then connect between later batches: one batch follows each connect.
    """
    client = await new_user(shared)
    async with fake_operation(shared, client, started=False) as operation:
        joined, connected_event = 0, asyncio.Event()

        async def join(query: str) -> list[dict[str, Any]]:
            nonlocal joined
            async with connected(shared.url, operation.path + query) as socket:
                messages: list[dict[str, Any]] = []
                while (found := await socket.read()) is not None and found[0] == TEXT:
                    if not messages:
                        joined += 1
                        connected_event.set()
                    messages.append(json.loads(found[1]))
                assert found is not None and found[1].startswith(struct.pack("!H", 1000))
                return [message for message in messages if message["type"] != "presence"]

        joins = [asyncio.create_task(join(query)) for query in ["", "&since=$"] * 20]
        published = 0
        while published < 400 or joined < len(joins):
            if published >= 400:
                await connected_event.wait()
            connected_event.clear()
            assert not [task.exception() for task in joins if task.done()]
            await asyncio.gather(*(operation.publish("error", n=n) for n in range(published, published + 20)))
            published += 20
        await operation.end()
        all_seqs = list(range(1, published + 3))
        found = await asyncio.gather(*joins)
        assert all(state["type"] == "current_state" for state, *_ in found)
        seqs = [[message["seq"] for message in messages] for _, *messages in found]
        assert seqs[::2] == [all_seqs] * 20
        seq_by_id = {message["id"]: message["seq"] for message in found[0][1:]} | {"0-0": 0}
        assert seqs[1::2] == [all_seqs[seq_by_id[state["data"]["last_id"]] :] for state, *_ in found[1::2]]
        # A socket that connects after the end does not wait for more.
        for query in ("&since=$", f"&since={found[0][-1]['id']}"):
            assert [message["type"] for message in await join(query)] == ["current_state"]


@pytest.mark.crowded
async def test_reconnecting_watchers_see_the_same_messages_across_a_restart(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    flags = (*HIGH_LIMITS, "--progress-updates-per-s", "1000", "--pool-batch-files", "1")
    serving = start(*flags)
    client = await new_user(serving)
    folder = _folder(tmp_path, 150)
    async with asyncio.TaskGroup() as following:
        with held(folder, "gust-149.txt"):
            made = await client.call("POST", "collections", {"name": "Wind", "source_path": str(folder)})
            group = WatcherGroup(serving, client, made["operation_id"], (5, 100))
            for watcher in group.watchers:
                following.create_task(watcher.follow())
            async for message in client.watch(made["operation_id"]):
                if message["type"] == "document_processed":
                    break
            tree = serving.tree
            serving.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(still_running, tree) == []
        assert not any(watcher.ended for watcher in group.watchers), "the restart must come in mid-operation"
        group.urls[0] = (await asyncio.to_thread(start, *flags)).url
    messages = same_story(group.watchers)
    processed = [
        message["data"]["processed"] for message in messages if message["type"] == "document_processed"
    ]
    assert processed == sorted(processed)
    assert processed[-1] == 150


def _folder(tmp_path: Path, files: int) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(files):
        lines = [f"Gust {number}.{part} came from the west at {number * part} knots." for part in range(6)]
        (folder / f"gust-{number:03}.txt").write_text("\n\n".join(lines))
    return folder
