"""`GET /api/v2/operations/{id}/events`: the same messages as Server-Sent Events."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from support.api import PASSWORD, new_user
from support.clients import EventStream, connect, rest, until
from support.fake_operation import fake_operation
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from semantik.client.api import Client
from semantik.connection_limits.watcher_counts import POLL_S

pytestmark = pytest.mark.gen_test

_LARGE = 80  # messages of 100 kB: more than the buffers of a connection hold
_ENDED = {"code": 1000, "reason": "The operation has ended."}


def _stream(serving: Serving, client: Client, operation_id: str, last: str = "", **query: str) -> EventStream:
    headers = {"Authorization": f"Bearer {client.token}"} | ({"Last-Event-ID": last} if last else {})
    return EventStream(serving, operation_id, headers, query)


async def _answer(serving: Serving, operation_id: str, method: str = "GET", **headers: str) -> HTTPResponse:
    url = f"{serving.url}/api/v2/operations/{operation_id}/events"
    body = b"" if method == "POST" else None
    request = HTTPRequest(url, method, headers, body)
    return await AsyncHTTPClient().fetch(request, raise_error=False)


async def test_stream_sends_the_same_messages_as_the_socket(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        stream = _stream(shared, client, operation.id)
        events = await stream.until("operation_started")
        assert [event.data["type"] for event in events] == ["current_state", "operation_started"]
        assert events[0].id is None and events[1].id == events[1].data["id"]
        await operation.publish("error", message="line\nbreak\r\n\u2028 é", fatal=False)
        last = await operation.end()
        events += await stream.rest()
        assert events[-1].event == "close" and events[-1].data == _ENDED
        messages = [event for event in events if event.event == "message"]
        assert messages[-1].id == last
        socket = await connect(shared, f"/ws/operations/{operation.id}", {"token": client.token})
        from_socket = [message for message in await rest(socket) if "seq" in message]
        assert [event.data for event in messages if event.id] == from_socket
        headers = stream.headers
        assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert headers["Cache-Control"] == "no-store" and headers["X-Accel-Buffering"] == "no"


async def test_no_presence_follows_the_last_message(shared: Serving) -> None:
    """How many watch may change while the last messages are written; a client takes the last one for the last."""
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        for number in range(_LARGE):
            await operation.publish("error", message=f"{number} " * 20_000, fatal=False)
        last = await operation.end()
        slow, writer = await _slow_stream(shared, client, operation.id)
        found = await slow.readuntil(b"\r\n\r\n")  # and no more than the buffers hold
        other = _stream(shared, client, operation.id)
        await other.until("current_state")
        await asyncio.sleep(2 * POLL_S)  # by then both are counted
        while b"event: close" not in found[-1000:]:
            found += await slow.read(1 << 16)
        _, _, rest_of_it = found.partition(f"id: {last}".encode())
        assert b"status_update" in rest_of_it and b"presence" not in rest_of_it
        writer.close()
        other.leave()


async def _slow_stream(
    serving: Serving, client: Client, operation_id: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream of which no more is taken than is read here."""
    split = urlsplit(serving.url)
    assert split.hostname is not None and split.port is not None
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, (split.hostname, split.port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=4096)
    head = f"GET /api/v2/operations/{operation_id}/events HTTP/1.1"
    writer.write(f"{head}\r\nHost: {split.netloc}\r\nAuthorization: Bearer {client.token}\r\n\r\n".encode())
    return reader, writer


@pytest.mark.parametrize("method", ["header", "query", "both"])
async def test_stream_resumes_after_the_last_event(shared: Serving, method: str) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        ids = [await operation.publish("error", message=str(number), fatal=False) for number in range(5)]
        query = {"since": ids[0] if method == "both" else ids[2]} if method != "header" else {}
        stream = _stream(shared, client, operation.id, ids[2] if method != "query" else "", **query)
        await operation.end()
        events = await stream.rest()
        seen = [event.data["type"] for event in events if event.event == "message"]
        assert [kind for kind in seen if kind != "presence"] == [
            "current_state",
            "error",
            "error",
            "operation_completed",
            "status_update",
        ]


