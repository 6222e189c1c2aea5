"""`/ws/scan/{scan_id}` on a real server: what a scan tells, who may come in, and that nothing runs on unwatched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgpack
import pytest
from conftest import PASSWORD, Serving, new_user
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from semantik.client import Client

pytestmark = pytest.mark.gen_test(timeout=90)

ENDS = ("completed", "cancelled", "error")


class Scanner:
    """A client of one scan socket."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.write_message(json.dumps(message))

    async def hear(self, *kinds: str) -> dict[str, Any]:
        """The next message, or the next of these kinds."""
        while True:
            text = await asyncio.wait_for(self.socket.read_message(), 60)
            assert text is not None, f"closed: {self.socket.close_code} {self.socket.close_reason}"
            message: dict[str, Any] = json.loads(text)
            if not kinds or message["type"] in kinds:
                return message

    async def scan(self, path: Path | str, **more: Any) -> dict[str, Any]:
        """Scan, and return how it ended."""
        await self.say(action="scan", path=str(path), **more)
        return await self.hear(*ENDS)

    async def refused(self) -> tuple[int | None, str | None]:
        assert await asyncio.wait_for(self.socket.read_message(), 60) is None
        return self.socket.close_code, self.socket.close_reason


async def _connect(
    serving: Serving,
    token: str | None = None,
    scan_id: str = "",
    headers: dict[str, str] | None = None,
    protocols: list[str] | None = None,
) -> Scanner:
    query = f"?token={token}" if token else ""
    address = f"ws{serving.url.removeprefix('http')}/ws/scan/{scan_id or uuid4()}{query}"
    request = HTTPRequest(address, headers=headers or {})
    return Scanner(await websocket_connect(request, subprotocols=protocols))


async def _scanner(serving: Serving) -> Scanner:
    return await _connect(serving, (await new_user(serving)).token)


