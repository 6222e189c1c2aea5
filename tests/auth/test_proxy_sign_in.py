"""Sign-in by a header of a trusted proxy, on a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest
import websockets
from support.api import PASSWORD
from support.patience import deadline, patience
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

Start = Callable[..., Serving]
HEADER = "X-Remote-User"
PROXIED = ("--auth-proxy-user-header", HEADER)


async def _site(start: Start, *flags: str) -> tuple[Serving, Client]:
    serving = await asyncio.to_thread(start, *PROXIED, *flags)
    root = Client(serving.url)
    await root.register("root", PASSWORD, SETUP_CODE)
    await root.sign_in("root", PASSWORD)
    return serving, root


def _browser(serving: Serving, *names: str, **more: str) -> httpx.AsyncClient:
    """A browser behind a proxy that names these users."""
    pairs = [*((HEADER, name) for name in names), *more.items()]
    headers = [(name.encode(), value.encode()) for name, value in pairs]
    return httpx.AsyncClient(base_url=f"{serving.url}/api/v2", headers=headers, timeout=patience())


async def _sign_ins(root: Client, user: str) -> list[dict[str, object]]:
    """The sign-ins of a user in the audit trail, as soon as there is one."""
    async with deadline():
        while True:
            found: list[dict[str, object]] = (
                await root.call("GET", "audit", action="session.sign_in", user=user)
            )["items"]
            if found:
                return found
            await asyncio.sleep(0.1)


async def test_a_trusted_proxy_names_the_user(start: Start) -> None:
    serving, root = await _site(start, "--trusted-proxies", "127.0.0.1")
    async with (
        _browser(serving, "Ann") as ann,
        _browser(serving, "ann") as again,
        _browser(serving, "Zoë") as zoe,
    ):
        answers = await asyncio.gather(*(client.get("/auth/me") for client in (ann, ann, again)))
        assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
        assert answers[0].json()["username"].lower() == "ann"
        assert (await zoe.get("/auth/me")).json()["username"] == "Zoë"
        made = await ann.post("/collections", json={"name": "Mine"})
        assert made.status_code == 201
        assert (await zoe.get(f"/collections/{made.json()['id']}")).status_code == 404

        events = await _sign_ins(root, "ann")
        assert {str(event["details"]) for event in events} <= {
            "{'proxy_user': 'Ann'}",
            "{'proxy_user': 'ann'}",
        }
        assert events[0]["address"] == "127.0.0.1" and events[0]["request_id"]

        token = {"Authorization": f"Bearer {root.token}"}
        assert (await ann.get("/auth/me", headers=token)).json()["username"] == "root"
        assert (await ann.post("/auth/logout")).status_code == 204
        assert (await ann.get("/auth/me")).status_code == 200  # the proxy still names the user

        await root.call("PATCH", f"users/{answers[0].json()['id']}", {"disabled": True})
        refused = await ann.get("/auth/me")
        assert refused.status_code == 403 and "disabled" in refused.json()["detail"]


async def test_what_a_proxy_says_is_checked(start: Start) -> None:
    serving, _ = await _site(start, "--trusted-proxies", "127.0.0.1")
    async with _browser(serving, "root") as client:
        taken = await client.get("/auth/me")
        assert taken.status_code == 409 and "another account named root" in taken.json()["detail"]
    async with _browser(serving, "ann", "root") as client:
        several = await client.get("/auth/me")
        assert several.status_code == 401 and "several users" in several.json()["detail"]
    async with _browser(serving) as client:
        assert (await client.get("/auth/me")).status_code == 401
    async with _browser(serving, "x" * 201) as client:
        assert (await client.get("/auth/me")).status_code == 401


async def test_a_socket_is_that_of_the_named_user_from_this_page_only(start: Start) -> None:
    serving, _ = await _site(start, "--trusted-proxies", "127.0.0.1")
    address = serving.url.replace("http", "ws", 1) + "/ws/operations"
    async with websockets.connect(address, origin=serving.url, additional_headers={HEADER: "ann"}) as opened:
        await opened.send("ping")
        assert json.loads(await opened.recv())["type"] == "pong"
    async with websockets.connect(
        address, origin="https://evil.example", additional_headers={HEADER: "ann"}
    ) as opened:
        with pytest.raises(websockets.ConnectionClosed):
            await opened.recv()
    async with _browser(serving, "ann", Origin="https://evil.example") as client:
        assert (await client.get("/auth/me")).status_code == 401
        assert (await client.post("/collections", json={"name": "Mine"})).status_code == 403


async def test_nobody_else_is_believed(start: Start) -> None:
    serving, _ = await _site(start, "--trusted-proxies", "192.0.2.0/24")
    async with _browser(serving, "root", **{"X-Forwarded-For": "192.0.2.1"}) as client:
        assert (await client.get("/auth/me")).status_code == 401


async def test_an_existing_account_is_taken_if_the_settings_say_so(start: Start) -> None:
    flags = ("--auth-link-accounts", "username", "--auth-create-accounts", "false")
    serving, root = await _site(start, "--trusted-proxies", "127.0.0.1", *flags)
    async with _browser(serving, "ROOT") as client:
        assert (await client.get("/auth/me")).json() == await root.call("GET", "auth/me")
    async with _browser(serving, "ann") as client:
        assert (await client.get("/auth/me")).status_code == 403
