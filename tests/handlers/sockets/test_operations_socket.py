"""`/ws/operations`: all that one user may see, begun earlier or later, and nothing of anybody else's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from support import clients
from support.api import new_user
from support.clients import Frame, closing, connect, receive
from support.fake_operation import FakeOperation, fake_operation
from support.hold import held
from support.server import Serving
from tornado.websocket import WebSocketClientConnection

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


async def _connect(serving: Serving, client: Client, **query: str) -> WebSocketClientConnection:
    return await connect(serving, "/ws/operations", {"token": client.token, **query})


async def until(socket: WebSocketClientConnection, kind: str, **data: Any) -> list[Frame]:
    """All messages up to the first of this type, but for who watches, which comes when it likes."""
    return [frame for frame in await clients.until(socket, kind, **data) if frame["type"] != "presence"]


async def _until_all(
    socket: WebSocketClientConnection, kind: str, operations: list[FakeOperation]
) -> list[Frame]:
    """All messages up to the first of this type of each operation."""
    frames: list[Frame] = []
    missing = {operation.id for operation in operations}
    while missing:
        frame = await receive(socket)
        assert frame is not None, (socket.close_code, socket.close_reason)
        frames.append(frame)
        if frame["type"] == kind:
            missing.discard(frame["operation_id"])
    return frames


def _of(frames: list[Frame], operation: FakeOperation) -> list[Frame]:
    return [frame for frame in frames if frame.get("operation_id") == operation.id]


async def test_operations_that_begin_later_appear(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    (tmp_path / "a.txt").write_text("The harvest was good.")
    async with fake_operation(shared, client) as before:
        socket = await _connect(shared, client)
        frames = await until(socket, "operation_started")
        assert [frame["type"] for frame in frames] == ["current_state", "operation_started"]
        assert {frame["operation_id"] for frame in frames} == {before.id}
        made = await client.call("POST", "collections", {"name": "Later", "source_path": str(tmp_path)})
        later = await until(socket, "status_update", status="completed")
        assert [f["seq"] for f in later if "seq" in f] == list(range(1, later[-1]["seq"] + 1))
        assert {frame["operation_id"] for frame in later} == {made["operation_id"]}
        assert later[0]["type"] == "current_state" and later[-2]["type"] == "operation_completed"
        await socket.write_message("ping")  # it stays open, whatever ends
        assert (await until(socket, "pong"))[-1]["type"] == "pong"
        socket.close()


async def test_it_shows_each_operation_as_its_own_socket_does(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as one, fake_operation(shared, client) as other:
        for operation in (one, other):
            for number in range(30):
                await operation.publish("error", message=str(number), fatal=False)
        everything = await _connect(shared, client)
        frames = await _until_all(everything, "operation_started", [one, other])
        for operation in (one, other):
            await operation.end()
        frames += await _until_all(everything, "status_update", [one, other])
        for operation in (one, other):
            alone = [f async for f in client.watch(operation.id) if "seq" in f]
            assert [f for f in _of(frames, operation) if "seq" in f] == alone
        everything.close()


async def test_a_ping_is_answered_where_there_is_nothing_to_see(shared: Serving) -> None:
    client = await new_user(shared)
    socket = await _connect(shared, client)
    await socket.write_message('{"type": "ping"}')
    [pong] = await until(socket, "pong")
    assert "operation_id" not in pong and pong["data"] == {}
    socket.close()


async def test_operations_of_others_never_appear(shared: Serving) -> None:
    ann, bob = await new_user(shared), await new_user(shared)
    async with fake_operation(shared, ann) as hers:
        socket = await _connect(shared, bob, since=f"{hers.id}:0-0")
        async with fake_operation(shared, ann) as later, fake_operation(shared, bob) as his:
            for operation in (hers, later, his):
                await operation.publish("error", message="seen", fatal=False)
            frames = await until(socket, "error", message="seen")
            await his.end()
            frames += await until(socket, "status_update")
            assert {frame["operation_id"] for frame in frames} == {his.id}
        socket.close()


async def test_resuming_gives_exactly_the_rest_of_each(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as one, fake_operation(shared, client) as other:
        first = await _connect(shared, client)
        await _until_all(first, "operation_started", [one, other])
        seen = await one.publish("error", message="seen", fatal=False)
        frames = await until(first, "error", message="seen")
        assert frames[-1]["id"] == seen
        first.close()
        await one.publish("error", message="missed", fatal=False)
        await one.end()
        start = (await other.progress.last_id(other.id), seen)
        async with fake_operation(shared, client) as new:
            pairs = f"{one.id}:{start[1]},{other.id}:{start[0]}"
            second = await _connect(shared, client, since=pairs)
            frames = await _until_all(second, "operation_started", [new])
            while {frame["operation_id"] for frame in frames} < {one.id, other.id, new.id}:
                frames += await until(second, "current_state")
            if _of(frames, one)[-1]["type"] != "status_update":
                frames += await until(second, "status_update")
            assert [f["type"] for f in _of(frames, one)] == [
                "current_state",
                "error",
                "operation_completed",
                "status_update",
            ]
            assert [f["type"] for f in _of(frames, other)] == ["current_state"]
            assert [f["type"] for f in _of(frames, new)] == ["current_state", "operation_started"]
            second.close()


async def test_from_now_on_means_without_what_was(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as before, fake_operation(shared, client, ended=True) as ended:
        socket = await _connect(shared, client, since="$")
        [state] = await until(socket, "current_state")
        assert state["operation_id"] == before.id and state["data"]["last_id"] != "0-0"
        await before.publish("error", message="new", fatal=False)
        assert [f["type"] for f in await until(socket, "error")] == ["error"]
        async with fake_operation(shared, client) as later:
            frames = await until(socket, "operation_started")
            assert {f["operation_id"] for f in frames} == {later.id}  # later ones come whole
            assert ended.id not in {f["operation_id"] for f in frames}
        socket.close()


async def test_a_deleted_collection_ends_its_operations_and_not_the_socket(
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
        frames = await until(socket, "status_update", status="cancelled")
    assert frames[-2]["type"] == "operation_cancelled"
    await socket.write_message("ping")
    await until(socket, "pong")
    again = await _connect(shared, client, since=f"{made['operation_id']}:{frames[0].get('id', '0-0')}")
    await again.write_message("ping")
    assert [f["type"] for f in await until(again, "pong")] == ["pong"]  # of what is gone there is nothing
    for each in (socket, again):
        each.close()


@pytest.mark.parametrize(
    "since", ["", "x", "x:", ":1-0", "x:y", "x:1-0,", "x:1-0,y", "x:$", ",".join(["x:1-0"] * 1001)]
)
async def test_cursors_that_are_none_are_refused(shared: Serving, since: str) -> None:
    client = await new_user(shared)
    code, reason = await closing(await _connect(shared, client, since=since))
    assert code == 1008 and (reason or "").startswith("since must"), reason


async def test_a_stranger_is_refused(shared: Serving) -> None:
    socket = await connect(shared, "/ws/operations")
    code, reason = await closing(socket)
    assert code == 1008 and "Sign in" in (reason or "")


async def test_many_that_watch_everything_see_the_same(shared: Serving) -> None:
    client = await new_user(shared)
    sockets = [await _connect(shared, client) for _ in range(8)]
    async with fake_operation(shared, client) as operation:

        async def tell() -> None:
            for number in range(300):
                await operation.publish("error", message=str(number), fatal=False)
            await operation.end()

        async def seqs(socket: WebSocketClientConnection) -> list[Any]:
            frames = await until(socket, "status_update", status="completed")
            socket.close()
            return [frame["seq"] for frame in frames if "seq" in frame]

        _, *seen = await asyncio.gather(tell(), *map(seqs, sockets))
        assert seen == [list(range(1, 304))] * 8
