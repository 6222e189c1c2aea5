"""The scripts of the WebSocket API's seed document in a real Chromium, against a real server.

The browser is led from localhost:8080 to the server of the tests, so that each script runs letter by letter as it
lies in `tests/seed/`, but for TypeScript's types and the names of what it asks for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from support.browser import chromium, needs_chromium
from support.patience import patience
from support.seed_user import (
    CLIENTS,
    FILES,
    NAME,
    PASSWORD,
    WHERE,
    SeedUser,
    client,
    folder_of_texts,
    seed_user,
)
from support.server import Serving

OWN, AS_FILE = f"http://{WHERE}/seed/page.html", (CLIENTS / "page.html").as_uri()
pytestmark = [needs_chromium, pytest.mark.real_model]

_TYPES = re.compile(
    r"^interface \w+ \{.*?^\}\n|\bprivate |(?<=[\w)]): (?:string|any|OperationProgress|WebSocket \| null)\b"
    r"|<(?:OperationProgress|WebSocket \| null)>(?=\()",
    re.MULTILINE | re.DOTALL,
)


def without_types(name: str) -> str:
    """A client without the few forms of types that the seed uses."""
    return _TYPES.sub("", client(name))


@pytest.fixture(scope="module")
def person(shared: Serving) -> Iterator[SeedUser]:
    with seed_user(shared) as user:
        yield user


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_texts(tmp_path_factory.mktemp("documents"))


@pytest.fixture(scope="module")
def browser(person: SeedUser) -> Iterator[BrowserContext]:
    """A Chromium to which localhost:8080 is the tests' server, with the seed's scripts beside the server's own."""
    served = {
        "": '<!DOCTYPE html><script type="importmap">{"imports": {"react": "/seed/react.js"}}</script>',
        "page.html": client("page.html"),
        "hook.js": without_types("hook.tsx"),
        "react.js": (CLIENTS.parent / "seed_react.js").read_text(),
    }

    def serve(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        kind = "text/javascript" if name.endswith(".js") else "text/html"
        route.fulfill(body=served[name], content_type=kind)

    with chromium(f"--host-resolver-rules=MAP {WHERE} {urlsplit(person.serving.url).netloc}") as browser:
        context = browser.new_context()
        context.set_default_timeout(patience() * 1000)
        context.route(f"http://{WHERE}/seed/*", serve)
        yield context


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """An empty page of the server's own origin; an error that a client throws fails the test."""
    thrown: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: thrown.append(str(error)))
    page.goto(f"http://{WHERE}/seed/")
    yield page
    page.close()
    assert thrown == []


