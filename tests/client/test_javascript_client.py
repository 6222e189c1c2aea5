"""The JavaScript client in Node and in Chromium, against a real server."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route
from support.api import PASSWORD, new_user
from support.browser import chromium, needs_chromium
from support.fake_operation import FakeOperation, fake_operation
from support.node import JAVASCRIPT, needs_node
from support.relay import Relay
from support.server import Serving

from semantik.client import Client

pytestmark = pytest.mark.gen_test

TESTS = JAVASCRIPT / "tests"


@needs_node
async def test_its_own_tests_pass_in_node(shared: Serving, tmp_path: Path) -> None:
    (tmp_path / "kite.txt").write_text("The kite flies over the northern meadow.")
    (tmp_path / "tide.txt").write_text("The spring tide fills the harbour at noon.")
    client = await new_user(shared)
    env = {
        "SEMANTIK_URL": shared.url,
        "SEMANTIK_USER": (await client.get_me())["username"],
        "SEMANTIK_PASSWORD": PASSWORD,
        "SEMANTIK_FOLDER": str(tmp_path),
    }
    process = await asyncio.create_subprocess_exec(
        "node", "--test", "--test-reporter=tap", str(TESTS / "client.test.js"),
        env={**os.environ, **env}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    assert "# fail 0" in out.decode() and "# skipped 0" in out.decode()


@needs_node
async def test_it_goes_on_in_node_after_the_connection_was_cut(shared: Serving) -> None:
    client = await new_user(shared)
    async with fake_operation(shared, client) as operation, Relay(shared.url) as relay:
        running = await asyncio.create_subprocess_exec(
            "node", str(TESTS / "watch.mjs"), f"http://{relay.address}", client.token, operation.id,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert running.stdout is not None
        lines: list[list[Any]] = []
        while not lines or lines[-1][0] != "operation_started":
            lines.append(json.loads(await running.stdout.readline()))
        relay.cut()
        await operation.end()
        out, _ = await running.communicate()
    lines += [json.loads(line) for line in out.decode().splitlines()]
    seqs = [seq for _, seq, _ in lines if seq is not None]
    assert seqs == list(range(1, len(seqs) + 1))
    kinds = [kind for kind, _, _ in lines if kind != "presence"]
    assert kinds == ["current_state", "operation_started", "operation_completed", "status_update"]


@needs_chromium
async def test_it_works_in_chromium(shared: Serving) -> None:
    client = await new_user(shared)
    name = (await client.get_me())["username"]
    async with fake_operation(shared, client) as operation, Relay(shared.url) as relay:
        loop = asyncio.get_running_loop()
        ending: list[asyncio.Task[Any]] = []

        def cut_here() -> None:
            relay.cut()
            ending.append(loop.create_task(operation.end()))

        def cut() -> None:  # in the thread of the browser
            loop.call_soon_threadsafe(cut_here)

        seen = await asyncio.to_thread(_in_chromium, f"http://{relay.address}", name, operation, cut)
    assert seen["name"] == name
    assert seen["refused"] == ["Refused", 404]
    kinds = [kind for kind, _ in seen["messages"] if kind != "presence"]
    assert kinds == ["current_state", "operation_started", "operation_completed", "status_update"]
    seqs = [seq for _, seq in seen["messages"] if seq]
    assert seqs == list(range(1, len(seqs) + 1))


def _in_chromium(url: str, name: str, operation: FakeOperation, cut: Any) -> dict[str, Any]:
    """What a page of the server sees that imports the client as a module."""

    def module(route: Route) -> None:
        path = JAVASCRIPT / route.request.url.rpartition("/")[2]
        route.fulfill(body=path.read_text(), content_type="text/javascript")

    script = """async ([name, password, id]) => {
        const { Client } = await import("/client/index.js");
        const client = new Client();
        await client.signIn(name, password);
        const refused = await client.getCollection({ collection_id: "none" }).catch((e) => [e.name, e.status]);
        const messages = [];
        for await (const message of client.watch(id)) {
            messages.push([message.type, message.seq]);
            if (message.type === "operation_started") await cut();
        }
        return { name: (await client.getMe()).username, refused, messages };
    }"""
    with chromium() as browser:
        page = browser.new_context(bypass_csp=True).new_page()
        page.route("**/client/*.js", module)
        page.expose_function("cut", cut)
        page.goto(f"{url}/api/v2/health")
        seen: dict[str, Any] = page.evaluate(script, [name, PASSWORD, operation.id])
    return seen


async def test_its_modules_are_those_of_the_package() -> None:
    package = json.loads((JAVASCRIPT / "package.json").read_text())
    assert package["private"] is True and "dependencies" not in package
    exported = package["exports"]["."]
    assert all((JAVASCRIPT / exported[kind]).exists() for kind in ("types", "default"))


def test_both_clients_have_the_same_calls() -> None:
    table = (JAVASCRIPT / "operations.js").read_text()
    names = [line.split(":")[0].strip() for line in table.splitlines() if line.startswith("  ")]
    own = {name.replace("_", "").lower() for name in dir(Client)}
    assert names and [name for name in names if name.lower() not in own] == []
