"""The clients of the WebSocket API's seed document, letter by letter, against a real server.

They lie in `tests/seed/`. A browser and curl are led from localhost:8080 to the server of the tests, so that what
runs there runs unchanged, but for TypeScript's types; in the Python programs the address is replaced in the text.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from conftest import ROOT, Serving, run
from playwright.sync_api import BrowserContext, Page, Route, expect, sync_playwright
from websockets.asyncio.client import connect

CLIENTS = ROOT / "tests" / "seed"
SEED = ROOT.parent / "shared" / "reference" / "websocket-api-seed.md"
WHERE = "localhost:8080"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # A page that a test puts in counts as one from the internet, which may not reach this machine.
    "--disable-features=LocalNetworkAccessChecks",
]
PATIENCE_MS = 30_000
FILES = 5

in_browser = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs {CHROMIUM}")


def client(name: str) -> str:
    return (CLIENTS / name).read_text()


_TYPES = re.compile(
    r"^interface \w+ \{.*?^\}\n|\bprivate |(?<=[\w)]): (?:string|any|OperationProgress|WebSocket \| null)\b"
    r"|<(?:OperationProgress|WebSocket \| null)>(?=\()",
    re.MULTILINE | re.DOTALL,
)


def without_types(name: str) -> str:
    """A client without the few forms of types that the seed uses."""
    return _TYPES.sub("", client(name))


# React as far as the hook can tell: state by value or by function, effects after the render, cleanup at the end.
REACT = """
let current;
const cell = make => current.cells[current.at++] ??= make();
export function useState(initial) {
    const { render } = current;
    const own = cell(() => {
        const made = { value: initial };
        made.set = next => {
            const value = typeof next === "function" ? next(made.value) : next;
            if (Object.is(value, made.value)) return;
            made.value = value;
            render();
        };
        return made;
    });
    return [own.value, own.set];
}
export const useRef = initial => cell(() => ({ current: initial }));
export function useEffect(effect, deps) {
    const own = cell(() => ({}));
    if (own.deps && own.deps.every((dep, at) => Object.is(dep, deps[at]))) return;
    own.deps = deps;
    current.due.push(() => { own.cleanup?.(); own.cleanup = effect(); });
}
export function mount(component) {
    const mounted = { cells: [], due: [], at: 0 };
    let asked = false, gone = false;
    const draw = () => {
        asked = false;
        if (gone) return;
        current = mounted;
        mounted.at = 0;
        component();
        for (const effect of mounted.due.splice(0)) effect();
    };
    mounted.render = () => { if (!asked) { asked = true; queueMicrotask(draw); } };
    draw();
    return () => { gone = true; for (const own of mounted.cells) own.cleanup?.(); };
}
"""


@dataclass(frozen=True)
class Person:
    """The seed's user, signed in."""

    serving: Serving
    rest: httpx.Client
    token: str

    @property
    def netloc(self) -> str:
        return f"localhost:{urlsplit(self.serving.url).port}"

    def index(self, folder: Path, name: str, **more: Any) -> str:
        """Begin to index a folder; returns the operation's id."""
        answer = self.rest.post("collections", json={"name": name, "source_path": str(folder), **more})
        return str(answer.raise_for_status().json()["operation_id"])


@pytest.fixture(scope="module")
def person(shared: Serving) -> Iterator[Person]:
    somebody = {"username": "test@example.com", "password": "password"}
    with httpx.Client(base_url=f"{shared.url}/api/v2", timeout=60) as rest:
        rest.post("auth/register", json=somebody).raise_for_status()
        token = rest.post("auth/login", json=somebody).raise_for_status().json()["access_token"]
        rest.headers["Authorization"] = f"Bearer {token}"
        yield Person(shared, rest, token)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    for number in range(FILES):
        (folder / f"{number}.txt").write_text(f"Text {number} tells of the harvest.")
    return folder


