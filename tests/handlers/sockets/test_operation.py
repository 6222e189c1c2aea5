"""`/ws/operations/{id}` on a real server: getting in, being refused, joining late, resuming, ping and garbage."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD, new_user
from support.patience import patience
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


async def _operation(client: Client, tmp_path: Path, files: int = 3) -> str:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(files):
        (folder / f"{number:03}.txt").write_text(f"Text {number} tells of the harvest.")
    made = await client.call("POST", "collections", {"name": "Socket", "source_path": str(folder)})
    return str(made["operation_id"])


async def _connect(
    serving: Serving, operation_id: str, query: str = "", headers: dict[str, str] | None = None
) -> WebSocketClientConnection:
    address = f"ws{serving.url.removeprefix('http')}/ws/operations/{operation_id}?{query}"
    return await websocket_connect(HTTPRequest(address, headers=headers or {}))


async def _rest(socket: WebSocketClientConnection) -> list[dict[str, Any]]:
    frames = []
    while (text := await asyncio.wait_for(socket.read_message(), patience())) is not None:
        frames.append(json.loads(text))
    return frames


async def test_a_socket_is_accepted_first_and_then_closed_with_a_reason(
    shared: Serving, tmp_path: Path
) -> None:
    owner, stranger = await new_user(shared), await new_user(shared)
    operation_id = await _operation(owner, tmp_path)
    for query, headers, word in [
        ("", {}, "Sign in"),
        ("token=garbage", {}, "not valid"),
        (f"token={stranger.token}", {}, "no operation"),
        (f"token={owner.token}", {"Origin": "https://evil.example"}, "origin"),
        (f"token={owner.token}&since=yesterday", {}, "since"),
        ("token=%ff", {}, ""),
    ]:
        socket = await _connect(shared, operation_id, query, headers)
        frames = await _rest(socket)
        assert frames == []
        assert socket.close_code == 1008, query
        assert word in (socket.close_reason or ""), socket.close_reason
    socket = await _connect(shared, "no-such-operation", f"token={owner.token}")
    await _rest(socket)
    assert (socket.close_code, socket.close_reason) == (1008, "There is no operation no-such-operation.")


async def test_every_way_in_is_open(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    operation_id = await _operation(client, tmp_path)
    name = (await client.call("GET", "auth/me"))["username"]
    login = await AsyncHTTPClient().fetch(
        f"{shared.url}/api/v2/auth/login",
        method="POST",
        body=json.dumps({"username": name, "password": PASSWORD}),
    )
    cookie = login.headers["Set-Cookie"].split(";")[0]
    for query, headers in [
        (f"token={client.token}", {}),
        ("", {"Authorization": f"Bearer {client.token}"}),
        ("", {"Cookie": cookie}),
        ("", {"Cookie": cookie, "Origin": shared.url}),
    ]:
        socket = await _connect(shared, operation_id, query, headers)
        frames = await _rest(socket)
        assert frames[0]["type"] == "current_state"
        assert frames[-1]["data"]["status"] == "completed"
        assert socket.close_code == 1000


async def test_resuming_gives_exactly_the_rest(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    operation_id = await _operation(client, tmp_path, 40)
    everything = [f for f in [f async for f in client.watch(operation_id)] if "id" in f]
    for at in (0, len(everything) // 2, len(everything) - 1):
        rest = [f async for f in client.watch(operation_id, since=everything[at]["id"])]
        assert rest[0]["type"] == "current_state"
        assert rest[0]["data"]["last_id"] == everything[-1]["id"]
        assert rest[1:] == everything[at + 1 :]
    only_now = [f async for f in client.watch(operation_id, since="$")]
    assert [f["type"] for f in only_now] == ["current_state"]
    lost = [f async for f in client.watch(operation_id, since="5-0")]
    assert [f["type"] for f in lost][:2] == ["history_truncated", "current_state"]


async def test_twenty_watchers_that_join_at_any_moment_see_the_same(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    operation_id = await _operation(client, tmp_path, 150)

    async def join(number: int) -> list[str]:
        await asyncio.sleep(number * 0.02)  # spreads the joining; nothing depends on it
        return [f["id"] async for f in client.watch(operation_id) if "id" in f]

    seen = await asyncio.gather(*(join(number) for number in range(20)))
    assert all(ids == seen[0] for ids in seen)
    assert len(set(seen[0])) == len(seen[0]) > 8


async def test_pings_are_answered_and_garbage_is_told(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    operation_id = await _operation(client, tmp_path)
    socket = await _connect(shared, operation_id, f"token={client.token}")
    for message in ("ping", '{"type": "ping"}', "{", "[]", '{"type": "dance"}', "[" * 10_000):
        await socket.write_message(message)
    kinds: list[str] = []
    while kinds.count("pong") + kinds.count("error") < 6:
        text = await asyncio.wait_for(socket.read_message(), patience())
        assert text is not None
        kinds.append(json.loads(text)["type"])
    assert [kind for kind in kinds if kind in ("pong", "error")] == ["pong"] * 2 + ["error"] * 4
    await socket.write_message(b"\x00\x01", binary=True)
    await socket.write_message("ping")  # answered by nobody, and no reason to complain
    await _rest(socket)
    assert socket.close_code == 1007
    await client.call("GET", "health")
    assert client.token not in shared.log.read_text()


async def test_a_message_that_is_too_long_closes_with_1009(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    socket = await _connect(shared, await _operation(client, tmp_path), f"token={client.token}")
    await socket.write_message("x" * (65 << 10))
    await _rest(socket)
    assert socket.close_code == 1009
