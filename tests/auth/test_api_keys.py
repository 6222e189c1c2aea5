"""API keys on a real server: their storage, creation, scopes and revocation."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD, index, new_user
from support.api_keys import REVOKED, key_refusal, make_key
from support.clients import closing, connect
from support.embedded_stores import store
from support.fake_operation import server_stores
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient

from semantik.auth.api_keys import ApiKeyService
from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.config.settings import AuthSettings
from semantik.core.errors import Conflict, Unauthorized
from semantik.core.models import ApiKey, User, new_id, now

pytestmark = pytest.mark.gen_test


@asynccontextmanager
async def _key_service(folder: Path) -> AsyncIterator[tuple[ApiKeyService, User, Any]]:
    """The key service on its own store, and a user who is not an administrator."""
    async with store(folder) as mongo:
        user = User(new_id(), "bob", None, "hash", False, False, now())
        await mongo.users.add(user)
        yield ApiKeyService(mongo, AuthSettings), user, mongo


async def test_key_is_stored_as_a_hash_and_authenticates(tmp_path: Path) -> None:
    async with _key_service(tmp_path) as (keys, user, mongo):
        made = await keys.create(user, " The crawler ", ["write"], timedelta(days=1))
        assert re.fullmatch("semantik_[0-9a-f]{16}_[0-9a-f]{64}", made.text)
        assert (made.key.name, made.key.scopes) == ("The crawler", ("read", "write"))
        assert made.key.expires_at == made.key.created_at + timedelta(days=1)
        secret = made.text.rpartition("_")[2]
        row = await mongo.api_keys._table.find_one({"_id": made.key.id})
        assert secret not in str(row) and made.key.secret_hash in str(row)
        assert await mongo.api_keys.get(made.key.id) == made.key
        for _ in range(2):  # from the store, then from the cache
            assert (await keys.authenticate(made.text))[1] == user
            for wrong in (
                made.text[:-1] + ("0" if made.text[-1] != "0" else "1"),
                "semantik_",
                made.text + "0",
            ):
                with pytest.raises(Unauthorized):
                    await keys.authenticate(wrong)


async def test_last_use_is_recorded_once_a_minute_across_servers(tmp_path: Path) -> None:
    async with _key_service(tmp_path) as (keys, user, mongo):
        made = await keys.create(user, "often", ["read"], None)

        async def last_used() -> Any:
            return (await mongo.api_keys.get(made.key.id)).last_used_at

        assert await last_used() is None
        wrong = made.text[:-64] + 64 * "0"
        with pytest.raises(Unauthorized):
            await keys.authenticate(wrong)
        assert await last_used() is None
        await keys.authenticate(made.text)
        first = await last_used()
        assert first is not None
        await ApiKeyService(mongo, AuthSettings).authenticate(made.text)  # another server, a moment later
        assert await last_used() == first
        old = first - timedelta(seconds=61)
        await mongo.api_keys.record_use(await mongo.api_keys.get(made.key.id), old)
        await ApiKeyService(mongo, AuthSettings).authenticate(made.text)
        recorded = await last_used()
        assert recorded >= first
        stale = ApiKey(**{**made.key.__dict__, "last_used_at": old})
        await mongo.api_keys.record_use(stale, now() + timedelta(hours=1))
        assert await last_used() == recorded


async def test_user_has_at_most_one_hundred_keys(tmp_path: Path) -> None:
    async with _key_service(tmp_path) as (keys, user, _):
        made = [await keys.create(user, f"key {n}", ["read"], None) for n in range(100)]
        with pytest.raises(Conflict, match="revoke one first"):
            await keys.create(user, "one more", ["read"], None)
        await keys.revoke(user, made[7].key.id)
        await keys.create(user, "one more", ["read"], None)
        assert len(await keys.of_user(user)) == 100


async def test_key_is_created_listed_used_and_revoked(shared: Serving) -> None:
    client, other = await new_user(shared), await new_user(shared)
    assert await client.call("GET", "api-keys") == {"items": [], "next_cursor": None}
    options = {"name": "Backup", "scopes": ["write"], "expires_in_days": 30}
    made = await client.call("POST", "api-keys", options)
    text = made.pop("key")
    assert text.startswith(made["start"]) and made["id"] in made["start"]
    assert (made["scopes"], made["last_used_at"]) == (["read", "write"], None)
    program = Client(shared.url, text)
    assert await program.call("GET", "auth/me") == await client.call("GET", "auth/me")
    [listed] = (await client.call("GET", "api-keys"))["items"]
    assert listed.pop("last_used_at") is not None
    assert listed == {name: value for name, value in made.items() if name != "last_used_at"}
    assert (await other.call("GET", "api-keys"))["items"] == []
    assert (await key_refusal(other, "DELETE", f"api-keys/{made['id']}"))[0] == 404
    await program.call("GET", "auth/me")
    assert await client.call("DELETE", f"api-keys/{made['id']}") is None
    assert await key_refusal(program, "GET", "auth/me") == (401, REVOKED)
    assert await key_refusal(client, "DELETE", f"api-keys/{made['id']}") == (
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
        ({"name": "x", "key": "mine"}, 422, "known are collections, expires_in_days, name, scopes"),
    ],
)
async def test_invalid_key_options_are_rejected_with_a_reason(
    shared: Serving, body: dict[str, Any], status: int, word: str
) -> None:
    await new_user(shared)  # the first of this server is its administrator
    client = await new_user(shared)
    refusal = await key_refusal(client, "POST", "api-keys", body)
    assert refusal[0] == status and word in refusal[1], refusal
    assert (await client.call("GET", "api-keys"))["items"] == []


_SCOPES = ("read", "write", "admin")


async def test_each_scope_permits_its_endpoints_only(start: Callable[..., Serving]) -> None:
    serving = start("--metrics", "admin")
    admin = await new_user(serving)
    made = await admin.call("POST", "collections", {"name": "Mine"})
    path = f"collections/{made['id']}"
    endpoints: list[tuple[str, str, Any, str]] = [
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
    keys = {scope: (await make_key(admin, scopes=[scope]))[1] for scope in _SCOPES}
    for scope, client in keys.items():
        for method, endpoint, body, needed in endpoints:
            allowed = _SCOPES.index(scope) >= _SCOPES.index(needed)
            status, detail = 200, ""
            try:
                await client.call(method, endpoint, body)
            except Refused as refused:
                status, detail = refused.status, str(refused)
            assert (status != 403) == allowed, (scope, method, endpoint, detail)
            if not allowed:
                has = ", ".join(_SCOPES[: _SCOPES.index(scope) + 1])
                assert detail == f"This needs an API key with the scope {needed}; this one has {has}."
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
async def test_key_cannot_manage_the_account(shared: Serving, method: str, path: str, body: Any) -> None:
    client = await new_user(shared)
    key_id, program = await make_key(client, scopes=["write"])
    refusal = await key_refusal(program, method, path.format(id=key_id), body)
    assert refusal == (403, "An API key cannot do this; sign in with the password instead.")
    assert len((await client.call("GET", "api-keys"))["items"]) == 1


async def test_malformed_keys_are_rejected(shared: Serving) -> None:
    client = await new_user(shared)
    _, program = await make_key(client)
    valid = program.token
    start, secret = valid[: -len(valid.rpartition("_")[2])], valid.rpartition("_")[2]
    for token in (
        "semantik_",
        valid[:-1],
        valid + "0",
        valid.upper(),
        valid.replace("semantik_", "semantik_ "),
        start + "0" * len(secret),
        "semantik_" + "0" * 16 + "_" + secret,
        "semantik_" + "é" * 16 + "_" + secret,
        'semantik_{"$ne": null}_' + secret,
    ):
        status, _ = await key_refusal(Client(shared.url, token), "GET", "auth/me")
        assert status == 401, token
        code, reason = await closing(await connect(shared, "/ws/operations", {"token": token}))
        assert code == 1008 and re.search("API key|not valid", reason or ""), token
    cookie = {"Cookie": f"semantik_session={valid}"}  # the cookie is for sessions only
    code, reason = await closing(await connect(shared, "/ws/operations", headers=cookie))
    assert (code, reason) == (1008, "The token is not valid; sign in again.")
    await program.call("GET", "auth/me")


async def test_client_indexes_watches_and_searches_with_a_key(shared: Serving, tmp_path: Path) -> None:
    (tmp_path / "bees.txt").write_text("In winter the bees form a cluster and keep the queen warm.")
    _, program = await make_key(await new_user(shared), scopes=["write"])
    collection_id, messages = await index(program, tmp_path)
    assert messages[-1]["data"]["status"] == "completed"
    found = await program.call("POST", "search", {"query": "bees", "collection_ids": [collection_id]})
    assert found["hits"]
    _, reader = await make_key(await new_user(shared))
    assert (await key_refusal(reader, "POST", "collections", {"name": "Not mine"}))[0] == 403


async def test_admin_key_of_a_former_administrator_is_rejected(start: Callable[..., Serving]) -> None:
    serving = start()
    client = await new_user(serving)
    me = (await client.call("GET", "auth/me"))["id"]
    _, program = await make_key(client, scopes=["admin"])
    async with server_stores(serving) as (mongo, _):
        await mongo.users._table.update_one({"_id": me}, {"$set": {"is_admin": False}})
    status, detail = await key_refusal(program, "GET", "status")
    assert status == 403 and "Only an administrator" in detail
    assert PASSWORD not in serving.log.read_text()


async def test_a_key_is_good_for_its_collections_only_and_expires(shared: Serving) -> None:
    client, stranger = await new_user(shared), await new_user(shared)
    first, second = [await client.call("POST", "collections", {"name": name}) for name in ("One", "Two")]
    foreign = await stranger.call("POST", "collections", {"name": "Three"})
    made = await client.call("POST", "api-keys", {"name": "x", "collections": [first["id"]]})
    assert made["collections"] == [first["id"]]
    assert made["expires_at"] is not None, "without a lifetime it expires after auth.api_key_days"
    assert (await client.call("POST", "api-keys", {"name": "y", "expires_in_days": None}))[
        "expires_at"
    ] is None
    program = Client(shared.url, made["key"])
    assert [each["id"] for each in (await program.call("GET", "collections"))["items"]] == [first["id"]]
    assert (await key_refusal(program, "GET", f"collections/{second['id']}"))[0] == 404
    for collections, status in (([foreign["id"]], 404), ([], 422), (["none"], 404)):
        body = {"name": "z", "collections": collections}
        assert (await key_refusal(client, "POST", "api-keys", body))[0] == status
