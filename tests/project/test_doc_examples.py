"""The examples of docs/reference/websocket-api.md, run unchanged but for host, token, names and ids."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import websockets
from support.api import PASSWORD, new_user
from support.browser import chromium, needs_chromium
from support.fake_operation import FakeOperation, fake_operation
from support.relay import Relay
from support.server import ROOT, Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

_PAGE = (ROOT / "docs" / "reference" / "websocket-api.md").read_text()
_KINDS = ["current_state", "operation_started", "operation_completed", "status_update"]


def _example(language: str, word: str) -> str:
    """The one fenced example in this language that has the word."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", _PAGE, re.DOTALL | re.MULTILINE)
    [found] = [block for block in blocks if word in block]
    return str(found)


def _put(text: str, **values: str) -> str:
    for old, new in values.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _without_presence(kinds: Iterable[str]) -> list[str]:
    """It may come at any time."""
    return [kind for kind in kinds if kind != "presence"]


def _host(serving: Serving) -> dict[str, str]:
    return {"localhost:8080": serving.url.removeprefix("http://")}


async def _out(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_the_curl_example_signs_in_and_shows_everything(shared: Serving) -> None:
    client = await new_user(shared)
    name = (await client.call("GET", "auth/me"))["username"]
    async with fake_operation(shared, client, ended=True) as operation:
        own = {'"me"': json.dumps(name), "my password": PASSWORD, "OPERATION_ID": operation.id}
        script = _put(_example("sh", "curl -sN"), **_host(shared), **own)
        out = await _out("sh", "-eu", "-c", script)
    events = [json.loads(data) for data in re.findall(r"^data: (.*)$", out, re.MULTILINE)]
    assert _without_presence(event["type"] for event in events[:-1]) == _KINDS
    assert events[-1]["code"] == 1000


async def test_the_address_of_the_wscat_example_is_right(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client, ended=True) as operation:
        line = _put(_example("sh", "wscat"), **_host(shared), OPERATION_ID=operation.id)
        program, flag, address = shlex.split(line)
        assert (program, flag) == ("wscat", "-c")
        async with websockets.connect(_put(address, **{"$TOKEN": client.token})) as socket:
            assert _without_presence([json.loads(text)["type"] async for text in socket]) == _KINDS


async def test_the_python_example_goes_on_after_it_was_cut(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    program = tmp_path / "watch.py"
    async with fake_operation(shared, client) as operation, Relay(shared.url) as relay:
        own = {"OPERATION_ID": operation.id, "YOUR_TOKEN": client.token}
        program.write_text(
            _put(_example("python", "import websockets"), **{"localhost:8080": relay.address}, **own)
        )
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-u", str(program), stdout=asyncio.subprocess.PIPE
        )
        assert running.stdout is not None
        kinds: list[str] = []
        while kinds[-1:] != ["operation_started"]:
            kinds.append((await running.stdout.readline()).decode().split(" ", 1)[0])
        relay.cut()
        await operation.end()
        out, _ = await running.communicate()
    kinds += [line.split(" ", 1)[0] for line in out.decode().splitlines()]
    assert running.returncode == 0
    assert [kind for kind in kinds if kind in _KINDS[1:]] == _KINDS[1:]
    assert "Connecting" in kinds and kinds.count("current_state") == 2


async def test_the_python_example_gives_up_when_it_is_refused(shared: Serving, tmp_path: Path) -> None:
    program = tmp_path / "watch.py"
    program.write_text(_put(_example("python", "import websockets"), **_host(shared)))
    with pytest.raises(AssertionError, match="not valid"):
        await _out(sys.executable, str(program))


@needs_chromium
async def test_the_javascript_example_runs_in_a_browser(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client, ended=True) as operation:
        shown, ended = await asyncio.to_thread(_in_chromium, shared, client, operation)
        assert [frame["type"] for frame in shown] == _KINDS
        assert ended == [1000, "The operation has ended."]
        shown, ended = await asyncio.to_thread(_in_chromium, shared, Client(shared.url, "x.y.z"), operation)
        assert (shown, ended) == ([], [1008, "The token is not valid; sign in again."])


def _in_chromium(serving: Serving, client: Client, operation: FakeOperation) -> tuple[list[Any], list[Any]]:
    """All messages, and the code and reason of the end."""
    example = _put(_example("javascript", "function watch"), **_host(serving))
    call = """([id, token]) => new Promise((resolve) => {
        const shown = [];
        watch(id, token, (message) => shown.push(message), (...end) => resolve([shown, end]));
    })"""
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{serving.url}/api/v2/health")
        page.evaluate(f"() => {{ {example}; globalThis.watch = watch; }}")
        shown, end = page.evaluate(call, [operation.id, client.token])
    return shown, end