def _tree(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")


async def test_a_scan_tells_its_progress_and_what_it_found(shared: Serving, tmp_path: Path) -> None:
    _tree(tmp_path, "a.pdf", "b/c.txt", "b/drafts/d.PDF", "node_modules/e.pdf")
    client = await new_user(shared)
    scan_id = str(uuid4())
    scanner = await _connect(shared, client.token, scan_id)
    await scanner.say(action="scan", path=str(tmp_path))
    progress = completed = await scanner.hear()
    while completed["type"] == "progress":
        progress, completed = completed, await scanner.hear()
    assert (progress["type"], progress["scanned"], progress["total"]) == ("progress", 6, 3)
    assert progress["current_path"].startswith(str(tmp_path))
    assert completed["type"] == "completed"
    assert {"id", "seq", "operation_id"}.isdisjoint(completed)
    assert completed["scan_id"] == scan_id
    data = completed["data"]
    assert data.items() <= completed.items()
    assert [each["path"].removeprefix(f"{tmp_path}/") for each in data["files"]] == [
        "a.pdf",
        "b/c.txt",
        "b/drafts/d.PDF",
    ]
    assert {**data["files"][2], "modified": ""} == {
        "path": str(tmp_path / "b/drafts/d.PDF"),
        "size": 4,
        "modified": "",
        "extension": ".pdf",
    }
    assert data["files"][0]["modified"].endswith("Z")
    assert {**data, "files": []} == {
        "files": [],
        "count": 3,
        "total_size": 12,
        "warnings": [],
        "truncated": False,
    }
    chosen = await scanner.scan(tmp_path, include=["*.pdf", "b/**"], exclude=["**/drafts/*"])
    assert [each["path"].removeprefix(f"{tmp_path}/") for each in chosen["files"]] == ["a.pdf", "b/c.txt"]
    own = await scanner.scan(tmp_path, recursive=False)
    assert own["count"] == 1


async def test_every_way_in_is_open_and_without_one_it_is_shut(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    name = (await client.call("GET", "auth/me"))["username"]
    login = await AsyncHTTPClient().fetch(
        f"{shared.url}/api/v2/auth/login",
        method="POST",
        body=json.dumps({"username": name, "password": PASSWORD}),
    )
    cookie = {"Cookie": login.headers["Set-Cookie"].split(";")[0]}
    for way in (
        {"token": client.token},
        {"headers": {"Authorization": f"Bearer {client.token}"}},
        {"headers": cookie},
        {"protocols": ["semantik.v1", f"bearer.{client.token}"]},
    ):
        scanner = await _connect(shared, **way)  # type: ignore[arg-type]
        assert (await scanner.scan(tmp_path))["type"] == "completed"
        scanner.socket.close()
    for way, word in (
        ({}, "Sign in"),
        ({"token": "garbage"}, "not valid"),
        ({"headers": {**cookie, "Origin": "https://evil.example"}}, "origin"),
        ({"token": client.token, "scan_id": "my-scan"}, "UUID"),
        ({"token": client.token, "scan_id": uuid4().hex}, "UUID"),
    ):
        code, reason = await (await _connect(shared, **way)).refused()  # type: ignore[arg-type]
        assert code == 1008
        assert word in (reason or ""), reason


async def test_a_scan_id_belongs_to_the_socket_that_opened_it(shared: Serving, tmp_path: Path) -> None:
    owner, stranger = await new_user(shared), await new_user(shared)
    scan_id = str(uuid4())
    first = await _connect(shared, owner.token, scan_id)
    await first.scan(tmp_path)
    refusals = [
        await (await _connect(shared, token, name)).refused()
        for token, name in ((owner.token, scan_id), (stranger.token, scan_id), (owner.token, scan_id.upper()))
    ]
    assert len(set(refusals)) == 1
    assert refusals[0][0] == 1008
    assert (await first.scan(tmp_path))["type"] == "completed"
    first.socket.close()
    assert await asyncio.wait_for(first.socket.read_message(), 30) is None
    again = await _connect(shared, stranger.token, scan_id)
    assert (await again.scan(tmp_path))["type"] == "completed"


async def test_the_id_of_an_operation_shows_nothing_of_it(shared: Serving, tmp_path: Path) -> None:
    _tree(tmp_path, *(f"{number}.txt" for number in range(20)))
    owner = await new_user(shared)
    made = await owner.call("POST", "collections", {"name": "Secret", "source_path": str(tmp_path)})
    for client in (owner, await new_user(shared)):
        scanner = await _connect(shared, client.token, made["operation_id"])
        frames = [each async for each in owner.watch(made["operation_id"])]
        assert frames
        await scanner.say(type="ping")
        assert (await scanner.hear())["type"] == "pong"
        scanner.socket.close()
        assert await scanner.socket.read_message() is None


async def test_what_cannot_be_scanned_is_an_error_and_the_socket_goes_on(
    shared: Serving, tmp_path: Path
) -> None:
    _tree(tmp_path, "file.txt")
    scanner = await _scanner(shared)
    for path, word in [
        (tmp_path / "missing", "no folder"),
        (tmp_path / "file.txt", "not a folder"),
        ("relative", "absolute"),
        ("", "empty"),
        ("/proc", "never read"),
        (shared.data, "own data"),
        (shared.data / "index", "own data"),
    ]:
        error = await scanner.scan(path)
        assert (error["type"], error["fatal"]) == ("error", True)
        assert word in error["message"], error
    beside = await scanner.scan(shared.data.parent)
    assert [each["path"] for each in beside["files"]] == [str(shared.log)]


BAD = [
    ({"action": "dance"}, "scan or cancel"),
    ({"path": "/"}, "scan or cancel"),
    ({"action": "cancel"}, "No scan is running"),
    ({"action": "cancel", "path": "/"}, "path"),
    ({"action": "scan"}, "path is missing"),
    ({"action": "scan", "path": 5}, "path = 5 is not allowed: a text"),
    ({"action": "scan", "path": "/\ud800"}, "surrogate"),
    ({"action": "scan", "path": "/", "recursive": "yes"}, "true or false"),
    ({"action": "scan", "path": "/", "include": "*.pdf"}, "a list of globs"),
    ({"action": "scan", "path": "/", "include": [5]}, "include[0] = 5 is not allowed: a text"),
    ({"action": "scan", "path": "/", "exclude": ["a", "[b"]}, "'[b'"),
    ({"action": "scan", "path": "/", "exclude": ["a"] * 101}, "100 globs"),
    ({"action": "scan", "path": "/", "depth": 5}, "depth"),
]


async def test_a_message_that_makes_no_sense_is_told_what_is_wrong(shared: Serving) -> None:
    scanner = await _scanner(shared)
    for message, word in BAD:
        await scanner.say(**message)
        error = await scanner.hear()
        assert (error["type"], error["fatal"]) == ("error", False)
        assert word in error["message"], error


async def test_a_scan_is_cancelled_by_a_message_and_another_may_follow(
    shared: Serving, tmp_path: Path
) -> None:
    scanner = await _scanner(shared)
    await scanner.say(action="scan", path="/")
    await scanner.say(action="scan", path=str(tmp_path))
    refused = await scanner.hear("error")
    assert "A scan is running" in refused["message"]
    assert refused["fatal"] is False
    assert (await scanner.hear())["type"] == "progress"
    await scanner.say(action="cancel")
    cancelled = await scanner.hear(*ENDS)
    assert cancelled["type"] == "cancelled"
    assert cancelled["scanned"] > 0
    assert (await scanner.scan(tmp_path))["type"] == "completed"


async def test_a_user_may_run_so_many_scans_at_once(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    scanners = [await _connect(shared, client.token) for _ in range(3)]
    for scanner in scanners[:2]:
        await scanner.say(action="scan", path="/")
        await scanner.hear("progress")
    error = await scanners[2].scan(tmp_path)
    assert error["type"] == "error"
    assert "sockets.scans_per_user" in error["message"]
    await scanners[0].say(action="cancel")
    await scanners[0].hear("cancelled")
    assert (await scanners[2].scan(tmp_path))["type"] == "completed"
    for scanner in scanners:
        scanner.socket.close()


async def test_a_closed_socket_ends_its_scan(start: Callable[..., Serving], tmp_path: Path) -> None:
    """With room for one scan only, the next would wait in vain for a walk that goes on through the whole disk."""
    serving = start("--scan-concurrent", "1", "--scan-wait-s", "3", "--documents-exclude", "nothing")
    client = Client(serving.url)
    await client.register("ann@example.com", PASSWORD)
    await client.sign_in("ann@example.com", PASSWORD)
    (tmp_path / "empty").mkdir()
    for leave in ("close", "abort"):
        scanner = await _connect(serving, client.token)
        await scanner.say(action="scan", path="/")
        await scanner.hear("progress")
        if leave == "close":
            scanner.socket.close()
        else:
            scanner.socket.protocol._abort()  # type: ignore[union-attr]
        after = await _connect(serving, client.token)
        assert (await after.scan(tmp_path / "empty"))["type"] == "completed"
        after.socket.close()
    scanner = await _connect(serving, client.token)
    await scanner.say(action="scan", path="/")
    await scanner.hear("progress")
    assert await asyncio.to_thread(serving.stop) == 0
    while await scanner.socket.read_message() is not None:
        pass
    assert scanner.socket.close_code == 1001


async def test_nothing_outside_the_roots_is_shown(start: Callable[..., Serving], tmp_path: Path) -> None:
    _tree(tmp_path, "open/a.txt", "shut/b.txt")
    (tmp_path / "open" / "link").symlink_to(tmp_path / "shut")
    serving = start("--documents-roots", str(tmp_path / "open"), "--auth-registration", "open")
    scanner = await _scanner(serving)
    for path in ("shut", "shut/b.txt", "shut/missing", "open/link", "open/../shut"):
        error = await scanner.scan(tmp_path / path)
        assert "documents.roots" in error["message"], error
    found = await scanner.scan(tmp_path / "open")
    assert [each["path"] for each in found["files"]] == [str(tmp_path / "open" / "a.txt")]
    assert found["warnings"] == [
        f"The symbolic link leads out of the folders that may be read: {tmp_path}/open/link"
    ]


async def test_a_long_list_is_cut_in_both_forms(shared: Serving, tmp_path: Path) -> None:
    for number in range(10_050):
        (tmp_path / f"{number:05}.txt").touch()
    client = await new_user(shared)
    scanner = await _connect(shared, client.token)
    found = await scanner.scan(tmp_path)
    assert (len(found["files"]), found["count"], found["truncated"]) == (10_000, 10_050, True)
    packed = await _connect(shared, client.token, protocols=["semantik.v1.msgpack"])
    await packed.socket.write_message(
        msgpack.packb({"action": "scan", "path": str(tmp_path), "include": ["000*"]}), binary=True
    )
    while True:
        message = msgpack.unpackb(await asyncio.wait_for(packed.socket.read_message(), 60))
        if message["type"] != "progress":
            break
    assert message["type"] == "completed"
    assert "files" not in message
    assert (len(message["data"]["files"]), message["data"]["truncated"]) == (100, False)
