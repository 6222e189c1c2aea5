"""The commands of docs/how-to/connectors.md, run unchanged but for the host and the token."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from support.api import new_user
from support.server import ROOT, Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

_PAGE = (ROOT / "docs" / "how-to" / "connectors.md").read_text()


async def _run(serving: Serving, client: Client, word: str, **more: str) -> Any:
    """Run the one command that has the word; returns what it prints."""
    [command] = [
        each for each in re.findall(r"^```sh\n(.*?)^```", _PAGE, re.DOTALL | re.MULTILINE) if word in each
    ]
    command = command.replace("http://localhost:8080", serving.url)
    process = await asyncio.create_subprocess_exec(
        "sh",
        "-eu",
        "-c",
        command,
        stdout=asyncio.subprocess.PIPE,
        env={"TOKEN": client.token, "PATH": "/usr/bin:/bin", **more},
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(out)


async def test_the_commands_of_the_page_add_each_kind_and_set_an_interval(
    shared: Serving,
) -> None:
    client = await new_user(shared)
    kinds = await _run(shared, client, "source-kinds")
    assert [each["kind"] for each in kinds["items"]] == ["folder", "git", "imap", "web"]
    made = await client.call("POST", "collections", {"name": "Of the page"})
    here = {"COLLECTION": made["id"], "MAIL_PASSWORD": "never shown again"}
    paths = {}
    for kind in ("git", "imap", "web"):
        added = await _run(shared, client, f'"kind": "{kind}"', **here)
        assert "never shown again" not in json.dumps(added)
        paths[kind] = added["source"]["path"]
        await client.call("DELETE", f"operations/{added['operation_id']}")
    assert paths == {
        "git": "https://example.org/team/handbook.git@main",
        "imap": "imaps://ada@imap.example.org",
        "web": "https://example.org/handbook",
    }
    [source, *_] = (await client.call("GET", f"collections/{made['id']}/sources"))["items"]
    changed = await _run(shared, client, "interval_s", **here, SOURCE=source["id"])
    assert changed["interval_s"] == 3600
