"""The audit trail of a real server: what requests and sockets leave in it, and who may read it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD, refusal_of
from support.api_keys import make_key
from support.clients import connect, rest
from support.patience import deadline
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test
Event = dict[str, Any]


async def _events(admin: Client, number: int, **only: str) -> list[Event]:
    """The newest `number` events, as soon as there are so many, the oldest of them first."""
    async with deadline():
        while True:
            items: list[Event] = (await admin.call("GET", "audit", limit=100, **only))["items"]
            if len(items) >= number:
                return items[:number][::-1]
            await asyncio.sleep(0.1)


async def _signed_in(serving: Serving, name: str) -> Client:
    client = Client(serving.url)
    await client.register(name, PASSWORD, SETUP_CODE)
    await client.sign_in(name, PASSWORD)
    return client


def _brief(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(event["action"], event["outcome"], event["username"]) for event in events]


async def test_who_did_what_is_recorded_with_refusals_and_no_secrets(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start("--auth-registration", "open")
    ann, bob = await _signed_in(serving, "ann"), await _signed_in(serving, "bob")
    wrong = {"username": "ann", "password": "a wrong secret"}
    assert (await refusal_of(Client(serving.url), "POST", "auth/login", wrong)).status == 401
    made = await ann.call("POST", "collections", {"name": "Letters"})
    path = f"collections/{made['id']}"
    assert (await refusal_of(bob, "DELETE", path)).status == 404
    for _ in range(3):
        assert (await refusal_of(bob, "GET", path)).status == 404
    key_id, program = await make_key(ann, scopes=["write"])
    await program.call("DELETE", path)
    socket = await connect(serving, f"/ws/operations/{made['id']}", {"token": bob.token})
    assert await rest(socket) == [] and socket.close_code == 1008
    assert (await refusal_of(bob, "GET", "audit")).status == 403
    assert (await refusal_of(bob, "POST", "search", {"query": "x", "collection_ids": ["no"]})).status == 404

    events = await _events(ann, 13)
    assert _brief(events) == [
        ("user.register", "done", "ann"),
        ("session.sign_in", "done", "ann"),
        ("user.register", "done", "bob"),
        ("session.sign_in", "done", "bob"),
        ("session.sign_in", "refused", ""),
        ("collection.create", "done", "ann"),
        ("collection.delete", "refused", "bob"),
        ("access.read", "refused", "bob"),
        ("api_key.create", "done", "ann"),
        ("collection.delete", "done", "ann"),
        ("access.read", "refused", "bob"),
        ("access.read", "refused", "bob"),
        ("access.read", "refused", "bob"),
    ]
    assert events[9]["details"] == {"name": "Letters"}
    assert events[4]["details"] == {"status": 401, "username": "ann"}
    assert (events[5]["target"], events[5]["details"]) == (path, {"name": "Letters"})
    assert (events[8]["target"], events[9]["credential"]) == (f"api-keys/{key_id}", f"key:{key_id}")
    assert [event["target"] for event in events[10:]] == [f"/ws/operations/{made['id']}", "audit", "search"]
    assert all(event["address"] == "127.0.0.1" and event["request_id"] for event in events)
    text = json.dumps(events) + serving.log.read_text()
    assert not [one for one in (PASSWORD, "wrong secret", ann.token, program.token, bob.token) if one in text]
    assert _brief(await _events(ann, 1, user="bob", action="collection")) == [
        ("collection.delete", "refused", "bob")
    ]
    refused = await refusal_of(ann, "GET", "audit", since="yesterday")
    assert (refused.status, "ISO 8601" in str(refused)) == (422, True)
    assert serving.stop() == 0


async def test_events_outlive_the_server(start: Callable[..., Serving]) -> None:
    first = start()
    ann = await _signed_in(first, "ann")
    await ann.call("POST", "auth/logout")
    assert first.stop() == 0  # within the second in which they would be written
    again = Client(start().url)
    await again.sign_in("ann", PASSWORD)
    events = await _events(again, 4)
    assert [event["action"] for event in events] == [
        "user.register",
        "session.sign_in",
        "session.sign_out",
        "session.sign_in",
    ]


async def test_scans_are_recorded_with_their_folder(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start("--documents-roots", str(tmp_path))
    ann = await _signed_in(serving, "ann")
    scan = "/ws/scan/2b6f3c1e-0000-4000-8000-00000000a001"
    socket = await connect(serving, scan, {"token": ann.token})
    for folder, last in ((tmp_path, "completed"), ("/etc", "error")):
        await socket.write_message(json.dumps({"action": "scan", "path": str(folder)}))
        async with deadline():
            while json.loads(await socket.read_message() or "{}")["type"] != last:
                pass
    socket.close()
    scans = await _events(ann, 2, action="folder.scan")
    assert [(event["outcome"], event["details"].get("path")) for event in scans] == [
        ("done", str(tmp_path)),
        ("refused", "/etc"),
    ]
