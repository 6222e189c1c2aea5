"""`GET /api/v2/operations/{id}/events`: the same messages as Server-Sent Events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from support.api import PASSWORD, new_user
from support.clients import EventStream, connect, rest, until
from support.fake_operation import fake_operation
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

_ENDED = {"code": 1000, "reason": "The operation has ended."}


def _stream(serving: Serving, client: Client, operation_id: str, last: str = "", **query: str) -> EventStream:
    headers = {"Authorization": f"Bearer {client.token}"} | ({"Last-Event-ID": last} if last else {})
    return EventStream(serving, operation_id, headers, query)


async def _answer(serving: Serving, operation_id: str, method: str = "GET", **headers: str) -> HTTPResponse:
    url = f"{serving.url}/api/v2/operations/{operation_id}/events"
    body = b"" if method == "POST" else None
    request = HTTPRequest(url, method, headers, body)
    return await AsyncHTTPClient().fetch(request, raise_error=False)


async def test_the_stream_says_what_the_socket_says(shared: Serving) -> None:
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
        frames = [frame for frame in await rest(socket) if "seq" in frame]
        assert [event.data for event in messages if event.id] == frames
        headers = stream.headers
        assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert headers["Cache-Control"] == "no-store" and headers["X-Accel-Buffering"] == "no"


@pytest.mark.parametrize("way", ["header", "query", "both"])
async def test_it_goes_on_after_the_last_event(shared: Serving, way: str) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        ids = [await operation.publish("error", message=str(number), fatal=False) for number in range(5)]
        query = {"since": ids[0] if way == "both" else ids[2]} if way != "header" else {}
        stream = _stream(shared, client, operation.id, ids[2] if way != "query" else "", **query)
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


async def test_who_has_everything_is_told_to_stay_away(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        last = await operation.end()
        bearer = {"Authorization": f"Bearer {client.token}"}
        answer = await _answer(shared, operation.id, **bearer, **{"Last-Event-ID": last})
        assert (answer.code, answer.body) == (204, b"")
        again = _stream(shared, client, operation.id, since="$")
        events = await again.rest()
        assert [event.event for event in events] == ["message", "close"]
        address = f"{shared.url}/api/v2/operations/{operation.id}/events?since={last}&token={client.token}"
        assert (await AsyncHTTPClient().fetch(address)).code == 204
        # What says that all was sent has an id as well: a browser that comes back with it gets 204.
        assert events[-1].id == last
        await operation.progress.delete(operation.id)
        events = await _stream(shared, client, operation.id).rest()
        assert [event.event for event in events] == ["message", "close"] and events[-1].id
        answer = await _answer(shared, operation.id, **bearer, **{"Last-Event-ID": events[-1].id})
        assert answer.code == 204


async def test_lost_history_is_told(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        stream = _stream(shared, client, operation.id, "5-0")
        events = await stream.until("operation_started")
        kinds = [event.data["type"] for event in events]
        assert kinds[:2] == ["history_truncated", "current_state"]
        stream.leave()


async def test_errors_are_problems_before_it_begins(shared: Serving) -> None:
    owner, stranger = await new_user(shared), await new_user(shared)
    async with fake_operation(shared, owner) as operation:
        bearer, other = ({"Authorization": f"Bearer {one.token}"} for one in (owner, stranger))
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


async def test_a_browser_needs_no_more_than_its_cookie(shared: Serving) -> None:
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


async def test_a_stream_counts_as_a_watcher_until_it_is_left(shared: Serving) -> None:
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


async def test_one_over_the_limit_gets_429(start: Callable[..., Serving]) -> None:
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
    # The last that is sent says that the server stops.
    assert await asyncio.to_thread(serving.stop) == 0
    events = await stream.rest()
    assert events[-1].event == "close" and events[-1].data["code"] == 1001


async def test_who_reads_too_slowly_is_told_so_and_goes_on_later(start: Callable[..., Serving]) -> None:
    serving = start("--sockets-send-queue-messages", "10", "--sockets-send-queue-bytes", "65536")
    client = await new_user(serving)
    async with fake_operation(serving, client) as operation:
        stream = _stream(serving, client, operation.id)
        await stream.until("operation_started")
        for number in range(1500):  # more than the kernel takes
            last = await operation.publish("error", message=f"{number} " + "x" * 10_000, fatal=False)
        events = await stream.rest()
        assert events[-1].event == "close" and events[-1].data["code"] == 1013
        seqs = [event.data["seq"] for event in events if event.id]
        assert seqs == list(range(2, len(seqs) + 2)) and len(seqs) < 1500
        [*_, reached] = [event.id for event in events if event.id]
        rest_of_it = _stream(serving, client, operation.id, reached)
        while (event := await rest_of_it.receive()) is not None and event.id != last:
            if event.id:
                seqs.append(event.data["seq"])
        assert [*seqs, event.data["seq"] if event else None] == list(range(2, 1502))
        rest_of_it.leave()


async def test_curl_shows_it_to_the_end(shared: Serving) -> None:
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


async def test_a_sign_out_ends_the_stream(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation:
        stream = _stream(shared, client, operation.id)
        await stream.until("operation_started")
        await client.call("POST", "auth/logout")
        [*_, last] = await stream.rest()
        assert last.event == "close" and last.id is None
        assert last.data == {"code": 1008, "reason": "The session has ended; sign in again."}
