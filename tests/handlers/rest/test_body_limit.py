"""Bodies over `max_body_bytes` on a real server: every way to send one ends in a 413 that the client can read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from urllib.parse import urlsplit

import pytest
from support.server import Serving

pytestmark = pytest.mark.gen_test

LIMIT = 1 << 20
PIECE = bytes(1 << 16)


async def _answer(serving: Serving, head: str, pieces: Iterable[bytes] = (), path: str = "auth/login") -> str:
    """Send all of a request before the answer is looked at, as simple clients do; returns what came till the end."""
    where = urlsplit(serving.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(f"POST /api/v2/{path} HTTP/1.1\r\nHost: {where.netloc}\r\n{head}\r\n\r\n".encode())
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer.decode()


def _check(answer: str) -> None:
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 413 ")
    assert "application/problem+json" in head
    assert json.loads(body)["detail"] == f"The body may have {LIMIT} bytes at most."


@pytest.mark.parametrize("length", [LIMIT + 1, 5_000_000, 50_000_000])
async def test_a_body_of_a_known_length_is_refused_in_words(shared: Serving, length: int) -> None:
    whole, rest = divmod(length, len(PIECE))
    pieces = [PIECE] * whole + [PIECE[:rest]]
    _check(await _answer(shared, f"Content-Length: {length}", pieces))
    _check(await _answer(shared, f"Content-Length: {length}", pieces, "collections"))


async def test_a_client_that_asks_first_need_not_send_at_all(shared: Serving) -> None:
    _check(await _answer(shared, "Content-Length: 50000000\r\nExpect: 100-continue"))
    _check(await _answer(shared, f"Content-Length: {'9' * 5000}\r\nExpect: 100-continue"))


async def test_a_body_in_pieces_is_refused_once_it_is_too_long(shared: Serving) -> None:
    pieces = [b"10000\r\n" + PIECE + b"\r\n"] * 80 + [b"0\r\n\r\n"]
    _check(await _answer(shared, "Transfer-Encoding: chunked", pieces))


async def test_a_body_at_the_limit_reaches_its_door(shared: Serving) -> None:
    body = b'{"username": "nobody", "password": "wrong"}'.ljust(LIMIT)
    for head, pieces in [
        (f"Content-Length: {LIMIT}", [body]),
        ("Transfer-Encoding: chunked", [b"100000\r\n" + body + b"\r\n0\r\n\r\n"]),
    ]:
        answer = await _answer(shared, f"Connection: close\r\n{head}", pieces)
        assert answer.startswith("HTTP/1.1 401 "), answer[:200]
