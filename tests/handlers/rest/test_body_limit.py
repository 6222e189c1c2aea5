"""Bodies over `max_body_bytes` on a real server: each gets a 413 that the client can read, however it is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from urllib.parse import urlsplit

import pytest
from support.api import new_user
from support.server import Serving

pytestmark = pytest.mark.gen_test

LIMIT = 1 << 20
ANONYMOUS_LIMIT = 16 << 10
BLOCK = bytes(1 << 16)


async def _post(serving: Serving, head: str, blocks: Iterable[bytes] = (), path: str = "auth/login") -> str:
    """Send the whole request before reading, as simple clients do; return everything up to the end of the stream."""
    address = urlsplit(serving.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"POST /api/v2/{path} HTTP/1.1\r\nHost: {address.netloc}\r\n{head}\r\n\r\n".encode())
    for block in blocks:
        writer.write(block)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer.decode()


def _assert_413(answer: str, limit: str = f"{LIMIT} bytes at most.") -> None:
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 413 ")
    assert "application/problem+json" in head
    assert json.loads(body)["detail"] == f"The body may have {limit}"


@pytest.mark.parametrize("length", [LIMIT + 1, 5_000_000, 50_000_000])
async def test_body_of_known_length_over_the_limit_gets_413(shared: Serving, length: int) -> None:
    full, remainder = divmod(length, len(BLOCK))
    blocks = [BLOCK] * full + [BLOCK[:remainder]]
    _assert_413(await _post(shared, f"Content-Length: {length}", blocks))
    _assert_413(await _post(shared, f"Content-Length: {length}", blocks, "collections"))


async def test_expect_100_continue_gets_413_without_a_body(shared: Serving) -> None:
    _assert_413(await _post(shared, "Content-Length: 50000000\r\nExpect: 100-continue"))
    _assert_413(await _post(shared, f"Content-Length: {'9' * 5000}\r\nExpect: 100-continue"))


async def test_chunked_body_over_the_limit_gets_413(shared: Serving) -> None:
    blocks = [b"10000\r\n" + BLOCK + b"\r\n"] * 80 + [b"0\r\n\r\n"]
    user = await new_user(shared)
    head = f"Authorization: Bearer {user.token}\r\nTransfer-Encoding: chunked"
    _assert_413(await _post(shared, head, blocks, "collections"))


async def test_a_body_of_somebody_who_has_not_signed_in_is_limited_more(shared: Serving) -> None:
    limit = f"{ANONYMOUS_LIMIT} bytes at most before you have signed in."
    body = bytes(ANONYMOUS_LIMIT + 1)
    _assert_413(await _post(shared, f"Content-Length: {len(body)}", [body]), limit)
    chunk = b"4001\r\n" + body + b"\r\n0\r\n\r\n"
    _assert_413(await _post(shared, "Transfer-Encoding: chunked", [chunk]), limit)


async def test_body_at_the_limit_reaches_its_handler(shared: Serving) -> None:
    user = await new_user(shared)
    authorization = f"Connection: close\r\nAuthorization: Bearer {user.token}"
    body = b'{"query": "anything"}'.ljust(LIMIT)
    for head, blocks in [
        (f"Content-Length: {LIMIT}", [body]),
        ("Transfer-Encoding: chunked", [b"100000\r\n" + body + b"\r\n0\r\n\r\n"]),
    ]:
        answer = await _post(shared, f"{authorization}\r\n{head}", blocks, "search")
        assert answer.startswith("HTTP/1.1 200 "), answer[:200]