@pytest.fixture(scope="module")
def browser(person: Person) -> Iterator[BrowserContext]:
    """A Chromium to which localhost:8080 is the tests' server, with the seed's scripts beside the server's own."""
    served = {
        "": '<!DOCTYPE html><script type="importmap">{"imports": {"react": "/seed/react.js"}}</script>',
        "page.html": client("page.html"),
        "hook.js": without_types("hook.tsx"),
        "react.js": REACT,
    }

    def serve(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        kind = "text/javascript" if name.endswith(".js") else "text/html"
        route.fulfill(body=served[name], content_type=kind)

    with sync_playwright() as playwright:
        to_server = f"--host-resolver-rules=MAP {WHERE} {urlsplit(person.serving.url).netloc}"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, to_server])
        context = browser.new_context()
        context.set_default_timeout(PATIENCE_MS)
        context.route(f"http://{WHERE}/seed/*", serve)
        yield context
        browser.close()


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


@pytest.mark.skipif(not SEED.exists(), reason="needs the seed document beside the project: shared/reference")
@pytest.mark.parametrize("path", sorted(CLIENTS.glob("[!r]*.*")), ids=lambda path: path.name)
def test_each_client_stands_letter_by_letter_in_the_seed(path: Path) -> None:
    assert f"```\n{path.read_text()}```\n" in re.sub(r"```\w+", "```", SEED.read_text())


