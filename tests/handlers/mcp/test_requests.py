"""`POST /mcp` as a request: who may send it, limits, errors that assistants can show, the audit trail, many at once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from mcp.shared.exceptions import MCPError
from support.api import index, new_user
from support.api_keys import make_key
from support.assistants import NEWEST, OLDER, call, over_http, over_stdio, refused
from support.people import new_administrator
from support.server import SAMPLES, Serving
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from handlers.mcp.schemas import TOOLS
from semantik.client.api import Client

_SESSIONS = 100
_GROWTH_BYTES = 60 << 20  # the SDK itself takes 33 MB


async def _post(serving: Serving, body: Any, token: str = "", **headers: str) -> HTTPResponse:
    sent = {"Content-Type": "application/json", **headers}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    raw = body if isinstance(body, bytes) else json.dumps(body)
    return await AsyncHTTPClient().fetch(
        f"{serving.url}/mcp", method="POST", body=raw, headers=sent, raise_error=False
    )


@pytest.mark.gen_test
async def test_refusals_are_errors_that_clients_show(shared: Serving) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    answer = await _post(shared, ping)
    assert (answer.code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    error = json.loads(answer.body)["error"]
    assert error["message"] == "Sign in first: there is neither a bearer token nor a session cookie."
    assert error["data"]["status"] == 401 and error["data"]["request_id"] == answer.headers["X-Request-Id"]
    foreign = await _post(shared, ping, Origin="http://evil.example")
    assert foreign.code == 403 and "allowed_origins" in json.loads(foreign.body)["error"]["message"]
    user = await new_user(shared)
    assert json.loads((await _post(shared, ping, user.token)).body) == {
        "jsonrpc": "2.0",
        "id": 1,
        "result": {},
    }
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # as programs send that do not say JSON
    assert (await _post(shared, ping, user.token, **form)).code == 200
    for body in (b"", b"[]", b"{", b"\xff", b'{"id":1}', json.dumps([ping]).encode(), b"[" * 100_000):
        answer = await _post(shared, body, user.token)
        assert answer.code == 400 and "error" in json.loads(answer.body), body[:20]
        assert body[:1] != b"[" or "Batches of messages" in json.loads(answer.body)["error"]["message"]
    for method in ("GET", "DELETE"):
        answer = await AsyncHTTPClient().fetch(
            f"{shared.url}/mcp",
            method=method,
            headers={"Authorization": f"Bearer {user.token}"},
            raise_error=False,
        )
        assert (answer.code, answer.headers["Allow"]) == (405, "POST")
    for way in (over_http, over_stdio):
        async with way(shared.url, "sk-unknown") as session:
            with pytest.raises(MCPError, match=r"API key is not known|token is not valid"):
                await session.call_tool("collections", {})


@pytest.mark.gen_test
async def test_the_audit_trail_has_what_tools_were_refused(shared: Serving, tmp_path: Path) -> None:
    owner, stranger, administrator = (
        await new_user(shared),
        await new_user(shared),
        await new_administrator(shared),
    )
    made = await owner.call("POST", "collections", {"name": "Private"})
    async with over_http(shared.url, stranger.token) as session:
        await refused(session, "read", collection_id=made["id"], document_id="d")
        await call(session, "collections")
    name = (await stranger.call("GET", "auth/me"))["username"]
    for _ in range(100):
        events = (await administrator.call("GET", "audit", user=name, action="access.read"))["items"]
        if events:
            break
        await asyncio.sleep(0.05)
    [event] = events
    assert (event["outcome"], event["target"]) == ("refused", f"collections/{made['id']}/documents/d")
    assert event["details"] == {"status": 404, "mcp": "read"}


@pytest.mark.gen_test
async def test_limits(start: Callable[..., Serving]) -> None:
    flags = ("--rate-limits-search-per-s", "0.5", "--rate-limits-burst-s", "2", "--mcp-answer-bytes", "10000")
    serving = start("--auth-registration", "open", *flags)
    user = await new_user(serving)
    async with over_http(serving.url, user.token) as session:
        sentences = [await session.call_tool("search", {"query": "lamp"}) for _ in range(3)]
        assert [each.is_error for each in sentences] == [False, False, True]
        assert "rate_limits.search_per_s" in sentences[-1].content[0].text
        assert await call(session, "collections")
    assert serving.stop() == 0
    serving = start("--mcp-enabled", "false")
    async with over_http(serving.url, user.token) as session:
        with pytest.raises(MCPError, match=r"switched off here \(mcp.enabled\)"):
            await session.call_tool("collections", {})


@pytest.mark.gen_test
@pytest.mark.crowded
async def test_a_hundred_sessions_at_once(start: Callable[..., Serving]) -> None:
    serving = start(
        "--auth-registration", "open", "--rate-limits-read-per-s", "0", "--rate-limits-search-per-s", "0"
    )
    user = await new_user(serving)
    collection_id, _ = await index(user, SAMPLES)
    await _conversation(serving, user, NEWEST)
    server = psutil.Process(serving.process.pid)
    before = server.memory_full_info().uss
    await asyncio.gather(
        *(_conversation(serving, user, (NEWEST, OLDER)[number % 2]) for number in range(_SESSIONS))
    )
    assert server.memory_full_info().uss - before < _GROWTH_BYTES
    assert collection_id


async def _conversation(serving: Serving, user: Client, revision: str) -> None:
    async with over_http(serving.url, user.token, revision) as session:
        assert len((await session.list_tools()).tools) == len(TOOLS)
        hit = (await call(session, "search", query="telescope dome", limit=5))["hits"][0]
        place = {name: hit[name] for name in ("collection_id", "document_id")}
        assert (await call(session, "read", **place, around=hit["seq"]))["passages"]


@pytest.mark.gen_test
async def test_the_program_outlives_the_server(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start("--auth-registration", "open")
    user = await new_user(serving)
    _, key = await make_key(user, scopes=["read"])
    async with over_stdio(serving.url, key.token) as session:
        assert (await call(session, "collections"))["collections"] == []
        port = serving.url.rpartition(":")[2]
        assert serving.stop() == 0
        assert len((await session.list_tools()).tools) == len(TOOLS)
        with pytest.raises(MCPError, match=r"does not answer: .*Is it running\?"):
            await session.call_tool("collections", {})
        start("--port", port)
        assert (await call(session, "collections"))["collections"] == []


def test_the_sdk_is_not_loaded_when_the_server_starts() -> None:
    program = (
        "import sys, semantik.server; print(sorted({'mcp', 'starlette', 'pydantic'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"
