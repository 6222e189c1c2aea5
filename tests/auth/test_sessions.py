"""Sessions over REST, on a real server: the first user, tokens, the browser's cookie, and rejected requests."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import jwt
import pytest
from support.api import PASSWORD, new_user
from support.server import SETUP_CODE, Serving
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from semantik.client.api import Client
from semantik.client.websocket import Refused

pytestmark = pytest.mark.gen_test


async def _fetch(serving: Serving, method: str, path: str, **options: object) -> HTTPResponse:
    options.setdefault("allow_nonstandard_methods", True)
    return await AsyncHTTPClient().fetch(serving.url + path, method=method, raise_error=False, **options)


async def test_first_user_is_the_administrator_and_closes_registration(
    start: Callable[..., Serving],
) -> None:
    client = Client(start().url)
    assert await client.call("GET", "auth/setup") == {
        "needs_first_user": True,
        "chooses_roots": False,
        "registration": "closed",
        "oidc": None,
        "user": None,
    }
    first = await client.call(
        "POST",
        "auth/register",
        {"username": "ann", "password": PASSWORD, "email": "Ann@example.com", "setup_code": SETUP_CODE},
    )
    assert first["is_admin"]
    assert (await client.call("GET", "auth/setup"))["needs_first_user"] is False
    with pytest.raises(Refused, match="closed") as refused:
        await client.register("bob", PASSWORD, SETUP_CODE)
    assert refused.value.status == 403
    await client.sign_in("ann@EXAMPLE.com", PASSWORD)  # the e-mail address identifies the user in any case
    assert (await client.call("GET", "auth/me"))["username"] == "ann"
    usage = await client.call("GET", "status")
    assert usage["rss_bytes"] > 10_000_000
    assert all(worker["role"] in ("question", "batch", "tracing") for worker in usage["workers"])


@pytest.mark.parametrize("registration", ["closed", "open"])
async def test_concurrent_first_registrations_create_one_administrator(
    start: Callable[..., Serving], registration: str
) -> None:
    client = Client(start("--auth-registration", registration).url)
    answers = await asyncio.gather(
        *(client.register(f"user-{n}", PASSWORD, SETUP_CODE) for n in range(4)), return_exceptions=True
    )
    refusals = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(refusals) == (3 if registration == "closed" else 0)
    for refusal in refusals:
        assert refusal.status == 403
        assert "registration is closed" in str(refusal).lower() and "administrator" in str(refusal)
    admins = []
    for n in range(4):
        with contextlib.suppress(Refused):
            await client.sign_in(f"user-{n}", PASSWORD)
            admins.append((await client.call("GET", "auth/me"))["is_admin"])
    assert sorted(admins) == [False] * (3 - len(refusals)) + [True]


async def test_only_an_administrator_sees_the_server_status(shared: Serving) -> None:
    await new_user(shared)  # the first of this server is its administrator
    with pytest.raises(Refused, match="administrator") as refused:
        await (await new_user(shared)).call("GET", "status")
    assert refused.value.status == 403


async def test_request_from_a_foreign_origin_changes_nothing(start: Callable[..., Serving]) -> None:
    serving = start()
    body = f'{{"username": "eve", "password": "{PASSWORD}"}}'
    headers = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    answer = await _fetch(serving, "POST", "/api/v2/auth/register", body=body, headers=headers)
    assert answer.code == 403
    assert (await Client(serving.url).call("GET", "auth/setup"))["needs_first_user"]


async def test_login_returns_tokens_and_an_httponly_cookie(shared: Serving) -> None:
    client = await new_user(shared)
    me = await client.call("GET", "auth/me")
    body = f'{{"username": "{me["username"]}", "password": "{PASSWORD}"}}'
    answer = await _fetch(shared, "POST", "/api/v2/auth/login", body=body)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    headers = {"Cookie": cookie.split(";")[0]}
    assert (await _fetch(shared, "GET", "/api/v2/auth/me", headers=headers)).code == 200
    foreign = {**headers, "Origin": "https://evil.example"}
    assert (await _fetch(shared, "GET", "/api/v2/auth/me", headers=foreign)).code == 401
    token = cookie.split(";")[0].partition("=")[2]
    with pytest.raises(Refused, match="not valid"):  # the cookie is no bearer token
        await Client(shared.url, token).call("GET", "auth/me")


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"username": "nobody", "password": "whatever it is"}, 401, "wrong"),
        ({"username": "nobody"}, 422, "password"),
        ({"username": 7, "password": "x"}, 422, "username"),
        ([], 422, "JSON object"),
    ],
)
async def test_invalid_login_is_rejected_with_a_reason(
    shared: Serving, body: object, status: int, word: str
) -> None:
    with pytest.raises(Refused, match=word) as refused:
        await Client(shared.url).call("POST", "auth/login", body)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("username", "password", "email", "word"),
    [
        ("", PASSWORD, None, "user name"),
        ("x\n", "short", None, "password"),
        ("somebody", "short", None, "10 to"),
        ("somebody", "password1234", None, "easy to guess"),
        ("somebody", "qwertyuiop12", None, "easy to guess"),
        ("heronwatcher", "heronwatcher1", None, "easy to guess"),
        ("somebody", PASSWORD, "no address", "e-mail"),
    ],
)
async def test_invalid_registration_is_rejected(
    shared: Serving, username: str, password: str, email: str | None, word: str
) -> None:
    with pytest.raises(Refused, match=word) as refused:
        body = {"username": username, "password": password, "email": email}
        await Client(shared.url).call("POST", "auth/register", body)
    assert refused.value.status == 422


async def test_user_names_are_unique_regardless_of_case(shared: Serving) -> None:
    client = await new_user(shared)
    name = (await client.call("GET", "auth/me"))["username"]
    with pytest.raises(Refused, match="taken") as refused:
        await client.register(name.upper(), PASSWORD, SETUP_CODE)
    assert refused.value.status == 409


async def test_logout_ends_the_session_at_once(shared: Serving) -> None:
    client = await new_user(shared)
    await client.call("GET", "auth/me")
    assert await client.call("POST", "auth/logout") is None
    with pytest.raises(Refused, match="ended") as refused:
        await client.call("GET", "auth/me")
    assert refused.value.status == 401


async def test_forged_and_expired_tokens_are_rejected(shared: Serving) -> None:
    client = await new_user(shared)
    claims = jwt.decode(client.token, options={"verify_signature": False})
    forged = jwt.encode(claims, "another secret that is long enough for it", "HS256")
    unsigned = jwt.encode(claims, "", "none")
    expired = jwt.encode({**claims, "exp": int(time.time()) - 5}, "x" * 40, "HS256")
    for token in (forged, unsigned, expired, "garbage", "a.b.c", ""):
        with pytest.raises(Refused) as refused:
            await Client(shared.url, token).call("GET", "auth/me")
        assert refused.value.status == 401
