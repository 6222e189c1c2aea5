"""API keys on a real server: made once, good at every door as far as their scopes go, gone when they are revoked."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD, index, new_user
from support.clients import EventStream, closing, connect, until
from support.embedded_stores import store
from support.fake_operation import fake_operation, server_stores
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient

from semantik.auth.api_keys import ApiKeyService
from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.errors import Conflict, Unauthorized
from semantik.core.models import ApiKey, User, new_id, now

pytestmark = pytest.mark.gen_test

REVOKED = "The API key is not known; it may have been revoked."
EXPIRED = "The API key has expired; create a new one."
DISABLED = "The user is disabled."


async def _make(client: Client, **more: Any) -> tuple[str, Client]:
    """A new key of the client's user: its id, and a client that has nothing else."""
    made = await client.call("POST", "api-keys", {"name": "A program", **more})
    return made["id"], Client(client.url, made["key"])


async def _refusal(client: Client, method: str, path: str, body: Any = None) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        await client.call(method, path, body)
    return refused.value.status, str(refused.value)


@asynccontextmanager
async def _owned(folder: Path) -> AsyncIterator[tuple[ApiKeyService, User, Any]]:
    """The keys in a store of their own, and a user who is no administrator."""
    async with store(folder) as it:
        user = User(new_id(), "bob", None, "hash", False, False, now())
        await it.users.add(user)
        yield ApiKeyService(it), user, it


async def test_a_key_is_kept_as_a_hash_and_recognised(tmp_path: Path) -> None:
    async with _owned(tmp_path) as (keys, user, it):
        made = await keys.create(user, " The crawler ", ["write"], timedelta(days=1))
        assert re.fullmatch("semantik_[0-9a-f]{16}_[0-9a-f]{64}", made.text)
        assert (made.key.name, made.key.scopes) == ("The crawler", ("read", "write"))
        assert made.key.expires_at == made.key.created_at + timedelta(days=1)
        secret = made.text.rpartition("_")[2]
        row = await it.api_keys._table.find_one({"_id": made.key.id})
        assert secret not in str(row) and made.key.secret_hash in str(row)
        assert await it.api_keys.get(made.key.id) == made.key
        for _ in range(2):  # from the store, and as it is remembered
            assert (await keys.authenticate(made.text))[1] == user
            for wrong in (
                made.text[:-1] + ("0" if made.text[-1] != "0" else "1"),
                "semantik_",
                made.text + "0",
            ):
                with pytest.raises(Unauthorized):
                    await keys.authenticate(wrong)


async def test_the_last_use_is_noted_once_a_minute_and_by_one_alone(tmp_path: Path) -> None:
    async with _owned(tmp_path) as (keys, user, it):
        made = await keys.create(user, "often", ["read"], None)

        async def last_used() -> Any:
            return (await it.api_keys.get(made.key.id)).last_used_at

        assert await last_used() is None
        wrong = made.text[:-64] + 64 * "0"
        with pytest.raises(Unauthorized):
            await keys.authenticate(wrong)
        assert await last_used() is None
        await keys.authenticate(made.text)
        first = await last_used()
        assert first is not None
        await ApiKeyService(it).authenticate(made.text)  # another server, a moment later
        assert await last_used() == first
        old = first - timedelta(seconds=61)
        await it.api_keys.record_use(await it.api_keys.get(made.key.id), old)
        await ApiKeyService(it).authenticate(made.text)
        noted = await last_used()
        assert noted >= first
        stale = ApiKey(**{**made.key.__dict__, "last_used_at": old})
        await it.api_keys.record_use(stale, now() + timedelta(hours=1))
        assert await last_used() == noted


async def test_a_user_has_a_hundred_keys_at_most(tmp_path: Path) -> None:
    async with _owned(tmp_path) as (keys, user, _):
        made = [await keys.create(user, f"key {n}", ["read"], None) for n in range(100)]
        with pytest.raises(Conflict, match="revoke one first"):
            await keys.create(user, "one more", ["read"], None)
        await keys.revoke(user, made[7].key.id)
        await keys.create(user, "one more", ["read"], None)
        assert len(await keys.of_user(user)) == 100


