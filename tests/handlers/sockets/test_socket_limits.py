"""What one user may do with sockets, and for how long: limits, and tokens that cease to be good while it is open."""

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


async def test_a_user_may_have_so_many_sockets_whatever_they_show(start: Callable[..., Serving]) -> None:
    serving = start(*_OPEN, "--sockets-per-user", "3")
    client, other = await new_user(serving), await new_user(serving)
    full = "You have 3 sockets open, and 3 are allowed (sockets.per_user): close one, or try again later."
    async with fake_operation(serving, client) as operation:
        path, query = f"/ws/operations/{operation.id}", {"token": client.token}
        kept = [await connect(serving, path, query), await connect(serving, "/ws/operations", query)]
        for socket in kept:
            await until(socket, "current_state")
        stream = _stream(serving, client, operation.id)
        await stream.until("current_state")
        for each in (path, "/ws/operations"):
            assert await closing(await connect(serving, each, query)) == (1013, full)
        unaffected = await connect(serving, "/ws/operations", {"token": other.token})
        await unaffected.write_message("ping")
        await until(unaffected, "pong")
        kept[0].close()
        while not await _let_in(serving, query):  # the place is free as soon as the server has noticed
            pass
        stream.leave()


async def _let_in(serving: Serving, query: dict[str, str]) -> bool:
    socket = await connect(serving, "/ws/operations", query)
    await socket.write_message("ping")
    frame = await receive(socket)
    socket.close()
    return frame is not None


async def test_so_many_sockets_may_watch_one_operation(start: Callable[..., Serving]) -> None:
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
        everything = await connect(serving, "/ws/operations", query)
        frames = await until(everything, "operation_started")
        frames += await until(everything, "operation_started")
        assert {frame["operation_id"] for frame in frames} == {operation.id, other.id}


async def test_messages_have_a_length_and_come_at_a_rate(start: Callable[..., Serving]) -> None:
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
    await socket.write_message(" " * (30 << 20))  # packed it is small on the wire
    code, _ = await closing(socket)
    assert code == 1009
    socket = await connect(serving, "/ws/operations", query)
    for message in ("ping", "still here"):
        await socket.write_message(message)
    await until(socket, "error")


async def test_a_sign_out_closes_what_is_open_and_nothing_else(shared: Serving) -> None:
    client = await new_user(shared)
    other = await new_user(shared)
    async with fake_operation(shared, client) as operation, fake_operation(shared, other) as others:
        sockets = [
            await connect(shared, path, {"token": client.token})
            for path in (f"/ws/operations/{operation.id}", "/ws/operations")
        ]
        stays = await connect(shared, f"/ws/operations/{others.id}", {"token": other.token})
        for socket in (*sockets, stays):
            await until(socket, "current_state")
        await client.call("POST", "auth/logout")
        for socket in sockets:
            assert await closing(socket) == (1008, "The session has ended; sign in again.")
        code, reason = await closing(await connect(shared, "/ws/operations", {"token": client.token}))
        assert (code, reason) == (1008, "The session has ended; sign in again.")
        await stays.write_message("ping")
        await until(stays, "pong")
        stays.close()


async def test_a_user_who_is_disabled_is_shut_out(start: Callable[..., Serving]) -> None:
    serving = start(*_OPEN)
    client = await new_user(serving)
    me = (await client.call("GET", "auth/me"))["id"]
    async with fake_operation(serving, client) as operation:
        socket = await connect(serving, f"/ws/operations/{operation.id}", {"token": client.token})
        everything = await connect(serving, "/ws/operations", {"token": client.token})
        stream = _stream(serving, client, operation.id)
        await stream.until("operation_started")
        for each in (socket, everything):
            await until(each, "operation_started")
        async with server_stores(serving) as (store, _):
            await store.users._table.update_one({"_id": me}, {"$set": {"disabled": True}})
        for each in (socket, everything):
            assert await closing(each) == (1008, "The user is disabled.")
        [*_, last] = await stream.rest()
        assert last.data == {"code": 1008, "reason": "The user is disabled."}


async def test_a_token_that_expires_while_the_socket_is_open_closes_it(start: Callable[..., Serving]) -> None:
    serving = start(*_OPEN, "--auth-access-token-s", "10", "--log-level", "debug")
    client = await new_user(serving)
    async with fake_operation(serving, client) as operation:
        reason = "The token has expired; connect again with a new one."
        sockets = [
            await connect(serving, path, {"token": client.token})
            for path in (f"/ws/operations/{operation.id}", "/ws/operations")
        ]
        stream = _stream(serving, client, operation.id)
        endings = await asyncio.gather(stream.rest(), *map(closing, sockets))
        assert endings[1:] == [(1008, reason)] * 2
        assert endings[0][-1].data == {"code": 1008, "reason": reason}
        code, again = await closing(await connect(serving, "/ws/operations", {"token": client.token}))
        assert (code, again) == (1008, "The token has expired; refresh it or sign in again.")
        assert client.token not in serving.log.read_text()


async def test_who_answers_no_ping_is_dropped(start: Callable[..., Serving]) -> None:
    serving = start("--auth-registration", "open", "--sockets-ping-s", "1")
    client = await new_user(serving)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(serving.url.rpartition(":")[2]))
    writer.write(
        f"GET /ws/operations?token={client.token} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    async with deadline():
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        told = await reader.read()  # to the end of the connection
    assert told.startswith(b"\x89"), "a ping came first, which this client did not answer"
    writer.close()
