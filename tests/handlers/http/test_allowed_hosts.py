"""Which Host headers the server answers to, by the rules alone and on a real server."""

from __future__ import annotations

import json

import pytest
from support.raw_socket import opened
from support.server import Serving

from handlers.http import allowed_hosts


def host_allowed(host: str, listens_on: str, allowed: tuple[str, ...]) -> bool:
    name = allowed_hosts.host_name(host)
    return name is not None and allowed_hosts.host_allowed(name, listens_on, allowed)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "localhost.", "demo.localhost:80"]
)
def test_loopback_names_are_always_allowed(host: str) -> None:
    assert host_allowed(host, "192.0.2.5", ())


def test_the_address_that_the_server_listens_on_is_allowed() -> None:
    assert host_allowed("192.0.2.5:8080", "192.0.2.5", ())
    assert not host_allowed("192.0.2.6:8080", "192.0.2.5", ())


@pytest.mark.parametrize("anywhere", ["0.0.0.0", "::"])
def test_a_server_on_all_addresses_answers_to_any_address_but_to_no_name(anywhere: str) -> None:
    assert host_allowed("192.0.2.6", anywhere, ()) and host_allowed("[2001:db8::1]:8080", anywhere, ())
    assert not host_allowed("evil.example", anywhere, ())


def test_listed_names_are_allowed() -> None:
    listed = ("search.example.org", ".internal.example.org")
    assert host_allowed("Search.Example.org:443", "127.0.0.1", listed)
    assert host_allowed("a.internal.example.org", "127.0.0.1", listed)
    assert not host_allowed("internal.example.org", "127.0.0.1", listed)
    assert not host_allowed("evil-search.example.org", "127.0.0.1", listed)
    assert host_allowed("anything.example", "127.0.0.1", ("*",))


@pytest.mark.parametrize(
    "host", ["", "a b", "localhost@evil.example", "localhost:80:80", "[::1", "evil.example/127.0.0.1"]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    assert not host_allowed(host, "127.0.0.1", ())


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/", "/api/v2/auth/setup", "/ws/operations", "/metrics", "/static/app.js"])
async def test_a_foreign_name_reaches_nothing(shared: Serving, path: str) -> None:
    async with opened(shared.url) as client:
        head = f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n"
        await client.send(head.encode())
        answer = await client.everything()
    head, _, body = answer.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 421 ") and "X-Frame-Options: DENY" in head
    assert json.loads(body)["detail"] == (
        "This server does not answer to the name 'evil.example'; allowed_hosts can add it."
    )
