"""The browser's module that follows an operation, in a real Chromium against a real server: whatever is lost or
blocked on the way, each message comes once and in order, to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from support.api import PASSWORD
from support.browser import needs_chromium
from support.hold import held
from support.patience import patience
from support.server import SETUP_CODE, Serving

FILES = 40
HELD = "well-039.txt"

NO_SOCKETS = """
    window.RealSocket = WebSocket;
    window.WebSocket = class {
        constructor() { setTimeout(() => this.onclose?.({ code: 1006, reason: "" })); }
        close() {}
    };
"""
NO_EVENTS = """
    window.EventSource = class extends EventTarget {
        constructor() {
            super();
            setTimeout(() => this.onerror?.());
        }
        close() {}
    };
"""
SIGN_IN = """async ([password, setup_code]) => {
    const send = (path, body) => fetch(`/api/v2/${path}`, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    }).then((answer) => answer.json());
    const username = `ada-${crypto.randomUUID()}`;
    await send("auth/register", { username, password, setup_code });
    await send("auth/login", { username, password });
    window.send = send;
}"""
FOLLOW = """async ([id, folder]) => {
    const { OperationClient } = await import("/static/operation-client.js");
    const made = id ?? (await send("collections", { name: folder, source_path: folder })).operation_id;
    window.messages_ = [];
    window.states = [];
    window.client = new OperationClient(made, {
        onMessage: (message) => messages_.push(message),
        onConnection: (state, reason) => states.push([state, reason]),
    });
    client.start();
}"""

pytestmark = needs_chromium


@pytest.fixture
def page(browser: Browser, shared: Serving) -> Iterator[Page]:
    with _page(browser, shared) as page:
        yield page


@contextmanager
def _page(browser: Browser, serving: Serving) -> Iterator[Page]:
    """An empty page of the server's, signed in."""
    context = browser.new_context(base_url=serving.url)
    context.set_default_timeout(patience() * 1000)
    page = context.new_page()
    page.route("**/empty", lambda route: route.fulfill(body="", content_type="text/html"))
    page.goto("/empty")
    page.evaluate(SIGN_IN, [PASSWORD, SETUP_CODE])
    yield page
    context.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(FILES):
        lines = [f"Well {number}.{part} gave {number + part} buckets." for part in range(30)]
        (folder / f"well-{number:03}.txt").write_text("\n\n".join(lines))
    return folder


def _block(page: Page, script: str) -> None:
    page.evaluate("() => {" + script + "}")


def _follow(page: Page, folder: Path) -> None:
    page.evaluate(FOLLOW, [None, str(folder)])


def _until(page: Page, condition: str) -> None:
    page.wait_for_function(condition, timeout=patience() * 1000)


def _ended(page: Page) -> tuple[list[dict[str, Any]], list[str]]:
    """The messages and the states of a client, once the operation has ended and everything was sent."""
    _until(page, "states.some(([state]) => state === 'ended' || state === 'stopped')")
    _until(page, "['status_update', 'current_state'].includes(messages_.at(-1).type)")
    return page.evaluate("messages_"), [state for state, _ in page.evaluate("states")]


def _is_whole(messages: list[dict[str, Any]]) -> None:
    seqs = [message["seq"] for message in messages if "seq" in message]
    assert seqs == list(range(1, len(seqs) + 1))
    kinds = [
        message["type"] for message in messages if message["type"] != "presence"
    ]  # that may come at any time
    assert kinds[0] == "current_state" and "pong" not in kinds
    assert kinds[-2:] == ["operation_completed", "status_update"]


@pytest.mark.noisy
def test_a_server_that_is_killed_and_comes_back_is_followed_to_the_end(
    browser: Browser, start: Callable[..., Serving], folder: Path
) -> None:
    serving = start("--pool-batch-files", "4")  # so that others are done before the file that is held
    with _page(browser, serving) as page:
        with held(folder, HELD):
            _follow(page, folder)
            _until(page, "messages_.some(({ type }) => type === 'document_processed')")
            serving.kill()
            _until(page, "states.some(([state]) => state === 'unreachable')")
            start("--port", str(urlsplit(serving.url).port))
            _until(
                page, "states.at(-1)[0] === 'live'"
            )  # before the operation ends, or polling would show its end
        messages, states = _ended(page)
    _is_whole(messages)
    assert states[0] == "live" and "reconnecting" in states and states[-1] == "ended"


def test_where_sockets_cannot_be_had_the_event_stream_carries_it(page: Page, folder: Path) -> None:
    _block(page, NO_SOCKETS)
    _follow(page, folder)
    messages, states = _ended(page)
    _is_whole(messages)
    assert states[-2:] == ["live", "ended"] and "polling" not in states


def test_where_both_fail_rest_is_asked(page: Page, folder: Path) -> None:
    _block(page, NO_SOCKETS + NO_EVENTS)
    _follow(page, folder)
    messages, states = _ended(page)
    assert {message["type"] for message in messages} == {"current_state"}
    assert messages[-1]["data"]["status"] == "completed"
    assert messages[-1]["operation_id"] == messages[-1]["data"]["id"]
    assert states[-2:] == ["polling", "ended"]


@pytest.mark.parametrize("without", [NO_SOCKETS, NO_SOCKETS + NO_EVENTS])
def test_it_climbs_back_to_the_socket_without_a_gap(page: Page, folder: Path, without: str) -> None:
    _block(page, without)
    with held(folder, HELD):
        _follow(page, folder)
        _until(page, "messages_.length > 0")
        page.evaluate(
            """() => {
                window.opened = [];
                window.WebSocket = class extends RealSocket {
                    constructor(address) { super(address); opened.push(this); }
                };
            }"""
        )
        _until(page, "opened.length > 0")
        assert page.evaluate("states.at(-1)[0]") != "ended", "it must be under way yet"
    _, states = _ended(page)
    _until(page, "opened[0].readyState === RealSocket.CLOSED")  # by the server, as the operation has ended
    _is_whole(
        page.evaluate("messages_.filter((message, at) => at === 0 || message.type !== 'current_state')")
    )
    assert states[-2:] == ["live", "ended"]
    assert page.evaluate("opened.length") == 1


@pytest.mark.parametrize("blocked", ["", NO_SOCKETS])
def test_a_refusal_is_told_and_nothing_more_is_tried(page: Page, blocked: str) -> None:
    _block(page, blocked)
    page.evaluate(FOLLOW, ["no-such-operation", ""])
    _until(page, "states.some(([state]) => state === 'stopped')")
    assert page.evaluate("states.at(-1)") == ["stopped", "There is no operation no-such-operation."]
    assert page.evaluate("messages_") == []
