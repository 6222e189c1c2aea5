"""Bodies over `max_body_bytes` on a real server: each gets a 413 that the client can read, however it is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from urllib.parse import urlsplit

import pytest
from support.server import Serving

pytestmark = pytest.mark.gen_test

LIMIT = 1 << 20
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


def _assert_413(answer: str) -> None:
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 413 ")
    assert "application/problem+json" in head
    assert json.loads(body)["detail"] == f"The body may have {LIMIT} bytes at most."


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
    _assert_413(await _post(shared, "Transfer-Encoding: chunked", blocks))


async def test_body_at_the_limit_reaches_its_handler(shared: Serving) -> None:
    body = b'{"username": "nobody", "password": "wrong"}'.ljust(LIMIT)
    for head, blocks in [
        (f"Content-Length: {LIMIT}", [body]),
        ("Transfer-Encoding: chunked", [b"100000\r\n" + body + b"\r\n0\r\n\r\n"]),
    ]:
        answer = await _post(shared, f"Connection: close\r\n{head}", blocks)
        assert answer.startswith("HTTP/1.1 401 "), answer[:200]