async def test_a_key_lives_from_making_to_revocation(shared: Serving) -> None:
    client, other = await new_user(shared), await new_user(shared)
    assert await client.call("GET", "api-keys") == {"items": [], "next_cursor": None}
    wish = {"name": "Backup", "scopes": ["write"], "expires_in_days": 30}
    made = await client.call("POST", "api-keys", wish)
    text = made.pop("key")
    assert text.startswith(made["start"]) and made["id"] in made["start"]
    assert (made["scopes"], made["last_used_at"]) == (["read", "write"], None)
    program = Client(shared.url, text)
    assert await program.call("GET", "auth/me") == await client.call("GET", "auth/me")
    [listed] = (await client.call("GET", "api-keys"))["items"]
    assert listed.pop("last_used_at") is not None
    assert listed == {name: value for name, value in made.items() if name != "last_used_at"}
    assert (await other.call("GET", "api-keys"))["items"] == []
    assert (await _refusal(other, "DELETE", f"api-keys/{made['id']}"))[0] == 404
    await program.call("GET", "auth/me")
    assert await client.call("DELETE", f"api-keys/{made['id']}") is None
    assert await _refusal(program, "GET", "auth/me") == (401, REVOKED)
    assert await _refusal(client, "DELETE", f"api-keys/{made['id']}") == (
        404,
        f"There is no API key {made['id']}.",
    )
    assert text not in shared.log.read_text()


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({}, 422, "name is missing"),
        ({"name": "  "}, 422, "printable"),
        ({"name": "a\nb"}, 422, "printable"),
        ({"name": "x" * 201}, 422, "1 to 200"),
        ({"name": "x", "scopes": []}, 422, "at least one of the scopes read, write, admin"),
        ({"name": "x", "scopes": ["root"]}, 422, "one of read, write, admin is expected"),
        ({"name": "x", "scopes": "read"}, 422, "a list of at most 3 scopes"),
        ({"name": "x", "scopes": ["admin"]}, 403, "Only an administrator"),
        ({"name": "x", "expires_in_days": 0}, 422, "from 1 to 3650"),
        ({"name": "x", "key": "mine"}, 422, "known are expires_in_days, name, scopes"),
    ],
)
async def test_a_bad_wish_for_a_key_is_refused_in_a_sentence(
    shared: Serving, body: dict[str, Any], status: int, word: str
) -> None:
    await new_user(shared)  # the first of this server is its administrator
    client = await new_user(shared)
    refusal = await _refusal(client, "POST", "api-keys", body)
    assert refusal[0] == status and word in refusal[1], refusal
    assert (await client.call("GET", "api-keys"))["items"] == []


_SCOPES = ("read", "write", "admin")


