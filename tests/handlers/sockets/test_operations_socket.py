"""`/ws/operations`: all operations of one user, started earlier or later, and none of other users."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock, Mock

import pytest
from support import clients
from support.api import new_user
from support.clients import Frame, closing, connect, receive
from support.fake_operation import FakeOperation, fake_operation
from support.hold import held
from support.server import Serving
from tornado.websocket import WebSocketClientConnection

from handlers.sockets.operations import OperationsSocketHandler
from semantik.client.api import Client
from semantik.core.models import new_id
from semantik.services.queued_operation import queued_operation

pytestmark = pytest.mark.gen_test


async def _connect(serving: Serving, client: Client, **query: str) -> WebSocketClientConnection:
    return await connect(serving, "/ws/operations", {"token": client.token, **query})


async def until(socket: WebSocketClientConnection, kind: str, **data: Any) -> list[Frame]:
    """All messages up to the first of this type, without presence, which may come at any time."""
    return [message for message in await clients.until(socket, kind, **data) if message["type"] != "presence"]


async def _until_all(
    socket: WebSocketClientConnection, kind: str, operations: list[FakeOperation]
) -> list[Frame]:
    """All messages up to the first of this type of each operation."""
    messages: list[Frame] = []
    missing = {operation.id for operation in operations}
    while missing:
        message = await receive(socket)
        assert message is not None, (socket.close_code, socket.close_reason)
        messages.append(message)
        if message["type"] == kind:
            missing.discard(message["operation_id"])
    return messages


def _of(messages: list[Frame], operation: FakeOperation) -> list[Frame]:
    """The operation's messages, without `presence`, which may come at any time."""
    own = [message for message in messages if message.get("operation_id") == operation.id]
    return [message for message in own if message["type"] != "presence"]


