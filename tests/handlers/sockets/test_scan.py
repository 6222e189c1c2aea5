"""`/ws/scan/{scan_id}` on a real server: progress and results, authentication, and invalid messages."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import pytest
from support.api import PASSWORD, new_user
from support.patience import patience
from support.scan_client import connect_scanner, scanner_on, tree
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient

pytestmark = pytest.mark.gen_test


async def test_scan_sends_progress_and_its_result(shared: Serving, tmp_path: Path) -> None:
    tree(tmp_path, "a.pdf", "b/c.txt", "b/drafts/d.PDF", "node_modules/e.pdf")
    client = await new_user(shared)
    scan_id = str(uuid4())
    scanner = await connect_scanner(shared, client.token, scan_id)
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
        "languages": {},
        "recommended_model": None,
    }
    filtered = await scanner.scan(tmp_path, include=["*.pdf", "b/**"], exclude=["**/drafts/*"])
    assert [each["path"].removeprefix(f"{tmp_path}/") for each in filtered["files"]] == ["a.pdf", "b/c.txt"]
    top_level = await scanner.scan(tmp_path, recursive=False)
    assert top_level["count"] == 1


async def test_each_authentication_method_is_accepted_and_invalid_ones_get_1008(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    name = (await client.call("GET", "auth/me"))["username"]
    login = await AsyncHTTPClient().fetch(
        f"{shared.url}/api/v2/auth/login",
        method="POST",
        body=json.dumps({"username": name, "password": PASSWORD}),
    )
    cookie = {"Cookie": login.headers["Set-Cookie"].split(";")[0]}
    for credentials in (
        {"token": client.token},
        {"headers": {"Authorization": f"Bearer {client.token}"}},
        {"headers": cookie},
        {"protocols": ["semantik.v1", f"bearer.{client.token}"]},
    ):
        scanner = await connect_scanner(shared, **credentials)  # type: ignore[arg-type]
        assert (await scanner.scan(tmp_path))["type"] == "completed"
        scanner.socket.close()
    for credentials, word in (
        ({}, "Sign in"),
        ({"token": "garbage"}, "not valid"),
        ({"headers": {**cookie, "Origin": "https://evil.example"}}, "origin"),
        ({"token": client.token, "scan_id": "my-scan"}, "UUID"),
        ({"token": client.token, "scan_id": uuid4().hex}, "UUID"),
    ):
        code, reason = await (await connect_scanner(shared, **credentials)).refused()  # type: ignore[arg-type]
        assert code == 1008
        assert word in (reason or ""), reason


async def test_scan_id_is_bound_to_the_socket_that_opened_it(shared: Serving, tmp_path: Path) -> None:
    owner, stranger = await new_user(shared), await new_user(shared)
    scan_id = str(uuid4())
    first = await connect_scanner(shared, owner.token, scan_id)
    await first.scan(tmp_path)
    refusals = [
        await (await connect_scanner(shared, token, name)).refused()
        for token, name in ((owner.token, scan_id), (stranger.token, scan_id), (owner.token, scan_id.upper()))
    ]
    assert len(set(refusals)) == 1
    assert refusals[0][0] == 1008
    assert (await first.scan(tmp_path))["type"] == "completed"
    first.socket.close()
    assert await asyncio.wait_for(first.socket.read_message(), patience()) is None
    again = await connect_scanner(shared, stranger.token, scan_id)
    assert (await again.scan(tmp_path))["type"] == "completed"


async def test_operation_id_as_scan_id_reveals_nothing(shared: Serving, tmp_path: Path) -> None:
    tree(tmp_path, *(f"{number}.txt" for number in range(20)))
    owner = await new_user(shared)
    made = await owner.call("POST", "collections", {"name": "Secret", "source_path": str(tmp_path)})
    for client in (owner, await new_user(shared)):
        scanner = await connect_scanner(shared, client.token, made["operation_id"])
        messages = [each async for each in owner.watch(made["operation_id"])]
        assert messages
        await scanner.say(type="ping")
        assert (await scanner.hear())["type"] == "pong"
        scanner.socket.close()
        assert await scanner.socket.read_message() is None


async def test_unscannable_path_gets_a_fatal_error_and_the_socket_stays_open(
    shared: Serving, tmp_path: Path
) -> None:
    tree(tmp_path, "file.txt")
    scanner = await scanner_on(shared)
    for path, word in [
        (tmp_path / "missing", "no folder"),
        (tmp_path / "file.txt", "not a folder"),
        ("relative", "absolute"),
        ("", "empty"),
        ("/proc", "never read"),
        (shared.data, "Semantik's own"),
        (shared.data / "index", "Semantik's own"),
    ]:
        error = await scanner.scan(path)
        assert (error["type"], error["fatal"]) == ("error", True)
        assert word in error["message"], error
    parent = await scanner.scan(shared.data.parent)
    assert [each["path"] for each in parent["files"]] == [str(shared.log)]


INVALID = [
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


async def test_invalid_message_gets_an_error_that_names_the_fault(shared: Serving) -> None:
    scanner = await scanner_on(shared)
    for message, word in INVALID:
        await scanner.say(**message)
        error = await scanner.hear()
        assert (error["type"], error["fatal"]) == ("error", False)
        assert word in error["message"], error