def test_the_typescript_client_follows_an_operation_to_its_end(
    page: Page, person: SeedUser, folder: Path
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.add_script_tag(content=without_types("client.ts"))
    operation_id = person.index(folder, "TypeScript")
    with page.expect_console_message(lambda message: message.text.startswith("WebSocket closed")):
        page.evaluate(
            "([token, id]) => new OperationProgressClient(token).connect(id)", [person.token, operation_id]
        )
    assert said[0] == "WebSocket connected"
    assert re.fullmatch(r"Operation started: \d+ files to process", said[1])
    processing = [line for line in said if line.startswith("Processing: ")]
    assert processing and all(
        re.fullmatch(rf"Processing: {folder}/\d\.txt \(\d/{FILES}\)", p) for p in processing
    )
    progress = [line for line in said if line.startswith("Progress: ")]
    assert progress[-1] == f"Progress: {FILES}/{FILES}"
    assert said[-2] == "Operation completed!"
    assert said[-1].startswith("WebSocket closed: 1000")
    assert len(said) == 4 + len(processing) + len(progress)


def hook(page: Page, token: str, operation_id: str, until: str) -> list[dict[str, Any]]:
    """What the React hook returns, render by render, until a status has come or its socket is closed."""
    page.evaluate(
        """async ([id, token]) => {
            const { mount } = await import("/seed/react.js");
            const { useOperationProgress } = await import("/seed/hook.js");
            const socket = window.socket = { over: false };
            window.WebSocket = class extends WebSocket {
                constructor(address) {
                    super(address);
                    this.addEventListener("close", () => { socket.over = true; });
                }
            };
            window.states = [];
            window.unmount = mount(() => states.push(useOperationProgress(id, token)));
        }""",
        [operation_id, token],
    )
    page.wait_for_function(f"socket.over || states.at(-1).status === '{until}'")
    states: list[dict[str, Any]] = page.evaluate("() => { unmount(); return states; }")
    return states


def course(states: list[dict[str, Any]]) -> list[str]:
    """The statuses in their order, each once where it stays."""
    return [status for status, _ in groupby(state["status"] for state in states)]


def test_the_react_hook_goes_from_connecting_to_completed(page: Page, person: SeedUser, folder: Path) -> None:
    operation_id = person.index(folder, "React")
    hook(page, person.token, operation_id, "processing")  # its component is unmounted, and mounted again
    states = hook(page, person.token, operation_id, "completed")
    assert states[0] == {"processedFiles": 0, "totalFiles": 0, "status": "connecting"}
    assert course(states) == ["connecting", "processing", "completed"]
    assert {type(state[key]) for state in states for key in ("processedFiles", "totalFiles")} == {int}
    assert states[-1]["totalFiles"] == FILES
    assert Path(states[-1]["currentFile"]).parent == folder


def test_the_react_hook_counts_every_file(page: Page, person: SeedUser, folder: Path) -> None:
    states = hook(page, person.token, person.index(folder, "React, counting"), "completed")
    assert states[-1]["processedFiles"] == FILES


def test_the_react_hook_tells_of_a_broken_file_and_goes_on(
    page: Page, person: SeedUser, tmp_path: Path
) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R")
    states = hook(page, person.token, person.index(tmp_path, "React, broken"), "completed")
    assert course(states)[:3] == ["connecting", "processing", "error"]
    assert states[-1]["status"] == "completed"
    assert all("damaged" in state["error"] for state in states if state["status"] == "error")


def test_the_react_hook_tells_of_a_failed_operation(page: Page, person: SeedUser, folder: Path) -> None:
    operation_id = person.index(folder, "React, failed", embedding_model="/no/such/model")
    states = hook(page, person.token, operation_id, "error")
    assert states[-1]["status"] == "error"
    assert "model" in states[-1]["error"]


@pytest.mark.parametrize("address", [OWN, AS_FILE], ids=["own", "file"])
def test_the_html_page_shows_every_message(page: Page, person: SeedUser, folder: Path, address: str) -> None:
    operation_id = person.index(folder, f"HTML, {address}")
    answers = {"Enter auth token:": person.token, "Enter operation ID:": operation_id}
    page.on("dialog", lambda dialog: dialog.accept(answers[dialog.message]))
    # So that its ping, due every half a minute, comes while the socket is open.
    page.add_init_script("const timer = setInterval; setInterval = (call, ms) => timer(call, ms / 100);")
    page.goto(address)
    expect(page.locator("#status")).to_contain_text("Disconnected (", timeout=patience() * 1000)
    assert page.locator("#status").inner_text() == "Disconnected (1000: The operation has ended.)"
    types = page.locator("#messages strong").all_inner_texts()
    assert types[0] == "current_state"
    assert {"operation_started", "file_processing", "operation_completed", "status_update", "pong"} <= set(
        types
    )
    text = page.locator("#messages").inner_text()
    assert "Invalid Date" not in text
    data = [json.loads(text) for text in page.locator("#messages pre").all_inner_texts()]
    assert len(data) == len(types) and all(isinstance(fields, dict) for fields in data)


def test_the_connection_example_logs_every_message(page: Page, person: SeedUser, folder: Path) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate("token => localStorage.setItem('authToken', token)", person.token)
    operation_id = person.index(folder, "Connection")
    with page.expect_console_message(lambda message: "operation_completed" in message.text):
        page.add_script_tag(content=client("connection.js").replace("abc123-operation-id", operation_id))
    page.evaluate("localStorage.clear()")
    assert said[0] == "Connected to operation progress"
    assert said[1].startswith("Progress update: ")


def test_the_scan_example_receives_the_files(page: Page, person: SeedUser, folder: Path) -> None:
    # It brings no token: its user is signed in to the server's page.
    page.evaluate(
        "body => fetch('/api/v2/auth/login', { method: 'POST', body: JSON.stringify(body) })",
        {"username": NAME, "password": PASSWORD},
    )
    listening = """
        const seen = [];
        ws.addEventListener("message", event => seen.push(JSON.parse(event.data)));
        ws.addEventListener("close", () => seen.push({ type: "closed" }));
    """
    page.add_script_tag(content=client("scan.js").replace("/documents", str(folder)) + listening)
    page.wait_for_function("seen.some(message => ['completed', 'error', 'closed'].includes(message.type))")
    completed = page.evaluate("seen.at(-1)")
    assert completed["type"] == "completed"
    assert completed["count"] == completed["data"]["count"] == FILES
    assert completed["total_size"] == sum(path.stat().st_size for path in folder.iterdir())
    assert completed["warnings"] == []
    assert {file["path"] for file in completed["files"]} == {str(path) for path in folder.iterdir()}
    assert {key for file in completed["files"] for key in file} == {"path", "size", "modified", "extension"}


@pytest.mark.parametrize("wrong", ["token", "operation"])
def test_the_error_handler_understands_the_close_code(page: Page, person: SeedUser, wrong: str) -> None:
    token = "nonsense" if wrong == "token" else person.token
    page.add_script_tag(content=without_types("errors.js"))
    told, logged = page.evaluate(
        """([token]) => new Promise(resolve => {
            class Client extends RobustOperationClient {
                operationId = "no-such-operation";
                notifyUser(text) { this.told = text; }
                logToMonitoring(entry) { resolve([this.told, entry]); }
            }
            const client = new Client();
            const ws = new WebSocket(`ws://localhost:8080/ws/operations/${client.operationId}?token=${token}`);
            ws.onclose = event => client.handleError(event, "connection");
        })""",
        [token],
    )
    assert told == "Authentication failed. Please log in again."
    assert (logged["context"], logged["operationId"]) == ("connection", "no-such-operation")
