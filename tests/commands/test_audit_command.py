"""`semantik-audit` beside a server and without one, and what `semantik-user` leaves in the trail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.api import PASSWORD
from support.scripts import script
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


async def test_the_trail_is_shown_with_and_without_a_server(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    made = await script("user", data, "create", "ann", "--password-stdin", typed=f"{PASSWORD}\n")
    refused = await script("user", data, "demote", "nobody\x1b[2J")
    assert (made.status, refused.status) == (0, 1)
    serving = start()
    client = Client(serving.url)
    await client.sign_in("ann", PASSWORD)
    assert serving.stop() == 0

    shown = await script("audit", data)
    head, *rows = shown.out.splitlines()
    assert (shown.status, shown.err) == (0, "")
    assert head.split() == ["TIME", "ACTION", "OUTCOME", "USER", "ADDRESS", "TARGET", "DETAILS"]
    assert [row.split()[2] for row in rows] == ["user.create", "user.demote", "session.sign_in"]
    assert "command line" in rows[0] and "name=ann" in rows[0] and "\x1b" not in shown.out

    start()
    lines = (await script("audit", data, "--user", "ann", "--json", "--since", "1h")).out.splitlines()
    [event] = map(json.loads, lines)
    assert (event["action"], event["outcome"], event["username"]) == ("session.sign_in", "done", "ann")
    assert (await script("audit", data, "--outcome", "refused", "--limit", "1")).out.count("user.demote") == 1
    assert (await script("audit", data, "--until", "1d")).out == "No such events.\n"
    assert (await script("audit", data, "--since", "yesterday")).status == 2
