"""Requests are refused before their bodies are read, with answers that clients can read, and slow ones are ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from support.api import new_user
from support.patience import deadline
from support.raw_socket import RawSocket, opened
from support.server import Serving

pytestmark = pytest.mark.gen_test


def _request(serving: Serving, method: str, path: str, *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(serving.url).netloc}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _answer(client: RawSocket) -> int:
    """The status of the next answer; its body is read with it."""
    async with deadline():
        await client.answered()
    return client.status


@pytest.mark.parametrize("headers", [("Content-Length: 900000",), ("Transfer-Encoding: chunked",)])
async def test_somebody_unknown_gets_401_before_any_byte_of_the_body(
    shared: Serving, headers: tuple[str, ...]
) -> None:
    async with opened(shared.url) as client:
        await client.send(_request(shared, "POST", "/api/v2/collections", *headers))
        assert await _answer(client) == 401


async def test_a_foreign_page_gets_403_before_any_byte_of_the_body(shared: Serving) -> None:
    user = await new_user(shared)
    async with opened(shared.url) as client:
        headers = (f"Authorization: Bearer {user.token}", "Origin: https://elsewhere.example")
        await client.send(_request(shared, "POST", "/api/v2/search", *headers, "Content-Length: 1000"))
        assert await _answer(client) == 403


async def test_the_connection_serves_on_when_the_body_of_a_refused_request_has_come(shared: Serving) -> None:
    async with opened(shared.url) as client:
        await client.send(_request(shared, "POST", "/api/v2/collections", "Content-Length: 20000"))
        assert await _answer(client) == 401
        await client.send(bytes(20_000))
        await client.send(_request(shared, "GET", "/api/v2/auth/setup", "Connection: close"))
        async with deadline():
            assert b"HTTP/1.1 200 OK" in await client.everything()


async def test_a_refused_client_that_expects_100_continue_gets_no_100(shared: Serving) -> None:
    async with opened(shared.url) as client:
        headers = ("Content-Length: 20000", "Expect: 100-continue")
        await client.send(_request(shared, "POST", "/api/v2/collections", *headers))
        assert await _answer(client) == 401


async def test_a_request_that_is_not_http_gets_a_problem(shared: Serving) -> None:
    async with opened(shared.url) as client:
        await client.send(b"nonsense\r\n\r\n")
        async with deadline():
            head, _, body = (await client.everything()).decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 400 ") and "X-Content-Type-Options: nosniff" in head
    assert json.loads(body)["detail"] == "The request is not valid HTTP/1.1."


async def test_unfinished_requests_are_ended(start: Callable[..., Serving]) -> None:
    serving = start(
        "--connections-header-s", "0.3", "--connections-body-s", "0.3", "--connections-idle-s", "0.3"
    )
    async with opened(serving.url) as header, opened(serving.url) as body, opened(serving.url) as idle:
        await header.send(b"GET / HTTP/1.1\r\nHost: ")
        await body.send(_request(serving, "POST", "/api/v2/auth/login", "Content-Length: 100") + b"{")
        async with deadline():
            assert await header.everything() == b"" == await idle.everything()
            answer = (await body.everything()).decode()
    assert answer.startswith("HTTP/1.1 408 ") and "The body did not come within 0.3 s." in answer
