"""The proxies of conf/: REST, sockets and events through TLS, as a browser and a program use them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import websockets
from support.api import PASSWORD, new_user
from support.fake_operation import fake_operation
from support.patience import deadline
from support.proxies import PROXIES, Proxy, missing, proxied
from support.server import Serving
from support.uploads import collection

pytestmark = pytest.mark.gen_test

_LIMIT = 1 << 20  # max_body_bytes


@pytest.fixture(scope="module", params=PROXIES)
def proxy(request: pytest.FixtureRequest, shared: Serving) -> Iterator[Proxy]:
    if lacking := missing(request.param):
        pytest.skip(f"{lacking} not installed")
    with proxied(request.param, [shared.url.removeprefix("http://")]) as proxy:
        yield proxy


async def test_the_browser_signs_in_and_its_cookie_is_for_tls_alone(proxy: Proxy, shared: Serving) -> None:
    user = await new_user(shared)
    me = await user.call("GET", "auth/me")
    async with proxy.client(Origin=proxy.origin) as browser:
        page = await browser.get("/")
        assert page.status_code == 200 and "max-age" in page.headers["Strict-Transport-Security"]
        answer = await browser.post(
            "/api/v2/auth/login", json={"username": me["username"], "password": PASSWORD}
        )
        assert answer.status_code == 200
        assert "; secure" in answer.headers["Set-Cookie"].lower()
        assert (await browser.get("/api/v2/auth/me")).json() == me
        made = await browser.post("/api/v2/collections", json={"name": "Through the proxy"})
        assert made.status_code == 201
        cookie = f"semantik_session={browser.cookies['semantik_session']}"
        path, headers = "/ws/operations", {"Cookie": cookie}
        async with proxy.socket(path, origin=proxy.origin, additional_headers=headers) as socket_of_page:
            await socket_of_page.send("ping")
            assert json.loads(await socket_of_page.recv())["type"] == "pong"


async def test_a_foreign_page_stays_outside(proxy: Proxy, shared: Serving) -> None:
    user = await new_user(shared)
    async with proxy.client(Origin="https://elsewhere.example", Authorization=f"Bearer {user.token}") as page:
        assert (await page.post("/api/v2/collections", json={"name": "Mine"})).status_code == 403
    async with proxy.socket(
        f"/ws/operations?token={user.token}", origin="https://elsewhere.example"
    ) as opened:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await opened.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


async def test_socket_and_events_pass_each_message_as_it_comes(proxy: Proxy, shared: Serving) -> None:
    user = await new_user(shared)
    async with (
        fake_operation(shared, user) as operation,
        proxy.client(Authorization=f"Bearer {user.token}") as client,
        proxy.socket(f"/ws/operations/{operation.id}?token={user.token}") as opened,
        client.stream("GET", f"/api/v2/operations/{operation.id}/events") as events,
    ):
        assert events.status_code == 200
        lines = events.aiter_lines()

        async def shown() -> None:
            """Both have told the last message, before the next is told."""
            async with deadline():
                while json.loads(await opened.recv()).get("id") != last:
                    pass
                while await anext(lines) != f"id: {last}":
                    pass

        for number in range(3):
            last = await operation.publish("error", message=f"message {number}", fatal=False)
            await shown()
        last = await operation.end()
        await shown()


async def test_a_body_that_is_too_large_is_refused_by_the_server_in_words(
    proxy: Proxy, shared: Serving
) -> None:
    user = await new_user(shared)
    async with proxy.client(Authorization=f"Bearer {user.token}") as client:
        answer = await client.post("/api/v2/search", content=b"x" * (_LIMIT + 1))
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json" and answer.json()["detail"]


async def test_an_upload_of_any_size_passes(proxy: Proxy, shared: Serving) -> None:
    user = await new_user(shared)
    target = await collection(user)
    async with proxy.client(Authorization=f"Bearer {user.token}") as client:
        path = f"/api/v2/collections/{target}/uploads"
        answer = await client.post(path, params={"name": "big.txt"}, content=b"x" * (4 * _LIMIT))
    assert answer.status_code == 201 and answer.json()["items"][0]["size"] == 4 * _LIMIT
