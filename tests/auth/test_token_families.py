"""Token families over REST: rotation, the grace for parallel refreshes, reuse of any generation, and old cookies."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from support.api import PASSWORD, new_user, refusal_of
from support.clients import closing, connect, until
from support.fake_operation import server_stores
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from semantik.client.api import Client
from semantik.core.models import Session, new_id, now

pytestmark = pytest.mark.gen_test


async def _log_in(serving: Serving) -> dict[str, Any]:
    name = (await (await new_user(serving)).call("GET", "auth/me"))["username"]
    return await Client(serving.url).call("POST", "auth/login", {"username": name, "password": PASSWORD})


async def _refresh(serving: Serving, token: str) -> dict[str, Any]:
    return await Client(serving.url).call("POST", "auth/refresh", {"refresh_token": token})


async def _refusal(serving: Serving, token: str) -> tuple[int, str]:
    refused = await refusal_of(Client(serving.url), "POST", "auth/refresh", {"refresh_token": token})
    return refused.status, str(refused)


async def _is_signed_in(serving: Serving, tokens: dict[str, Any]) -> bool:
    """By the access token; a session that another server may have ended is refused two seconds later."""
    client = Client(serving.url, tokens["access_token"])
    answer = await client._http.fetch(
        f"{serving.url}/api/v2/auth/me",
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
        raise_error=False,
    )
    return answer.code == 200


async def test_parallel_refreshes_get_the_same_new_tokens(shared: Serving) -> None:
    first = await _log_in(shared)
    answers = await asyncio.gather(*(_refresh(shared, first["refresh_token"]) for _ in range(5)))
    assert len({answer["refresh_token"] for answer in answers}) == 1
    assert answers[0]["refresh_token"] != first["refresh_token"]
    for answer in (first, *answers):
        assert await _is_signed_in(shared, answer)
    await _refresh(shared, answers[-1]["refresh_token"])


@pytest.mark.parametrize("rotations", [2, 5])
async def test_reuse_of_any_earlier_token_ends_the_session(shared: Serving, rotations: int) -> None:
    first = latest = await _log_in(shared)
    for _ in range(rotations):
        latest = await _refresh(shared, latest["refresh_token"])
    status, why = await _refusal(shared, first["refresh_token"])
    assert status == 401 and "used before" in why
    assert not await _is_signed_in(shared, latest)
    assert (await _refusal(shared, latest["refresh_token"]))[0] == 401


async def test_without_grace_the_second_use_ends_the_session(start: Callable[..., Serving]) -> None:
    serving = start("--auth-registration", "open", "--auth-refresh-grace-s", "0")
    first = await _log_in(serving)
    second = await _refresh(serving, first["refresh_token"])
    assert "used before" in (await _refusal(serving, first["refresh_token"]))[1]
    assert not await _is_signed_in(serving, second)


async def test_refresh_tokens_of_another_kind_or_user_change_nothing(shared: Serving) -> None:
    tokens, other = await _log_in(shared), await _log_in(shared)
    claims = jwt.decode(tokens["refresh_token"], options={"verify_signature": False})
    forged = jwt.encode({**claims, "gen": 0}, "another secret that is long enough for it", "HS256")
    for token in (tokens["access_token"], forged, "unknown", "a.b.c", ""):
        status, why = await _refusal(shared, token)
        assert status == 401 and "not known" in why
    assert await _is_signed_in(shared, tokens) and await _is_signed_in(shared, other)
    access = await Client(shared.url, tokens["refresh_token"])._http.fetch(
        f"{shared.url}/api/v2/auth/me",
        headers={"Authorization": f"Bearer {tokens['refresh_token']}"},
        raise_error=False,
    )
    assert access.code == 401


async def _fetch(serving: Serving, path: str, body: str | None = None, cookie: str = "") -> HTTPResponse:
    return await AsyncHTTPClient().fetch(
        serving.url + path,
        method="GET" if body is None else "POST",
        body=body,
        headers={"Cookie": cookie} if cookie else {},
        raise_error=False,
    )


async def test_a_refresh_replaces_the_cookie(start: Callable[..., Serving]) -> None:
    serving = start("--auth-registration", "open", "--auth-refresh-grace-s", "0")
    name = (await (await new_user(serving)).call("GET", "auth/me"))["username"]
    login = await _fetch(serving, "/api/v2/auth/login", f'{{"username": "{name}", "password": "{PASSWORD}"}}')
    old = login.headers["Set-Cookie"].split(";")[0]
    socket = await connect(serving, "/ws/operations", headers={"Cookie": old})
    await socket.write_message("ping")
    await until(socket, "pong")
    refresh = login.body.decode().split('"refresh_token": "')[1].split('"')[0]
    renewed = await _fetch(serving, "/api/v2/auth/refresh", f'{{"refresh_token": "{refresh}"}}')
    new = renewed.headers["Set-Cookie"].split(";")[0]
    assert await closing(socket) == (1008, "The session's cookie was renewed; connect again.")
    assert (await _fetch(serving, "/api/v2/auth/me", cookie=new)).code == 200
    stale = await _fetch(serving, "/api/v2/collections", cookie=old)
    assert stale.code == 401 and "renewed" in stale.body.decode()


async def test_a_token_names_the_user_of_its_session(start: Callable[..., Serving]) -> None:
    secret = "a secret of this test, more than 32 characters"
    serving = start("--auth-registration", "open", env={"SEMANTIK_AUTH_SECRET": secret})
    tokens, other = await _log_in(serving), await _log_in(serving)
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    kid = jwt.get_unverified_header(tokens["access_token"])["kid"]
    swapped = jwt.encode({**claims, "sub": other["user"]["id"]}, secret, "HS256", headers={"kid": kid})
    assert not await _is_signed_in(serving, {"access_token": swapped})
    unchanged = jwt.encode(claims, secret, "HS256", headers={"kid": kid})
    assert await _is_signed_in(serving, {"access_token": unchanged})


async def test_sessions_of_an_older_build_go_on(shared: Serving) -> None:
    """Their refresh tokens are random texts, their rows have no generation, and their tokens name no key."""
    client = await new_user(shared)
    user_id = (await client.call("GET", "auth/me"))["id"]
    old = "A8t9mW-refresh_token_of_an_older_build"
    session = Session(new_id(), user_id, now(), now() + timedelta(hours=1))
    async with server_stores(shared) as (mongo, _):
        await mongo.sessions.add(session)
        digest = hashlib.sha256(old.encode()).hexdigest()
        fields = {
            "generation": "",
            "rotated_at": "",
            "credentials_version": "",
            "place": "",
            "last_used_at": "",
        }
        await mongo.sessions._table.update_one(
            {"_id": session.id}, {"$set": {"token_hash": digest, "previous_hash": None}, "$unset": fields}
        )
        [key, *_] = await mongo.signing_keys.all()
    moment = int(now().timestamp())
    claims = {
        "sub": user_id,
        "sid": session.id,
        "aud": "semantik",
        "iat": moment,
        "exp": moment + 60,
        "jti": "x",
    }
    assert await _is_signed_in(shared, {"access_token": jwt.encode(claims, key.value, "HS256")})
    renewed = await _refresh(shared, old)
    assert renewed["user"]["id"] == user_id
    latest = await _refresh(shared, renewed["refresh_token"])
    assert "used before" in (await _refusal(shared, old))[1]
    assert not await _is_signed_in(shared, latest)