@in_browser
def test_the_typescript_client_follows_an_operation_to_its_end(
    page: Page, person: Person, folder: Path
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


def hook(page: Page, person: Person, operation_id: str, until: str) -> list[dict[str, Any]]:
    """What the React hook returns, render by render, until its component is unmounted."""
    page.evaluate(
        """async ([id, token]) => {
            const { mount } = await import("/seed/react.js");
            const { useOperationProgress } = await import("/seed/hook.js");
            window.states = [];
            window.unmount = mount(() => states.push(useOperationProgress(id, token)));
        }""",
        [operation_id, person.token],
    )
    page.wait_for_function(until)
    states: list[dict[str, Any]] = page.evaluate("() => { unmount(); return states; }")
    return states


def course(states: list[dict[str, Any]]) -> list[str]:
    """The statuses in their order, each once where it stays."""
    statuses = [state["status"] for state in states]
    return [new for old, new in zip([None, *statuses], statuses, strict=False) if new != old]


@in_browser
def test_the_react_hook_goes_from_connecting_to_completed(page: Page, person: Person, folder: Path) -> None:
    operation_id = person.index(folder, "React")
    with page.expect_websocket() as opened:
        states = hook(page, person, operation_id, "states.at(-1).status === 'completed'")
    assert states[0] == {"processedFiles": 0, "totalFiles": 0, "status": "connecting"}
    assert course(states) == ["connecting", "processing", "completed"]
    assert {type(state[key]) for state in states for key in ("processedFiles", "totalFiles")} == {int}
    assert states[-1]["totalFiles"] == FILES
    assert Path(states[-1]["currentFile"]).parent == folder
    page.wait_for_function("true")
    if not opened.value.is_closed():
        opened.value.wait_for_event("close")


@in_browser
def test_the_react_hook_tells_of_a_broken_file_and_goes_on(
    page: Page, person: Person, tmp_path: Path
) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R")
    operation_id = person.index(tmp_path, "React, broken")
    states = hook(page, person, operation_id, "states.at(-1).status === 'completed'")
    assert course(states) == ["connecting", "processing", "error", "completed"]
    assert states[-1]["error"]


@in_browser
@pytest.mark.parametrize("address", [f"http://{WHERE}/seed/page.html", (CLIENTS / "page.html").as_uri()])
def test_the_html_page_shows_every_message(page: Page, person: Person, folder: Path, address: str) -> None:
    operation_id = person.index(folder, f"HTML, {address}")
    answers = {"Enter auth token:": person.token, "Enter operation ID:": operation_id}
    page.on("dialog", lambda dialog: dialog.accept(answers[dialog.message]))
    # So that its ping, due every half a minute, comes while the socket is open.
    page.add_init_script("const timer = setInterval; setInterval = (call, ms) => timer(call, ms / 100);")
    page.goto(address)
    expect(page.locator("#status")).to_contain_text("Disconnected (", timeout=PATIENCE_MS)
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


@in_browser
def test_the_connection_example_logs_every_message(page: Page, person: Person, folder: Path) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate("token => localStorage.setItem('authToken', token)", person.token)
    operation_id = person.index(folder, "Connection")
    with page.expect_console_message(lambda message: "operation_completed" in message.text):
        page.add_script_tag(content=client("connection.js").replace("abc123-operation-id", operation_id))
    page.evaluate("localStorage.clear()")
    assert said[0] == "Connected to operation progress"
    assert said[1].startswith("Progress update: ")


@in_browser
@pytest.mark.xfail(strict=True, reason="there is no scan socket yet")
def test_the_scan_example_receives_the_files(page: Page, person: Person, folder: Path) -> None:
    # It brings no token: its user is signed in to the server's page.
    page.evaluate(
        """() => fetch("/api/v2/auth/login", {
            method: "POST", body: JSON.stringify({ username: "test@example.com", password: "password" }),
        })"""
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


@in_browser
@pytest.mark.parametrize("wrong", ["token", "operation"])
def test_the_error_handler_understands_the_close_code(page: Page, person: Person, wrong: str) -> None:
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


def test_the_python_test_passes(person: Person, folder: Path, tmp_path: Path) -> None:
    program = tmp_path / "journey.py"
    text = client("journey.py").replace(WHERE, person.netloc)
    program.write_text(text.replace("/test/documents", str(folder)))
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    types = re.findall(r"'(\w+)'", done.stdout.partition("Message types: ")[2])
    assert types[0] == "current_state"
    assert {"operation_started", "scanning_documents", "file_processing", "document_processed"} <= set(types)
    last = done.stdout.partition("\n\nReceived ")[0].splitlines()[-1]
    assert last.endswith("status_update: {'status': 'completed'}")  # not the half minute, but the end


def test_the_load_test_is_answered_on_every_connection(person: Person) -> None:
    codes: list[int | None] = []

    async def maintain_connection(operation_id: str, token: str) -> None:
        uri = f"ws://{person.netloc}/ws/operations/{operation_id}?token={token}"
        async with connect(uri) as socket:
            await socket.wait_closed()
            codes.append(socket.close_code)

    async def until_all_are_answered(_: float) -> None:
        await asyncio.gather(*tasks)

    tasks: list[asyncio.Task[None]] = []

    def create_task(maintaining: Any) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(maintaining))
        return tasks[-1]

    # The minute that it waits is cut short.
    shortened = SimpleNamespace(create_task=create_task, sleep=until_all_are_answered)
    names: dict[str, Any] = {"asyncio": shortened, "maintain_connection": maintain_connection}
    exec(client("load.py"), names)
    with ThreadPoolExecutor(1) as another_thread:  # this one may be the browser's
        another_thread.submit(run, names["load_test_websockets"](50, person.token)).result()
    # Its operations exist nowhere: 1008; a server may also tell so many connections to come later: 1013.
    assert len(codes) == 50 and set(codes) <= {1008, 1013} and 1008 in codes


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_commands_for_a_terminal_work(person: Person, folder: Path, tmp_path: Path) -> None:
    """curl is the real one; wscat's place is taken by the terminal client that `websockets` brings."""
    (tmp_path / ".curlrc").write_text(f'connect-to = "{WHERE}:{urlsplit(person.serving.url).netloc}"\n')
    stand_ins = {
        "npm": '[ "$*" = "install -g wscat" ]',
        "jq": f"""[ "$*" = "-r .access_token" ] &&
            exec {sys.executable} -c 'import json, sys; print(json.load(sys.stdin)["access_token"])'""",
        "wscat": f"""[ "$1" = -c ] &&
            exec {sys.executable} -m websockets "$(echo "$2" | sed s/{WHERE}/{person.netloc}/)" """,
    }
    for name, script in stand_ins.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    commands = client("terminal.sh").replace("YOUR_OPERATION_ID", person.index(folder, "Terminal"))
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CURL_HOME": str(tmp_path)}
    with subprocess.Popen(
        ["sh", "-e", "-c", commands],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as terminal:
        assert terminal.stdout is not None
        shown = terminal.stdout.read()  # its input stays open meanwhile, as a terminal's does
    assert terminal.returncode == 0
    types = [json.loads(line)["type"] for line in re.findall(r"< (\{.*\})", shown)]
    assert types[0] == "current_state" and types[-2:] == ["operation_completed", "status_update"]
    assert "Connection closed: 1000" in shown
