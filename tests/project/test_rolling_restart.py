"""Two servers behind a proxy are restarted in turn, during searches and an INDEX with watchers: nobody notices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import websockets
from support.api import index, new_user
from support.local_tls import free_port
from support.operation_fixtures import (
    SMALL_STEPS,
    begin,
    in_the_middle,
    is_as_undisturbed,
    make_folder,
    until_ended,
)
from support.proxies import Proxy, missing, proxied
from support.server import Serving
from support.two_servers import Two, until
from support.watchers import is_end

from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.server]

_FLAGS = (
    *SMALL_STEPS,
    "--progress-linger-s",
    "2",
    "--trusted-proxies",
    "127.0.0.1",
    "--auth-registration",
    "open",
)
_WATCHERS = 8
_SEARCHERS = 3
_NOTICED_S = 2.5  # until a proxy sends requests again to a server that is back


class _Watcher:
    """Follows an operation through the proxy, and comes back after each loss with the last id that it has."""

    def __init__(self, proxy: Proxy, token: str, operation_id: str) -> None:
        self._proxy, self._token, self._operation_id = proxy, token, operation_id
        self.messages: list[tuple[str, int, str]] = []
        self.visits = 0

    async def follow(self) -> None:
        while True:
            since = f"&since={self.messages[-1][0]}" if self.messages else ""
            path = f"/ws/operations/{self._operation_id}?token={self._token}{since}"
            try:
                async with self._proxy.socket(path) as opened:
                    self.visits += 1
                    async for text in opened:
                        frame = json.loads(text)
                        assert frame["type"] != "history_truncated", "messages were lost"
                        if "id" in frame:
                            self.messages.append((frame["id"], frame["seq"], frame["type"]))
                            if is_end(frame):
                                return
            except (websockets.ConnectionClosed, websockets.InvalidStatus, OSError):
                await asyncio.sleep(0.1)


@asynccontextmanager
async def _searching(proxy: Proxy, token: str) -> AsyncIterator[list[tuple[int | str, int]]]:
    """Search all the time, each on a connection that is kept; (status or error, hits) of each."""
    found: list[tuple[int | str, int]] = []

    async def search() -> None:
        async with proxy.client(Authorization=f"Bearer {token}") as client:
            while True:
                try:
                    answer = await client.post("/api/v2/search", json={"query": "lamp of the pier", "k": 3})
                except httpx.TransportError as error:
                    found.append((repr(error), 0))
                    continue
                found.append((answer.status_code, len(answer.json().get("hits", []))))
                await asyncio.sleep(0.05)

    tasks = [asyncio.create_task(search()) for _ in range(_SEARCHERS)]
    try:
        yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("name", ["haproxy", "nginx"])
async def test_a_rolling_restart_fails_no_search_and_loses_no_message(name: str, tmp_path: Path) -> None:
    if lacking := missing(name):
        pytest.skip(f"{lacking} not installed")
    ports = [free_port(), free_port()]
    with Two(tmp_path) as two:

        def start(number: int) -> Serving:
            return two.start_one(f"server-{number}", "--port", str(ports[number]), *_FLAGS)

        two.servers = [await asyncio.to_thread(start, number) for number in (0, 1)]
        user = await new_user(two.servers[0])
        assert user.token is not None
        await index(user, make_folder(tmp_path / "first", 8), "First")
        async with Store(two.stores.mongo_url, two.stores.database) as store:
            with proxied(name, [f"127.0.0.1:{port}" for port in ports]) as proxy:
                async with _searching(proxy, user.token) as found, asyncio.TaskGroup() as group:
                    await until(lambda: len(found) > 3 * _SEARCHERS)
                    begun = await begin("index", user, make_folder(tmp_path / "folder", 120))
                    watchers = [_Watcher(proxy, user.token, begun.operation_id) for _ in range(_WATCHERS)]
                    for watcher in watchers:
                        group.create_task(watcher.follow())
                    await in_the_middle(store, begun, 1 / 10)
                    for number in (0, 1):
                        before = len(found)
                        assert await asyncio.to_thread(two.servers[number].stop) == 0
                        two.servers[number] = await asyncio.to_thread(start, number)
                        await asyncio.sleep(_NOTICED_S)
                        assert len(found) > before
                    operation = await until_ended(store, begun)
            assert operation.status == "completed"
            await is_as_undisturbed(begun, user, two.stores, alone=False)
        assert {status for status, _ in found} == {200}
        assert {hits for _, hits in found} == {3}
        story = watchers[0].messages
        assert [seq for _, seq, _ in story] == list(range(1, len(story) + 1))
        assert all(watcher.messages == story for watcher in watchers)
        assert [kind for _, _, kind in story].count("operation_completed") == 1
        assert sum(watcher.visits for watcher in watchers) > _WATCHERS, (
            "some server was restarted under a watcher"
        )
