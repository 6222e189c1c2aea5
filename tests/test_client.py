"""The client against what is no Semantik server, or none at its best: each answer ends in a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from conftest import run

from semantik import client
from semantik.client import Client, Refused
from semantik.errors import SemantikError, Unavailable

HTML = "<html>\n<h1>502 Bad Gateway</h1> nginx</html>"


@asynccontextmanager
async def _server(answer: str | None) -> AsyncIterator[str]:
    """Something that listens, and gives every request the same answer; None: it never answers."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await done.wait()
        else:
            writer.write(answer.encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        done.set()
        server.close()


def _answer(status: str, body: str) -> str:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"


@pytest.mark.parametrize(
    ("answer", "status", "sentence"),
    [
        (_answer("503 Service Unavailable", '{"status": "degraded", "mongo": false}'), 503, '"mongo": false'),
        (
            _answer("502 Bad Gateway", HTML),
            502,
            "answered 502 Bad Gateway: <html> <h1>502 Bad Gateway</h1> nginx",
        ),
        (_answer("502 Bad Gateway", ""), 502, "answered 502 Bad Gateway."),
        (_answer("500 Oh", '{"detail": null}'), 500, "answered 500 Oh"),
        (_answer("400 Bad Request", "[1]"), 400, "answered 400 Bad Request: [1]"),
        (_answer("200 OK", "<html>Please sign in to the hotel's network</html>"), 200, "Please sign in"),
        (_answer("422 Unprocessable", '{"detail": "k is missing."}'), 422, "k is missing."),
    ],
)
def test_an_answer_that_is_not_ours_is_told_with_its_status(answer: str, status: int, sentence: str) -> None:
    async def test() -> None:
        async with _server(answer) as url:
            with pytest.raises(Refused) as refused:
                await Client(url).call("GET", "health")
        assert refused.value.status == status
        assert sentence in str(refused.value)

    run(test())


def test_who_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unavailable(url: str) -> str:
        with pytest.raises(Unavailable) as refused:
            await Client(url).call("GET", "health")
        assert isinstance(refused.value, SemantikError)
        assert url in str(refused.value) and "does not answer" in str(refused.value)
        return str(refused.value)

    async def test() -> None:
        async with _server("nothing") as url:
            pass
        assert "Connection refused" in await unavailable(url)
        await unavailable("http://no-such-host.invalid:1")
        async with _server("") as url:
            await unavailable(url)
        async with _server("SSH-2.0-OpenSSH_9.9\r\n\r\n") as url:
            await unavailable(url)
        monkeypatch.setattr(client, "_ANSWER_S", 0.1)
        async with _server(None) as url:
            assert "imeout" in await unavailable(url)

    run(test())