async def test_operations_that_start_later_appear(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    (tmp_path / "a.txt").write_text("The harvest was good.")
    async with fake_operation(shared, client) as before:
        socket = await _connect(shared, client)
        messages = await until(socket, "operation_started")
        assert [message["type"] for message in messages] == ["current_state", "operation_started"]
        assert {message["operation_id"] for message in messages} == {before.id}
        made = await client.call("POST", "collections", {"name": "Later", "source_path": str(tmp_path)})
        later = await until(socket, "status_update", status="completed")
        assert [f["seq"] for f in later if "seq" in f] == list(range(1, later[-1]["seq"] + 1))
        assert {message["operation_id"] for message in later} == {made["operation_id"]}
        assert later[0]["type"] == "current_state" and later[-2]["type"] == "operation_completed"
        await socket.write_message("ping")  # the socket stays open when an operation ends
        assert (await until(socket, "pong"))[-1]["type"] == "pong"
        socket.close()


async def test_messages_equal_those_of_the_operations_own_sockets(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as one, fake_operation(shared, client) as other:
        for operation in (one, other):
            for number in range(30):
                await operation.publish("error", message=str(number), fatal=False)
        all_operations = await _connect(shared, client)
        messages = await _until_all(all_operations, "operation_started", [one, other])
        for operation in (one, other):
            await operation.end()
        messages += await _until_all(all_operations, "status_update", [one, other])
        for operation in (one, other):
            alone = [f async for f in client.watch(operation.id) if "seq" in f]
            assert [f for f in _of(messages, operation) if "seq" in f] == alone
        all_operations.close()


async def test_ping_is_answered_without_any_operation(shared: Serving) -> None:
    client = await new_user(shared)
    socket = await _connect(shared, client)
    await socket.write_message('{"type": "ping"}')
    [pong] = await until(socket, "pong")
    assert "operation_id" not in pong and pong["data"] == {}
    socket.close()


async def test_operations_of_other_users_never_appear(shared: Serving) -> None:
    ann, bob = await new_user(shared), await new_user(shared)
    async with fake_operation(shared, ann) as anns:
        socket = await _connect(shared, bob, since=f"{anns.id}:0-0")
        async with fake_operation(shared, ann) as later, fake_operation(shared, bob) as bobs:
            for operation in (anns, later, bobs):
                await operation.publish("error", message="seen", fatal=False)
            messages = await until(socket, "error", message="seen")
            await bobs.end()
            messages += await until(socket, "status_update")
            assert {message["operation_id"] for message in messages} == {bobs.id}
        socket.close()


async def test_resuming_sends_exactly_the_missed_messages_of_each_operation(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as one, fake_operation(shared, client) as other:
        first = await _connect(shared, client)
        await _until_all(first, "operation_started", [one, other])
        seen = await one.publish("error", message="seen", fatal=False)
        messages = await until(first, "error", message="seen")
        assert messages[-1]["id"] == seen
        first.close()
        await one.publish("error", message="missed", fatal=False)
        await one.end()
        start = (await other.progress.last_id(other.id), seen)
        async with fake_operation(shared, client) as new:
            pairs = f"{one.id}:{start[1]},{other.id}:{start[0]}"
            second = await _connect(shared, client, since=pairs)
            messages = await _until_all(second, "operation_started", [new])
            while {message["operation_id"] for message in messages} < {one.id, other.id, new.id}:
                messages += await until(second, "current_state")
            if _of(messages, one)[-1]["type"] != "status_update":
                messages += await until(second, "status_update")
            assert [f["type"] for f in _of(messages, one)] == [
                "current_state",
                "error",
                "operation_completed",
                "status_update",
            ]
            assert [f["type"] for f in _of(messages, other)] == ["current_state"]
            assert [f["type"] for f in _of(messages, new)] == ["current_state", "operation_started"]
            second.close()


async def test_since_dollar_sends_new_messages_only(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as before, fake_operation(shared, client, ended=True) as ended:
        socket = await _connect(shared, client, since="$")
        [state] = await until(socket, "current_state")
        assert state["operation_id"] == before.id and state["data"]["last_id"] != "0-0"
        await before.publish("error", message="new", fatal=False)
        assert [f["type"] for f in await until(socket, "error")] == ["error"]
        async with fake_operation(shared, client) as later:
            messages = await until(socket, "operation_started")
            assert {f["operation_id"] for f in messages} == {later.id}  # later ones are sent completely
            assert ended.id not in {f["operation_id"] for f in messages}
        socket.close()


async def test_deleting_a_collection_cancels_its_operations_and_keeps_the_socket_open(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text(f"Barrel {number} holds {number} litres.")
    socket = await _connect(shared, client)
    with held(tmp_path):
        made = await client.call("POST", "collections", {"name": "Gone", "source_path": str(tmp_path)})
        await until(socket, "processing_embeddings")
        await client.call("DELETE", f"collections/{made['id']}")
        messages = await until(socket, "status_update", status="cancelled")
    assert messages[-2]["type"] == "operation_cancelled"
    await socket.write_message("ping")
    await until(socket, "pong")
    again = await _connect(shared, client, since=f"{made['operation_id']}:{messages[0].get('id', '0-0')}")
    await again.write_message("ping")
    assert [f["type"] for f in await until(again, "pong")] == ["pong"]  # a deleted operation sends nothing
    for each in (socket, again):
        each.close()


@pytest.mark.parametrize(
    "since", ["", "x", "x:", ":1-0", "x:y", "x:1-0,", "x:1-0,y", "x:$", ",".join(["x:1-0"] * 1001)]
)
async def test_malformed_cursors_get_1008(shared: Serving, since: str) -> None:
    client = await new_user(shared)
    code, reason = await closing(await _connect(shared, client, since=since))
    assert code == 1008 and (reason or "").startswith("since must"), reason


async def test_missing_credentials_get_1008(shared: Serving) -> None:
    socket = await connect(shared, "/ws/operations")
    code, reason = await closing(socket)
    assert code == 1008 and "Sign in" in (reason or "")


async def test_concurrent_watchers_see_the_same_messages(shared: Serving) -> None:
    client = await new_user(shared)
    sockets = [await _connect(shared, client) for _ in range(8)]
    async with fake_operation(shared, client) as operation:

        async def publish() -> None:
            for number in range(300):
                await operation.publish("error", message=str(number), fatal=False)
            await operation.end()

        async def seqs(socket: WebSocketClientConnection) -> list[Any]:
            messages = await until(socket, "status_update", status="completed")
            socket.close()
            return [message["seq"] for message in messages if "seq" in message]

        _, *seen = await asyncio.gather(publish(), *map(seqs, sockets))
        assert seen == [list(range(1, 304))] * 8


async def test_an_operation_reported_while_the_socket_closes_harms_nobody() -> None:
    """A poll reports to those that listened when it began; an error of one of them would end the server."""
    report = []

    @contextmanager
    def subscribe(*given: Any) -> Iterator[asyncio.Event]:
        report.append(given[2])
        polled = asyncio.Event()
        polled.set()
        yield polled

    services = SimpleNamespace(active_operations=SimpleNamespace(subscribe=subscribe))
    handler = SimpleNamespace(services=services, mark_ready=lambda: None, _stream=AsyncMock())
    streaming = asyncio.ensure_future(
        OperationsSocketHandler._stream_all(
            cast("OperationsSocketHandler", handler), Mock(), {}, only_new=False
        )
    )
    await asyncio.sleep(0)
    streaming.cancel()
    report[0](queued_operation(new_id(), new_id(), "append", None, None))
    await asyncio.wait([streaming])
    report[0](queued_operation(new_id(), new_id(), "append", None, None))
    assert streaming.cancelled()
