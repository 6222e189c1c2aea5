"""`/ws/operations/{id}` on a real server: authentication, late joins, resuming, pings and invalid messages."""

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
    messages = []
    while (text := await asyncio.wait_for(socket.read_message(), patience())) is not None:
        messages.append(json.loads(text))
    return messages


async def test_rejected_sockets_are_accepted_and_then_closed_with_1008(
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
        messages = await _rest(socket)
        assert messages == []
        assert socket.close_code == 1008, query
        assert word in (socket.close_reason or ""), socket.close_reason
    socket = await _connect(shared, "no-such-operation", f"token={owner.token}")
    await _rest(socket)
    assert (socket.close_code, socket.close_reason) == (1008, "There is no operation no-such-operation.")


async def test_each_authentication_method_is_accepted(shared: Serving, tmp_path: Path) -> None:
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
        messages = await _rest(socket)
        assert messages[0]["type"] == "current_state"
        assert messages[-1]["data"]["status"] == "completed"
        assert socket.close_code == 1000


async def test_resuming_sends_exactly_the_missed_messages(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    operation_id = await _operation(client, tmp_path, 40)
    all_messages = [f for f in [f async for f in client.watch(operation_id)] if "id" in f]
    for index in (0, len(all_messages) // 2, len(all_messages) - 1):
        missed = [f async for f in client.watch(operation_id, since=all_messages[index]["id"])]
        assert missed[0]["type"] == "current_state"
        assert missed[0]["data"]["last_id"] == all_messages[-1]["id"]
        assert missed[1:] == all_messages[index + 1 :]
    new_only = [f async for f in client.watch(operation_id, since="$")]
    assert [f["type"] for f in new_only] == ["current_state"]
    truncated = [f async for f in client.watch(operation_id, since="5-0")]
    assert [f["type"] for f in truncated][:2] == ["history_truncated", "current_state"]


async def test_twenty_watchers_that_join_at_different_times_see_the_same_messages(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    operation_id = await _operation(client, tmp_path, 150)

    async def join(number: int) -> list[str]:
        await asyncio.sleep(number * 0.02)  # spreads the joins; nothing depends on it
        return [f["id"] async for f in client.watch(operation_id) if "id" in f]

    seen = await asyncio.gather(*(join(number) for number in range(20)))
    assert all(ids == seen[0] for ids in seen)
    assert len(set(seen[0])) == len(seen[0]) > 8


async def test_pings_get_pongs_and_invalid_messages_get_errors(shared: Serving, tmp_path: Path) -> None:
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
    await socket.write_message("ping")  # gets no answer, and logs nothing
    await _rest(socket)
    assert socket.close_code == 1007
    await client.call("GET", "health")
    assert client.token not in shared.log.read_text()


async def test_too_long_message_gets_1009(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    socket = await _connect(shared, await _operation(client, tmp_path), f"token={client.token}")
    await socket.write_message("x" * (65 << 10))
    await _rest(socket)
    assert socket.close_code == 1009
