"""The client against faulty and foreign servers: each failure is a clear error, and lost connections are resumed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import run
from support.api import PASSWORD, new_user
from support.hold import held
from support.server import SETUP_CODE, Serving
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from semantik.client import transport, websocket
from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.errors import SemantikError, Unavailable

HTML = "<html>\n<h1>502 Bad Gateway</h1> nginx</html>"


@asynccontextmanager
async def _server(answer: str | None) -> AsyncIterator[str]:
    """A server that sends the same answer to every request; None: it never answers."""
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
    ("answer", "status", "reason"),
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
def test_unexpected_response_is_reported_with_its_status(answer: str, status: int, reason: str) -> None:
    async def test() -> None:
        async with _server(answer) as url:
            with pytest.raises(Refused) as refused:
                await Client(url).call("GET", "health")
        assert refused.value.status == status
        assert reason in str(refused.value)

    run(test())


def test_unreachable_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
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
        monkeypatch.setattr(transport, "_ANSWER_S", 0.1)
        async with _server(None) as url:
            assert "imeout" in await unavailable(url)

    run(test())


def _folder(tmp_path: Path, count: int) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(count):
        lines = [f"Tide {number}.{part} rose to {number + part} feet." for part in range(10)]
        (folder / f"tide-{number:03}.txt").write_text("\n\n".join(lines))
    return folder


def _seqs(messages: list[dict[str, Any]]) -> list[int]:
    return [message["seq"] for message in messages if "seq" in message]


@pytest.mark.parametrize("watch_all", [False, True])
def test_watching_continues_to_the_end_after_the_server_was_killed(
    start: Callable[..., Serving], tmp_path: Path, watch_all: bool
) -> None:
    async def test() -> None:
        serving = start()
        client = Client(serving.url)
        await client.register("admin", PASSWORD, SETUP_CODE)
        await client.sign_in("admin", PASSWORD)
        watching = client.watch_all() if watch_all else None
        until_killed = ExitStack()
        until_killed.enter_context(held(folder, "tide-149.txt"))
        made = await client.call("POST", "collections", {"name": "Tides", "source_path": str(folder)})
        messages: list[dict[str, Any]] = []
        restarting: asyncio.Future[Serving] | None = None
        async for message in watching or client.watch(made["operation_id"]):
            messages.append(message)
            if message["type"] == "document_processed" and restarting is None:
                assert message["data"]["processed"] < 150, "the kill must come in mid-operation"
                serving.kill()
                until_killed.close()
                port = str(urlsplit(serving.url).port)
                restarting = asyncio.ensure_future(asyncio.to_thread(start, "--port", port))
            if message["type"] == "status_update" and message["data"]["status"] == "completed" and watch_all:
                break
        assert restarting is not None
        await restarting
        seqs = _seqs(messages)
        assert seqs == list(range(1, len(seqs) + 1))
        kinds = [message["type"] for message in messages]
        assert kinds[0] == "current_state" and kinds.count("current_state") == 1
        assert kinds[-2:] == ["operation_completed", "status_update"]

    folder = _folder(tmp_path, 150)
    run(test())


def test_end_of_session_ends_watching_with_the_servers_reason(shared: Serving) -> None:
    async def test() -> None:
        client = await new_user(shared)
        watching = asyncio.ensure_future(_messages(client.watch_all()))
        made = await client.call("POST", "collections", {"name": "Empty"})
        await client.call("DELETE", f"collections/{made['id']}")
        await client.call("POST", "auth/logout")
        with pytest.raises(Refused, match="session has ended") as refused:
            await watching
        assert refused.value.status == 1008
        with pytest.raises(Refused, match="no operation"):
            await _messages((await new_user(shared)).watch("no-such-operation"))

    run(test())


def test_token_that_expires_while_watching_is_refreshed(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    async def test() -> None:
        serving = start("--auth-access-token-s", "10")
        client = Client(serving.url)
        await client.register("admin", PASSWORD, SETUP_CODE)
        await client.sign_in("admin", PASSWORD)
        first = client.token
        watching = client.watch_all()
        next_one = asyncio.ensure_future(anext(watching))
        while client.token == first:  # only the closed socket makes the client refresh it
            assert not next_one.done()
            await asyncio.sleep(0.1)
        made = await client.call("POST", "collections", {"name": "Tides", "source_path": str(folder)})
        message = await next_one
        while message["type"] != "operation_completed":
            message = await anext(watching)
        assert message["operation_id"] == made["operation_id"]

    folder = _folder(tmp_path, 2)
    run(test())


class _Scripted(WebSocketHandler):
    """A socket whose connections end as the script says, one entry for each."""

    script: list[int | str]
    cursors: list[str]

    def open(self) -> None:
        self.cursors.append(self.get_query_argument("since", ""))
        ending = self.script.pop(0)
        number = len(self.cursors)
        self._send({"type": "current_state", "data": {"last_id": f"{number}-0"}})
        if ending == "truncated":
            self._send({"type": "history_truncated", "data": {}})
            self._send({"type": "current_state", "data": {"last_id": f"{number}-0"}})
        for seq in (number - 1, number):
            if seq:
                self._send({"type": "status_update", "seq": seq, "id": f"{seq}-0", "data": {}})
        if isinstance(ending, int):
            self.close(ending, "a scripted close")

    def on_message(self, message: str | bytes) -> None:
        """Send no answer, not even to pings."""

    def _send(self, message: dict[str, Any]) -> None:
        self.write_message({**message, "operation_id": "x"})


@asynccontextmanager
async def _scripted_server(*script: int | str) -> AsyncIterator[tuple[Client, list[str]]]:
    cursors: list[str] = []
    handler = type("_OneScript", (_Scripted,), {"script": list(script), "cursors": cursors})
    socket, port = bind_unused_port()
    server = HTTPServer(Application([("/ws/operations/x", handler)]))
    server.add_socket(socket)
    try:
        yield Client(f"http://127.0.0.1:{port}"), cursors
    finally:
        server.stop()
        await server.close_all_connections()


def test_every_lost_connection_is_resumed_without_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "_PAUSE_S", (0.01, 0.02))
    monkeypatch.setattr(websocket, "_QUIET_S", 0.2)

    async def test() -> None:
        async with _scripted_server(1001, 1013, 1011, "silent", "truncated", 1000) as (client, cursors):
            messages = await _messages(client.watch("x"))
        assert cursors == ["", "1-0", "2-0", "3-0", "4-0", "5-0"]
        assert _seqs(messages) == [1, 2, 3, 4, 5, 6]
        kinds = [message["type"] for message in messages if "seq" not in message]
        assert kinds == ["current_state", "history_truncated", "current_state"]
        async with _scripted_server(1013, 1000) as (client, cursors):
            await _messages(client.watch("x", since="$"))
        assert cursors == ["$", "1-0"]
        async with _scripted_server(1013, 1008) as (client, cursors):
            with pytest.raises(Refused, match="a scripted close"):
                await _messages(client.watch("x"))

    run(test())


def test_retries_end_after_the_patience_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "_PAUSE_S", (0.01, 0.02))

    async def test() -> None:
        async with _server("nothing") as url:
            pass
        with pytest.raises(Unavailable, match=r"within 0.2 s: .*Connection refused"):
            await _messages(Client(url).watch("x", patience_s=0.2))
        async with _scripted_server(1001) as (client, cursors):
            with pytest.raises(Unavailable, match="a scripted close"):
                await _messages(client.watch("x", patience_s=0))
        assert len(cursors) == 1
        async with _server(_answer("502 Bad Gateway", HTML)) as url:
            with pytest.raises(Unavailable, match="502"):
                await _messages(Client(url).watch("x", patience_s=0))

    run(test())


async def _messages(watching: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message async for message in watching]