async def test_client_that_has_all_messages_gets_204(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        last = await operation.end()
        bearer = {"Authorization": f"Bearer {client.token}"}
        answer = await _answer(shared, operation.id, **bearer, **{"Last-Event-ID": last})
        assert (answer.code, answer.body) == (204, b"")
        new_only = _stream(shared, client, operation.id, since="$")
        events = await new_only.rest()
        assert [event.event for event in events] == ["message", "close"]
        address = f"{shared.url}/api/v2/operations/{operation.id}/events?since={last}&token={client.token}"
        assert (await AsyncHTTPClient().fetch(address)).code == 204
        # The close event has an id as well: a browser that reconnects with it gets 204.
        assert events[-1].id == last
        await operation.progress.delete(operation.id)
        events = await _stream(shared, client, operation.id).rest()
        assert [event.event for event in events] == ["message", "close"] and events[-1].id
        answer = await _answer(shared, operation.id, **bearer, **{"Last-Event-ID": events[-1].id})
        assert answer.code == 204


async def test_lost_history_sends_history_truncated(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        stream = _stream(shared, client, operation.id, "5-0")
        events = await stream.until("operation_started")
        kinds = [event.data["type"] for event in events]
        assert kinds[:2] == ["history_truncated", "current_state"]
        stream.leave()


async def test_errors_before_the_stream_starts_are_problem_documents(shared: Serving) -> None:
    owner, stranger = await new_user(shared), await new_user(shared)
    async with fake_operation(shared, owner) as operation:
        bearer, other = ({"Authorization": f"Bearer {each.token}"} for each in (owner, stranger))
        missing = "00000000-0000-4000-8000-000000000000"
        answers = []
        for operation_id, method, headers, status in [
            (operation.id, "GET", {}, 401),
            (operation.id, "GET", {"Authorization": "Bearer x"}, 401),
            (operation.id, "GET", other, 404),
            (missing, "GET", other, 404),
            (operation.id, "GET", bearer | {"Last-Event-ID": "yesterday"}, 422),
            (operation.id, "POST", bearer, 405),
            (operation.id, "HEAD", bearer, 405),
        ]:
            answer = await _answer(shared, operation_id, method, **headers)
            assert answer.code == status
            assert answer.headers["Content-Type"] == "application/problem+json"
            if method != "HEAD":
                problem = json.loads(answer.body)
                assert problem["status"] == status and problem["detail"]
                answers.append(problem["detail"].replace(operation_id, "…"))
        assert answers[2] == answers[3]


async def test_cookie_authenticates_except_from_a_foreign_origin(shared: Serving) -> None:
    client = await new_user(shared)
    name = (await client.call("GET", "auth/me"))["username"]
    body = json.dumps({"username": name, "password": PASSWORD})
    login = await AsyncHTTPClient().fetch(f"{shared.url}/api/v2/auth/login", method="POST", body=body)
    cookie = login.headers["Set-Cookie"].split(";")[0]
    async with fake_operation(shared, client, ended=True) as operation:
        events = await EventStream(shared, operation.id, {"Cookie": cookie}).rest()
        assert events[-1].data == _ENDED
        answer = await _answer(shared, operation.id, Cookie=cookie, Origin="https://evil.example")
        assert answer.code == 401


async def test_stream_counts_as_a_watcher_until_it_is_closed(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        socket = await connect(shared, f"/ws/operations/{operation.id}", {"token": client.token})
        await until(socket, "presence", watchers=1)
        stream = _stream(shared, client, operation.id)
        await stream.until("presence")
        await until(socket, "presence", watchers=2, users=1)
        stream.leave()
        await until(socket, "presence", watchers=1, users=1)
        socket.close()


async def test_stream_over_the_limit_gets_429(start: Callable[..., Serving]) -> None:
    serving = start("--sockets-per-user", "1")
    client = await new_user(serving)
    async with fake_operation(serving, client) as operation:
        stream = _stream(serving, client, operation.id)
        await stream.until("current_state")
        answer = await _answer(serving, operation.id, Authorization=f"Bearer {client.token}")
        assert answer.code == 429
        assert "sockets.per_user" in json.loads(answer.body)["detail"]
        socket = await connect(serving, "/ws/operations", {"token": client.token})
        await rest(socket)
        assert socket.close_code == 1013
    # The last event says that the server shuts down.
    assert await asyncio.to_thread(serving.stop) == 0
    events = await stream.rest()
    assert events[-1].event == "close" and events[-1].data["code"] == 1001


async def test_slow_reader_gets_1013_and_can_resume(start: Callable[..., Serving]) -> None:
    serving = start("--sockets-send-queue-messages", "10", "--sockets-send-queue-bytes", "65536")
    client = await new_user(serving)
    async with fake_operation(serving, client) as operation:
        stream = _stream(serving, client, operation.id)
        await stream.until("operation_started")
        for number in range(1500):  # more than the kernel's buffers take
            last = await operation.publish("error", message=f"{number} " + "x" * 10_000, fatal=False)
        events = await stream.rest()
        assert events[-1].event == "close" and events[-1].data["code"] == 1013
        seqs = [event.data["seq"] for event in events if event.id]
        assert seqs == list(range(2, len(seqs) + 2)) and len(seqs) < 1500
        [*_, last_received] = [event.id for event in events if event.id]
        resumed = _stream(serving, client, operation.id, last_received)
        while (event := await resumed.receive()) is not None and event.id != last:
            if event.id:
                seqs.append(event.data["seq"])
        assert [*seqs, event.data["seq"] if event else None] == list(range(2, 1502))
        resumed.leave()


async def test_curl_receives_the_complete_stream(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client, ended=True) as operation:
        curl = await asyncio.create_subprocess_exec(
            *("curl", "--silent", "--show-error", "--no-buffer", "--fail", "--max-time", "30"),
            *("--header", f"Authorization: Bearer {client.token}"),
            f"{shared.url}/api/v2/operations/{operation.id}/events",
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await curl.communicate()
        assert curl.returncode == 0
        assert out.decode().count("\nid: ") + out.decode().startswith("id: ") >= 3
        assert out.endswith(b"\n\n") and b"event: close\n" in out
        assert client.token not in shared.log.read_text()


async def test_sign_out_closes_the_stream(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        stream = _stream(shared, client, operation.id)
        await stream.until("operation_started")
        await client.call("POST", "auth/logout")
        [*_, last] = await stream.rest()
        assert last.event == "close" and last.id is None
        assert last.data == {"code": 1008, "reason": "The session has ended; sign in again."}
