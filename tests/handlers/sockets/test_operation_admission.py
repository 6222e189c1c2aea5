"""`/ws/operations/{id}`: authentication, origins, the order of messages, presence, cursors and closing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from support.api import PASSWORD, new_user
from support.clients import address, closing, connect, rest, until
from support.fake_operation import fake_operation
from support.server import Serving, complaints
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from semantik.client.api import Client
from semantik.config.settings import ProgressSettings

pytestmark = pytest.mark.gen_test


async def _cookie(serving: Serving, client: Client) -> str:
    name = (await client.call("GET", "auth/me"))["username"]
    body = json.dumps({"username": name, "password": PASSWORD})
    login = await AsyncHTTPClient().fetch(f"{serving.url}/api/v2/auth/login", method="POST", body=body)
    return login.headers["Set-Cookie"].split(";")[0]


@pytest.mark.parametrize("subprotocol", ["semantik.v1", "semantik.v1.msgpack"])
async def test_token_in_subprotocols_authenticates_and_is_not_echoed(
    shared: Serving, subprotocol: str
) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        offers = [subprotocol, f"bearer.{client.token}"]
        for subprotocols in (offers, offers[::-1]):
            socket = await connect(shared, f"/ws/operations/{operation.id}", subprotocols=subprotocols)
            assert socket.selected_subprotocol == subprotocol
            assert client.token not in str(socket.headers)
            assert (await until(socket, "current_state"))[0]["operation_id"] == operation.id
            socket.close()
        socket = await connect(
            shared, f"/ws/operations/{operation.id}", subprotocols=["semantik.v1", "bearer.x"]
        )
        assert await closing(socket) == (1008, "The token is not valid; sign in again.")
    assert client.token not in shared.log.read_text()


async def test_cookie_is_accepted_from_the_servers_own_origin_only(shared: Serving) -> None:
    client = await new_user(shared)
    cookie = await _cookie(shared, client)
    async with fake_operation(shared, client) as operation:
        path = f"/ws/operations/{operation.id}"
        for origin in ("https://evil.example", "null", "http://[", f"{shared.url}.evil.example"):
            socket = await connect(shared, path, headers={"Cookie": cookie, "Origin": origin})
            code, reason = await closing(socket)
            assert code == 1008 and "allowed_origins" in (reason or ""), origin
        with_token = {"Origin": "https://evil.example", "Authorization": f"Bearer {client.token}"}
        code, reason = await closing(await connect(shared, path, headers=with_token))
        assert code == 1008 and "allowed_origins" in (reason or "")
        token = cookie.partition("=")[2]
        for query in ({"token": token}, {}):  # the cookie's token is valid in the cookie only
            headers = {} if query else {"Authorization": f"Bearer {token}"}
            code, reason = await closing(await connect(shared, path, query, headers=headers))
            assert (code, reason) == (1008, "The token is not valid; sign in again.")
    assert token not in shared.log.read_text()


async def test_null_origin_is_accepted_with_a_token(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        socket = await connect(
            shared, f"/ws/operations/{operation.id}", {"token": client.token}, headers={"Origin": "null"}
        )
        await until(socket, "operation_started")
        socket.close()


async def test_allowed_origin_is_accepted_with_a_token_only(start: Callable[..., Serving]) -> None:
    serving = start("--allowed-origins", "https://app.example,https://other.example")
    client = await new_user(serving)
    origin = {"Origin": "https://app.example"}
    async with fake_operation(serving, client) as operation:
        path = f"/ws/operations/{operation.id}"
        socket = await connect(serving, path, {"token": client.token}, headers=origin)
        await until(socket, "operation_started")
        socket.close()
        cookie = {"Cookie": await _cookie(serving, client)}
        code, reason = await closing(await connect(serving, path, headers=origin | cookie))
        assert code == 1008 and "own pages" in (reason or "")


async def test_immediate_ping_is_answered_after_current_state(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        for _ in range(20):
            socket = await connect(shared, f"/ws/operations/{operation.id}", {"token": client.token})
            await socket.write_message("ping")
            kinds = [message["type"] for message in await until(socket, "pong")]
            assert kinds[0] == "current_state"
            socket.close()


async def test_operation_of_another_user_is_not_revealed(shared: Serving) -> None:
    owner, stranger = await new_user(shared), await new_user(shared)
    async with fake_operation(shared, owner) as operation:
        operation_ids = [operation.id, "00000000-0000-4000-8000-000000000000"]
        closings = []
        for each in operation_ids:
            socket = await connect(shared, f"/ws/operations/{each}", {"token": stranger.token})
            code, reason = await closing(socket)
            closings.append((code, (reason or "").replace(each, "…")))
        assert closings == [(1008, "There is no operation ….")] * 2


async def test_presence_follows_connects_and_disconnects(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        path, query = f"/ws/operations/{operation.id}", {"token": client.token}
        first = await connect(shared, path, query)
        before = await until(first, "presence", watchers=1, users=1)
        assert before[0]["type"] == "current_state"
        second = await connect(shared, path, query)
        [*_, seen] = await until(first, "presence", watchers=2, users=1)
        assert "id" not in seen and "seq" not in seen and seen["watchers"] == 2
        await until(second, "presence", watchers=2, users=1)
        second.close()
        await until(first, "presence", watchers=1, users=1)


async def test_all_messages_are_sent_before_the_close(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        socket = await connect(shared, f"/ws/operations/{operation.id}", {"token": client.token})
        await until(socket, "operation_started")
        last = await operation.end()
        messages = await until(socket, "status_update", status="completed")
        assert messages[-1]["id"] == last
        await socket.write_message(
            "ping"
        )  # the server gives the client time to close first, and answers it until then
        assert [message["type"] for message in await rest(socket)] == ["pong"]
        assert (socket.close_code, socket.close_reason) == (1000, "The operation has ended.")
        again = await connect(
            shared, f"/ws/operations/{operation.id}", {"token": client.token, "since": last}
        )
        assert [message["type"] for message in await rest(again)] == ["current_state"]
        assert again.close_code == 1000


@pytest.mark.parametrize("since", ["last", "$"])
async def test_connection_between_the_last_message_and_its_announcement_closes_at_once(
    shared: Serving, since: str
) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        last = await operation.end(announced=False)
        query = {"token": client.token, "since": last if since == "last" else since}
        sockets = [await connect(shared, f"/ws/operations/{operation.id}", query) for _ in range(5)]
        for socket in sockets:
            [state] = [each for each in await rest(socket) if each["type"] != "presence"]
            assert (state["type"], state["data"]["status"]) == ("current_state", "completed")
            assert socket.close_code == 1000


async def test_cursor_older_than_the_history_gets_history_truncated(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client, limits=ProgressSettings(history_messages=100)) as operation:
        path, query = f"/ws/operations/{operation.id}", {"token": client.token}
        ids = [await operation.publish("error", message=str(number)) for number in range(300)]
        complete = await connect(shared, path, query)
        retained = [f for f in await until(complete, "error", message="299") if "seq" in f]
        assert 100 <= len(retained) < 300
        truncated = await connect(shared, path, query | {"since": ids[0]})
        messages = await until(truncated, "error", message="299")
        assert [message["type"] for message in messages[:2]] == ["history_truncated", "current_state"]
        assert messages[0]["data"] == {"since": ids[0]}
        assert messages[1]["data"]["last_id"] == ids[-1]
        assert messages[2:] == retained
        live = await connect(shared, path, query | {"since": "$"})
        await until(live, "current_state")
        await operation.publish("error", message="new")
        received = [f for f in await until(live, "error", message="new") if "seq" in f]
        assert [f["message"] for f in received] == ["new"]
        for socket in (complete, truncated, live):
            socket.close()


@pytest.mark.parametrize("since", ["", "1", "-", "x-0", "1-0-0", "99999999999999999999999-0", "$$"])
async def test_malformed_cursor_gets_1008(shared: Serving, since: str) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        query = {"token": client.token, "since": since}
        code, reason = await closing(await connect(shared, f"/ws/operations/{operation.id}", query))
        assert code == 1008 and (reason or "").startswith("since must be the id of a message")


async def test_shutdown_closes_sockets_with_1001(start: Callable[..., Serving]) -> None:
    serving = start()
    client = await new_user(serving)
    async with fake_operation(serving, client) as operation:
        sockets = [
            await connect(serving, path, {"token": client.token})
            for path in (f"/ws/operations/{operation.id}", "/ws/operations")
        ]
        for socket in sockets:
            await until(socket, "operation_started")
    assert await asyncio.to_thread(serving.stop) == 0
    for socket in sockets:
        assert await closing(socket) == (1001, "The server is shutting down; connect again.")


async def test_nothing_is_sent_after_a_close_frame(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client, ended=True) as operation:
        address_parts = urlsplit(shared.url)
        reader, writer = await asyncio.open_connection(address_parts.hostname, address_parts.port)
        lines = [
            f"GET /ws/operations/{operation.id}?token={client.token} HTTP/1.1",
            f"Host: {address_parts.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version: 13",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await reader.readuntil(b"The operation has ended.")
        mask = bytes(4)
        writer.write(b"\x81\x84" + mask + b"ping" + b"\x88\x80" + mask)
        assert await reader.read() == b""
        writer.close()


async def test_requests_that_are_no_handshake_are_rejected(shared: Serving) -> None:
    client = await new_user(shared)
    url = address(shared, "/ws/operations", {"token": client.token}).replace("ws://", "http://")
    for method, status in [("GET", 400), ("POST", 405), ("HEAD", 405)]:
        body = b"" if method == "POST" else None
        answer = await AsyncHTTPClient().fetch(HTTPRequest(url, method, body=body), raise_error=False)
        assert answer.code == status
    with pytest.raises(HTTPClientError, match="422"):
        await connect(shared, "/ws/operations/%ff", {"token": client.token})
    assert client.token not in shared.log.read_text()
    assert not complaints(shared)
