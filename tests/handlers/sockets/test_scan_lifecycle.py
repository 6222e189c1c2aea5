"""`/ws/scan/{scan_id}` on a real server: cancellation, limits, permitted folders and long results."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgpack
import pytest
from support.api import PASSWORD, new_user
from support.patience import patience
from support.scan_client import ENDS, connect_scanner, scanner_on, tree
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


async def test_scan_is_cancelled_by_a_message_and_another_can_follow(shared: Serving, tmp_path: Path) -> None:
    scanner = await scanner_on(shared)
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


async def test_concurrent_scans_per_user_are_limited(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    scanners = [await connect_scanner(shared, client.token) for _ in range(3)]
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


async def test_closing_the_socket_ends_its_scan(start: Callable[..., Serving], tmp_path: Path) -> None:
    """One scan is allowed at a time: the next would time out if the walk over the whole disk went on."""
    serving = start("--scan-concurrent", "1", "--scan-wait-s", "3", "--documents-exclude", "nothing")
    client = Client(serving.url)
    await client.register("ann@example.com", PASSWORD, SETUP_CODE)
    await client.sign_in("ann@example.com", PASSWORD)
    (tmp_path / "empty").mkdir()
    for ending in ("close", "abort"):
        scanner = await connect_scanner(serving, client.token)
        await scanner.say(action="scan", path="/")
        await scanner.hear("progress")
        if ending == "close":
            scanner.socket.close()
        else:
            scanner.socket.protocol._abort()  # type: ignore[union-attr]
        next_scanner = await connect_scanner(serving, client.token)
        assert (await next_scanner.scan(tmp_path / "empty"))["type"] == "completed"
        next_scanner.socket.close()
    scanner = await connect_scanner(serving, client.token)
    await scanner.say(action="scan", path="/")
    await scanner.hear("progress")
    assert await asyncio.to_thread(serving.stop) == 0
    while await scanner.socket.read_message() is not None:
        pass
    assert scanner.socket.close_code == 1001


async def test_nothing_outside_documents_roots_is_listed(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    tree(tmp_path, "open/a.txt", "shut/b.txt")
    (tmp_path / "open" / "link").symlink_to(tmp_path / "shut")
    serving = start("--documents-roots", str(tmp_path / "open"), "--auth-registration", "open")
    scanner = await scanner_on(serving)
    for path in ("shut", "shut/b.txt", "shut/missing", "open/link", "open/../shut"):
        error = await scanner.scan(tmp_path / path)
        assert "documents.roots" in error["message"], error
    found = await scanner.scan(tmp_path / "open")
    assert [each["path"] for each in found["files"]] == [str(tmp_path / "open" / "a.txt")]
    assert found["warnings"] == [
        f"The symbolic link leads out of the folders that may be read: {tmp_path}/open/link"
    ]


async def test_long_list_is_truncated_and_messagepack_has_no_flat_copy(
    shared: Serving, tmp_path: Path
) -> None:
    for number in range(10_050):
        (tmp_path / f"{number:05}.txt").touch()
    client = await new_user(shared)
    scanner = await connect_scanner(shared, client.token)
    found = await scanner.scan(tmp_path)
    assert (len(found["files"]), found["count"], found["truncated"]) == (10_000, 10_050, True)
    packed = await connect_scanner(shared, client.token, protocols=["semantik.v1.msgpack"])
    await packed.socket.write_message(
        msgpack.packb({"action": "scan", "path": str(tmp_path), "include": ["000*"]}), binary=True
    )
    while True:
        message = msgpack.unpackb(await asyncio.wait_for(packed.socket.read_message(), patience()))
        if message["type"] != "progress":
            break
    assert message["type"] == "completed"
    assert "files" not in message
    assert (len(message["data"]["files"]), message["data"]["truncated"]) == (100, False)