async def test_what_each_scope_opens(start: Callable[..., Serving]) -> None:
    serving = start("--metrics", "admin")
    admin = await new_user(serving)
    made = await admin.call("POST", "collections", {"name": "Mine"})
    path = f"collections/{made['id']}"
    doors: list[tuple[str, str, Any, str]] = [
        ("GET", "collections", None, "read"),
        ("GET", path, None, "read"),
        ("GET", f"{path}/documents", None, "read"),
        ("GET", "operations", None, "read"),
        ("POST", "search", {"query": "bees"}, "read"),
        ("PATCH", path, {"description": "changed"}, "write"),
        ("POST", f"{path}/sources", {"path": "/nowhere/at/all"}, "write"),
        ("DELETE", "operations/none", None, "write"),
        ("DELETE", f"{path}-not", None, "write"),
        ("GET", "status", None, "admin"),
    ]
    keys = {scope: (await _make(admin, scopes=[scope]))[1] for scope in _SCOPES}
    for scope, client in keys.items():
        for method, door, body, needed in doors:
            allowed = _SCOPES.index(scope) >= _SCOPES.index(needed)
            status, told = 200, ""
            try:
                await client.call(method, door, body)
            except Refused as refused:
                status, told = refused.status, str(refused)
            assert (status != 403) == allowed, (scope, method, door, told)
            if not allowed:
                has = ", ".join(_SCOPES[: _SCOPES.index(scope) + 1])
                assert told == f"This needs an API key with the scope {needed}; this one has {has}."
        metrics = await AsyncHTTPClient().fetch(
            f"{serving.url}/metrics", headers={"Authorization": f"Bearer {client.token}"}, raise_error=False
        )
        assert metrics.code == (200 if scope == "admin" else 403)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "api-keys", None),
        ("POST", "api-keys", {"name": "another"}),
        ("DELETE", "api-keys/{id}", None),
        ("POST", "auth/logout", {}),
    ],
)
async def test_a_key_has_no_say_over_the_account(shared: Serving, method: str, path: str, body: Any) -> None:
    client = await new_user(shared)
    key_id, program = await _make(client, scopes=["write"])
    refusal = await _refusal(program, method, path.format(id=key_id), body)
    assert refusal == (403, "An API key cannot do this; sign in with the password instead.")
    assert len((await client.call("GET", "api-keys"))["items"]) == 1


async def test_garbage_is_no_key(shared: Serving) -> None:
    client = await new_user(shared)
    _, program = await _make(client)
    good = program.token
    start, secret = good[: -len(good.rpartition("_")[2])], good.rpartition("_")[2]
    for token in (
        "semantik_",
        good[:-1],
        good + "0",
        good.upper(),
        good.replace("semantik_", "semantik_ "),
        start + "0" * len(secret),
        "semantik_" + "0" * 16 + "_" + secret,
        "semantik_" + "é" * 16 + "_" + secret,
        'semantik_{"$ne": null}_' + secret,
    ):
        status, _ = await _refusal(Client(shared.url, token), "GET", "auth/me")
        assert status == 401, token
        code, reason = await closing(await connect(shared, "/ws/operations", {"token": token}))
        assert code == 1008 and re.search("API key|not valid", reason or ""), token
    cookie = {"Cookie": f"semantik_session={good}"}  # the cookie is for sessions alone
    code, reason = await closing(await connect(shared, "/ws/operations", headers=cookie))
    assert (code, reason) == (1008, "The token is not valid; sign in again.")
    await program.call("GET", "auth/me")


