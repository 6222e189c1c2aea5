"""API keys on sockets and event streams: authentication, and what closes them while they are open."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.api import new_user
from support.api_keys import DISABLED, EXPIRED, REVOKED, key_refusal, make_key
from support.clients import EventStream, closing, connect, until
from support.fake_operation import fake_operation, server_stores
from support.server import Serving

from semantik.core.models import new_id, now

pytestmark = pytest.mark.gen_test


async def test_key_authenticates_every_socket_in_each_way(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    _, program = await make_key(client, scopes=["write"])  # a scan needs it
    key = program.token
    credentials: list[dict[str, Any]] = [
        {"query": {"token": key}},
        {"headers": {"Authorization": f"Bearer {key}"}},
        {"subprotocols": ["semantik.v1", f"bearer.{key}"]},
    ]
    async with fake_operation(shared, client) as operation:
        for credential in credentials:
            for path in (f"/ws/operations/{operation.id}", "/ws/operations"):
                socket = await connect(shared, path, **credential)
                await until(socket, "operation_started")
                socket.close()
            socket = await connect(shared, f"/ws/scan/{new_id()}", **credential)
            await socket.write_message('{"action": "scan", "path": "' + str(tmp_path) + '"}')
            await until(socket, "completed")
            socket.close()
        for headers, query in (({"Authorization": f"Bearer {key}"}, {}), ({}, {"token": key})):
            stream = EventStream(shared, operation.id, headers, query)
            await stream.until("operation_started")
            stream.leave()
    assert key not in shared.log.read_text()


async def test_revocation_closes_the_sockets_of_its_key_only(shared: Serving) -> None:
    client = await new_user(shared)
    key_id, program = await make_key(client, scopes=["write"])
    _, other = await make_key(client)
    async with fake_operation(shared, client) as operation:
        path = f"/ws/operations/{operation.id}"
        sockets = [await connect(shared, each, {"token": program.token}) for each in (path, "/ws/operations")]
        other_sockets = [await connect(shared, path, {"token": each.token}) for each in (other, client)]
        stream = EventStream(shared, operation.id, {"Authorization": f"Bearer {program.token}"})
        await stream.until("operation_started")
        for socket in (*sockets, *other_sockets):
            await until(socket, "operation_started")
        scan = await connect(shared, f"/ws/scan/{new_id()}", {"token": program.token})
        await scan.write_message("ping")
        await until(scan, "pong")
        await client.call("DELETE", f"api-keys/{key_id}")
        for socket in (*sockets, scan):
            assert await closing(socket) == (1008, REVOKED)
        [*_, last] = await stream.rest()
        assert last.data == {"code": 1008, "reason": REVOKED}
        for socket in other_sockets:
            await socket.write_message("ping")
            await until(socket, "pong")
            socket.close()
        assert await closing(await connect(shared, path, {"token": program.token})) == (1008, REVOKED)


async def test_key_expiry_closes_open_sockets(shared: Serving) -> None:
    client = await new_user(shared)
    key_id, program = await make_key(client, expires_in_days=1)
    async with fake_operation(shared, client) as operation:
        soon = int((now() + timedelta(seconds=5)).timestamp() * 1000)
        async with server_stores(shared) as (mongo, _):
            await mongo.api_keys._table.update_one({"_id": key_id}, {"$set": {"expires_at": soon}})
        stream = EventStream(shared, operation.id, {"Authorization": f"Bearer {program.token}"})
        await stream.until("operation_started")
        socket = await connect(shared, "/ws/operations", {"token": program.token})
        await until(socket, "operation_started")
        assert await closing(socket) == (1008, EXPIRED)
        [*_, last] = await stream.rest()
        assert last.data == {"code": 1008, "reason": EXPIRED}
    assert await key_refusal(program, "GET", "auth/me") == (401, EXPIRED)
    # An expired key stays listed, so that its user sees why the program stopped.
    assert len((await client.call("GET", "api-keys"))["items"]) == 1


async def test_key_of_a_disabled_user_is_rejected(shared: Serving) -> None:
    client = await new_user(shared)
    me = (await client.call("GET", "auth/me"))["id"]
    _, program = await make_key(client)
    _, unused = await make_key(client)
    socket = await connect(shared, "/ws/operations", {"token": program.token})
    await socket.write_message("ping")
    await until(socket, "pong")
    async with server_stores(shared) as (mongo, _):
        await mongo.users._table.update_one({"_id": me}, {"$set": {"disabled": True}})
    assert await closing(socket) == (1008, DISABLED)
    assert await key_refusal(unused, "GET", "auth/me") == (401, DISABLED)
