"""Limits on sockets, and credentials that become invalid while a socket is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from support.api import new_user
from support.clients import EventStream, closing, connect, receive, until
from support.fake_operation import fake_operation, server_stores
from support.patience import deadline
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

_OPEN = ("--auth-registration", "open", "--progress-linger-s", "1")


def _stream(serving: Serving, client: Client, operation_id: str) -> EventStream:
    return EventStream(serving, operation_id, {"Authorization": f"Bearer {client.token}"})


async def test_sockets_per_user_are_limited_across_all_endpoints(start: Callable[..., Serving]) -> None:
    serving = start(*_OPEN, "--sockets-per-user", "3")
    client, other = await new_user(serving), await new_user(serving)
    limit_reason = (
        "You have 3 sockets open, and 3 are allowed (sockets.per_user): close one, or try again later."
    )
    async with fake_operation(serving, client) as operation:
        path, query = f"/ws/operations/{operation.id}", {"token": client.token}
        sockets = [await connect(serving, path, query), await connect(serving, "/ws/operations", query)]
        for socket in sockets:
            await until(socket, "current_state")
        stream = _stream(serving, client, operation.id)
        await stream.until("current_state")
        for each in (path, "/ws/operations"):
            assert await closing(await connect(serving, each, query)) == (1013, limit_reason)
        unaffected = await connect(serving, "/ws/operations", {"token": other.token})
        await unaffected.write_message("ping")
        await until(unaffected, "pong")
        sockets[0].close()
        while not await _accepts_socket(serving, query):  # released once the server has seen the close
            pass
        stream.leave()


async def _accepts_socket(serving: Serving, query: dict[str, str]) -> bool:
    socket = await connect(serving, "/ws/operations", query)
    await socket.write_message("ping")
    message = await receive(socket)
    socket.close()
    return message is not None


async def test_sockets_per_operation_are_limited(start: Callable[..., Serving]) -> None:
    serving = start(*_OPEN, "--sockets-per-operation", "2")
    client = await new_user(serving)
    async with fake_operation(serving, client) as operation, fake_operation(serving, client) as other:
        path, query = f"/ws/operations/{operation.id}", {"token": client.token}
        for _ in range(2):
            await until(await connect(serving, path, query), "current_state")
        code, reason = await closing(await connect(serving, path, query))
        assert code == 1013
        assert reason == (
            "2 sockets watch this operation, and 2 are allowed (sockets.per_operation): try again later."
        )
        await until(await connect(serving, f"/ws/operations/{other.id}", query), "current_state")
        # All of them can still be watched on one socket.
        all_operations = await connect(serving, "/ws/operations", query)
        messages = await until(all_operations, "operation_started")
        messages += await until(all_operations, "operation_started")
        assert {message["operation_id"] for message in messages} == {operation.id, other.id}


async def test_message_length_and_rate_are_limited(start: Callable[..., Serving]) -> None:
    serving = start(*_OPEN, "--sockets-messages-per-s", "5", "--sockets-message-bytes", "1024")
    client = await new_user(serving)
    query = {"token": client.token}
    socket = await connect(serving, "/ws/operations", query)
    for _ in range(5):
        await socket.write_message("ping")
    for _ in range(5):
        await until(socket, "pong")
    # The server may have closed it before the last one is written.
    await asyncio.gather(*(socket.write_message("ping") for _ in range(10)), return_exceptions=True)
    assert await closing(socket) == (1008, "More than 5 messages came within a second.")
    for deflate in (False, True):
        socket = await connect(serving, "/ws/operations", query, deflate=deflate)
        fits = '{"type": "ping"}'.ljust(1024)
        await socket.write_message(fits)
        await until(socket, "pong")
        await socket.write_message(fits + " ")
        assert await closing(socket) == (1009, "A message may have 1024 bytes at most.")
    socket = await connect(serving, "/ws/operations", query, deflate=True)
    await socket.write_message(" " * (30 << 20))  # compressed it is small on the wire
    code, _ = await closing(socket)
    assert code == 1009
    socket = await connect(serving, "/ws/operations", query)
    for message in ("ping", "still here"):
        await socket.write_message(message)
    await until(socket, "error")


async def test_sign_out_closes_the_sockets_of_its_session_only(shared: Serving) -> None:
    client = await new_user(shared)
    other = await new_user(shared)
    async with fake_operation(shared, client) as operation, fake_operation(shared, other) as other_operation:
        sockets = [
            await connect(shared, path, {"token": client.token})
            for path in (f"/ws/operations/{operation.id}", "/ws/operations")
        ]
        other_socket = await connect(shared, f"/ws/operations/{other_operation.id}", {"token": other.token})
        for socket in (*sockets, other_socket):
            await until(socket, "current_state")
        await client.call("POST", "auth/logout")
        for socket in sockets:
            assert await closing(socket) == (1008, "The session has ended; sign in again.")
        code, reason = await closing(await connect(shared, "/ws/operations", {"token": client.token}))
        assert (code, reason) == (1008, "The session has ended; sign in again.")
        await other_socket.write_message("ping")
        await until(other_socket, "pong")
        other_socket.close()


async def test_disabling_a_user_closes_open_sockets(start: Callable[..., Serving]) -> None:
    serving = start(*_OPEN)
    client = await new_user(serving)
    me = (await client.call("GET", "auth/me"))["id"]
    async with fake_operation(serving, client) as operation:
        socket = await connect(serving, f"/ws/operations/{operation.id}", {"token": client.token})
        all_operations = await connect(serving, "/ws/operations", {"token": client.token})
        stream = _stream(serving, client, operation.id)
        await stream.until("operation_started")
        for each in (socket, all_operations):
            await until(each, "operation_started")
        async with server_stores(serving) as (store, _):
            await store.users._table.update_one({"_id": me}, {"$set": {"disabled": True}})
        for each in (socket, all_operations):
            assert await closing(each) == (1008, "The user is disabled.")
        [*_, last] = await stream.rest()
        assert last.data == {"code": 1008, "reason": "The user is disabled."}


async def test_token_expiry_closes_open_sockets(start: Callable[..., Serving]) -> None:
    serving = start(*_OPEN, "--auth-access-token-s", "10", "--log-level", "debug")
    client = await new_user(serving)
    async with fake_operation(serving, client) as operation:
        reason = "The token has expired; connect again with a new one."
        sockets = [
            await connect(serving, path, {"token": client.token})
            for path in (f"/ws/operations/{operation.id}", "/ws/operations")
        ]
        stream = _stream(serving, client, operation.id)
        closings = await asyncio.gather(stream.rest(), *map(closing, sockets))
        assert closings[1:] == [(1008, reason)] * 2
        assert closings[0][-1].data == {"code": 1008, "reason": reason}
        code, expired = await closing(await connect(serving, "/ws/operations", {"token": client.token}))
        assert (code, expired) == (1008, "The token has expired; refresh it or sign in again.")
        assert client.token not in serving.log.read_text()


async def test_client_that_answers_no_ping_is_dropped(start: Callable[..., Serving]) -> None:
    serving = start("--auth-registration", "open", "--sockets-ping-s", "1")
    client = await new_user(serving)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(serving.url.rpartition(":")[2]))
    writer.write(
        f"GET /ws/operations?token={client.token} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    async with deadline():
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        received = await reader.read()  # to the end of the connection
    assert received.startswith(b"\x89"), "a ping came first, which this client did not answer"
    writer.close()
