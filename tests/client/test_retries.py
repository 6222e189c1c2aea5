"""Which requests the Python client sends again: what is safe, as often as allowed, when the server says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate

import pytest
from conftest import run

from semantik.client import Client, NotSent, Refused, Retries
from semantik.client.retries import retry_after_s
from semantik.core.errors import Unavailable

QUICK = Retries(first_pause_s=0.01)
EMPTY = b'{"items": [], "next_cursor": null}'


def _answer(status: int, *headers: bytes, body: bytes = EMPTY) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, b"Content-Length: %d" % len(body), b"Connection: close", *headers]
    return b"\r\n".join([*lines, b"", body])


REFUSED = b'{"detail": "Wait.", "type": "about:blank"}'
OK, BUSY, AWAY = (
    _answer(200),
    _answer(429, b"Retry-After: 0", body=REFUSED),
    _answer(503, b"Retry-After: 0", body=REFUSED),
)
LOST = b""


@asynccontextmanager
async def _scripted(*script: bytes, retries: Retries = QUICK) -> AsyncIterator[tuple[Client, list[str]]]:
    """A server that answers each request as the script says, and ends the connection after it."""
    answers = list(script)
    requests: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        requests.append(head.split(" ")[0])
        writer.write(answers.pop(0))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", retries=retries), requests
    finally:
        server.close()
    assert answers == []


def test_what_may_be_repeated_is_repeated() -> None:
    async def test() -> None:
        async with _scripted(LOST, AWAY, BUSY, OK) as (client, requests):
            assert (await client.list_collections())["items"] == []
        assert requests == ["GET"] * 4
        async with _scripted(LOST, _answer(502), OK) as (client, requests):
            await client.search("kite")
        assert requests == ["POST"] * 3
        async with _scripted(LOST, OK) as (client, requests):
            await client.delete_collection("x")
        assert requests == ["DELETE"] * 2

    run(test())


def test_a_post_that_may_have_been_executed_is_sent_once() -> None:
    async def test() -> None:
        async with _scripted(LOST) as (client, _):
            with pytest.raises(Unavailable, match="does not answer"):
                await client.create_collection("Tides")
        async with _scripted(AWAY) as (client, _):
            with pytest.raises(Refused, match=r"Wait\.") as refused:
                await client.create_collection("Tides")
            assert (refused.value.status, refused.value.retry_after_s) == (503, 0)
        async with _scripted(AWAY) as (client, _):
            with pytest.raises(Refused):
                await client.change_collection("x", name="y")
        async with _scripted(BUSY, OK) as (client, requests):  # refused before it was executed
            await client.create_collection("Tides")
        assert requests == ["POST"] * 2

    run(test())


def test_a_post_is_sent_once_a_server_listens() -> None:
    async def test() -> None:
        async with _scripted() as (client, _):
            pass
        with pytest.raises(NotSent, match="Connection refused"):
            await client.create_collection("Tides")
        client.retries = Retries(attempts=100, patience_s=30)
        calling = asyncio.ensure_future(client.create_collection("Tides"))
        await asyncio.sleep(0)
        port = int(client.url.rpartition(":")[2])

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", port)
        assert await calling
        server.close()

    run(test())


def test_retries_are_bounded_in_number_and_time() -> None:
    async def test() -> None:
        async with _scripted(AWAY, AWAY, AWAY, AWAY) as (client, _):
            with pytest.raises(Refused):
                await client.list_collections()
        async with _scripted(_answer(503, b"Retry-After: 31", body=REFUSED)) as (client, _):
            with pytest.raises(Refused) as refused:
                await client.list_collections()
            assert refused.value.retry_after_s == 31
        async with _scripted(BUSY, retries=Retries(attempts=1)) as (client, _):
            with pytest.raises(Refused):
                await client.list_collections()

    run(test())


def test_a_client_waits_as_long_as_the_server_says() -> None:
    async def test() -> None:
        async with _scripted(_answer(429, b"Retry-After: 1", body=REFUSED), OK) as (client, _):
            started = time.monotonic()
            await client.list_collections()
            assert time.monotonic() - started >= 1

    run(test())


def test_streams_are_begun_again_but_not_continued() -> None:
    events = b'data: {"type": "a"}\n\nid: 7-0\nevent: close\ndata: {"code": 1000}\n\n'
    cut = _answer(200, body=events).replace(b"Content-Length: ", b"Content-Length: 9")

    async def test() -> None:
        async with _scripted(AWAY, _answer(200, body=events)) as (client, _):
            assert [event async for event in client.follow_operation("x")] == [
                {"event": "message", "id": "", "data": {"type": "a"}},
                {"event": "close", "id": "7-0", "data": {"code": 1000}},
            ]
        async with _scripted(cut) as (client, _):
            seen = []
            with pytest.raises(Unavailable, match="before the end"):
                async for event in client.follow_operation("x"):
                    seen.append(event["event"])
            assert seen == ["message", "close"]
        async with _scripted(_answer(404, body=REFUSED)) as (client, _):
            with pytest.raises(Refused, match=r"Wait\."):
                await anext(client.follow_operation("x"))

    run(test())


def test_retry_after_may_be_a_date() -> None:
    later = retry_after_s(formatdate(time.time() + 60, usegmt=True))
    assert later is not None and 50 < later <= 60
    assert retry_after_s(formatdate(0, usegmt=True)) == 0
    assert retry_after_s("soon") is None
    assert retry_after_s("12") == 12