async def test_a_key_opens_every_socket_each_way(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    _, program = await _make(client)
    key = program.token
    ways: list[dict[str, Any]] = [
        {"query": {"token": key}},
        {"headers": {"Authorization": f"Bearer {key}"}},
        {"subprotocols": ["semantik.v1", f"bearer.{key}"]},
    ]
    async with fake_operation(shared, client) as operation:
        for way in ways:
            for path in (f"/ws/operations/{operation.id}", "/ws/operations"):
                socket = await connect(shared, path, **way)
                await until(socket, "operation_started")
                socket.close()
            socket = await connect(shared, f"/ws/scan/{new_id()}", **way)
            await socket.write_message('{"action": "scan", "path": "' + str(tmp_path) + '"}')
            await until(socket, "completed")
            socket.close()
        for headers, query in (({"Authorization": f"Bearer {key}"}, {}), ({}, {"token": key})):
            stream = EventStream(shared, operation.id, headers, query)
            await stream.until("operation_started")
            stream.leave()
    assert key not in shared.log.read_text()


async def test_the_client_indexes_watches_and_searches_with_a_key(shared: Serving, tmp_path: Path) -> None:
    (tmp_path / "bees.txt").write_text("In winter the bees form a cluster and keep the queen warm.")
    _, program = await _make(await new_user(shared), scopes=["write"])
    collection_id, frames = await index(program, tmp_path)
    assert frames[-1]["data"]["status"] == "completed"
    found = await program.call("POST", "search", {"query": "bees", "collection_ids": [collection_id]})
    assert found["hits"]
    _, reader = await _make(await new_user(shared))
    assert (await _refusal(reader, "POST", "collections", {"name": "Not mine"}))[0] == 403


async def test_a_revocation_closes_what_is_open_and_nothing_else(shared: Serving) -> None:
    client = await new_user(shared)
    key_id, program = await _make(client)
    _, other = await _make(client)
    async with fake_operation(shared, client) as operation:
        path = f"/ws/operations/{operation.id}"
        sockets = [await connect(shared, each, {"token": program.token}) for each in (path, "/ws/operations")]
        stay = [await connect(shared, path, {"token": each.token}) for each in (other, client)]
        stream = EventStream(shared, operation.id, {"Authorization": f"Bearer {program.token}"})
        await stream.until("operation_started")
        for socket in (*sockets, *stay):
            await until(socket, "operation_started")
        scan = await connect(shared, f"/ws/scan/{new_id()}", {"token": program.token})
        await scan.write_message("ping")
        await until(scan, "pong")
        await client.call("DELETE", f"api-keys/{key_id}")
        for socket in (*sockets, scan):
            assert await closing(socket) == (1008, REVOKED)
        [*_, last] = await stream.rest()
        assert last.data == {"code": 1008, "reason": REVOKED}
        for socket in stay:
            await socket.write_message("ping")
            await until(socket, "pong")
            socket.close()
        assert await closing(await connect(shared, path, {"token": program.token})) == (1008, REVOKED)


async def test_a_key_that_expires_closes_what_is_open(shared: Serving) -> None:
    client = await new_user(shared)
    key_id, program = await _make(client, expires_in_days=1)
    async with fake_operation(shared, client) as operation:
        soon = int((now() + timedelta(seconds=5)).timestamp() * 1000)
        async with server_stores(shared) as (it, _):
            await it.api_keys._table.update_one({"_id": key_id}, {"$set": {"expires_at": soon}})
        stream = EventStream(shared, operation.id, {"Authorization": f"Bearer {program.token}"})
        await stream.until("operation_started")
        socket = await connect(shared, "/ws/operations", {"token": program.token})
        await until(socket, "operation_started")
        assert await closing(socket) == (1008, EXPIRED)
        [*_, last] = await stream.rest()
        assert last.data == {"code": 1008, "reason": EXPIRED}
    assert await _refusal(program, "GET", "auth/me") == (401, EXPIRED)
    assert (
        len((await client.call("GET", "api-keys"))["items"]) == 1
    )  # so that one sees why the program stands still


async def test_a_key_of_a_user_who_is_disabled_is_refused(shared: Serving) -> None:
    client = await new_user(shared)
    me = (await client.call("GET", "auth/me"))["id"]
    _, program = await _make(client)
    _, unused = await _make(client)
    socket = await connect(shared, "/ws/operations", {"token": program.token})
    await socket.write_message("ping")
    await until(socket, "pong")
    async with server_stores(shared) as (it, _):
        await it.users._table.update_one({"_id": me}, {"$set": {"disabled": True}})
    assert await closing(socket) == (1008, DISABLED)
    assert await _refusal(unused, "GET", "auth/me") == (401, DISABLED)


async def test_an_administrator_who_is_none_any_more_has_no_key_either(start: Callable[..., Serving]) -> None:
    serving = start()
    client = await new_user(serving)
    me = (await client.call("GET", "auth/me"))["id"]
    _, program = await _make(client, scopes=["admin"])
    async with server_stores(serving) as (it, _):
        await it.users._table.update_one({"_id": me}, {"$set": {"is_admin": False}})
    status, told = await _refusal(program, "GET", "status")
    assert status == 403 and "Only an administrator" in told
    assert PASSWORD not in serving.log.read_text()
