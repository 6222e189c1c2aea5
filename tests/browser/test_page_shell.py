"""The shell in a real Chromium: what runs in the background moves nothing, and the page is light and reachable."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from support.axe import barriers, needs_web_packages
from support.browser import needs_chromium
from support.hold import held
from support.page_actions import (
    NAME,
    PASSWORD,
    card_of,
    close_operations,
    create,
    expect_signed_in,
    open_account,
    open_operations,
)
from support.patience import patience
from support.server import SETUP_CODE, Serving
from test_page import page, trouble
from test_page_operations import member

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium

SHIFTS = """() => {
    window.shifts = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
    }).observe({ type: "layout-shift", buffered: false });
}"""
MOST_SHIFT = 0.02


@pytest.fixture
def server(shared: Serving) -> str:
    return shared.url


def _call(page: Page, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """A request of the page's own session, which starts nothing that the page would show as its own."""
    return page.evaluate(
        """async ([method, path, body]) => {
            const options = { method, headers: { "Content-Type": "application/json" } };
            if (body) options.body = JSON.stringify(body);
            const answer = await fetch(`/api/v2${path}`, options);
            const text = await answer.text();
            return text ? JSON.parse(text) : null;
        }""",
        [method, path, body],
    )


def _files(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"note-{number}.txt").write_text(
            f"The {folder.name} pump number {number} is primed with water."
        )
    return folder


@contextmanager
def _three_running(page: Page, tmp_path: Path) -> Iterator[list[str]]:
    """Three operations, held in their middle; the server runs two at a time."""
    names = ["Amber", "Birch", "Cedar"]
    with ExitStack() as stack:
        for name in names:
            folder = _files(tmp_path / name.lower())
            stack.enter_context(held(folder, "note-2.txt"))
            _call(page, "POST", "/collections", {"name": name, "source_path": str(folder)})
        yield names


def test_operations_that_run_leave_the_hits_where_they_are(member: Page, tmp_path: Path) -> None:
    create(member, "Found", _files(tmp_path / "found", 12))
    expect(card_of(member, "Found")).to_have_attribute("data-status", "completed")
    member.set_viewport_size({"width": 1280, "height": 800})
    member.goto("/#/?q=pump")
    hit = member.locator(".hit").first
    expect(hit).to_be_visible()
    before = hit.bounding_box()
    member.evaluate(SHIFTS)
    with _three_running(member, tmp_path) as names:
        for name in names:
            expect(card_of(member, name)).to_have_attribute("data-status", re.compile("processing|queued"))
        expect(member.locator("#activity .counts", has_text="of 3 files")).to_have_count(2)  # the third waits
        expect(member.locator(".indicator .number")).to_have_text("3")
        expect(member.locator("#activity")).to_be_hidden()
        assert hit.bounding_box() == before and before is not None
        assert before["y"] + before["height"] <= 800
        assert member.get_by_role("searchbox").bounding_box()["y"] < 200  # type: ignore[index]
        open_operations(member)
        expect(member.locator("#activity .operation")).to_have_count(4)
        close_operations(member)
    for name in names:
        expect(card_of(member, name)).to_have_attribute("data-status", "completed")
    expect(member.locator(".indicator[data-running]")).to_have_count(0)
    assert hit.bounding_box() == before
    assert member.evaluate("window.shifts") < MOST_SHIFT


def test_a_scan_that_nobody_asked_for_is_not_listed_once_it_has_ended(page: Page) -> None:
    """As the feed gets its messages: while it runs it counts, ended it is gone, and nothing is announced."""
    page.goto("/")
    seen = page.evaluate(
        """async () => {
            const { Activity } = await import("/static/activity.js");
            const { OperationState } = await import("/static/operation-state.js");
            class Feed extends EventTarget {
                entries = new Map();
                collectionStore = { get: () => ({ name: "Watched", access: "own" }) };
            }
            const feed = new Feed();
            const said = [];
            const activity = new Activity(feed, (text) => said.push(text));
            const state = new OperationState();
            const entry = { id: "x", collectionId: "c", state, connection: { state: "live" }, own: false };
            feed.entries.set("x", entry);
            const seen = [];
            for (const status of ["processing", "completed"]) {
                const data = { status, operation_type: "append", options: { watched: true } };
                entry.state.apply({ type: "current_state", data });
                feed.dispatchEvent(new CustomEvent("change", { detail: [entry] }));
                await import("/static/operation-card.js"); // the panel waits for it, too
                await new Promise((resolve) => setTimeout(resolve));
                seen.push([activity.list.children.length, "running" in activity.button.dataset]);
            }
            return [seen, said];
        }"""
    )
    assert seen == [[[1, True], [0, False]], []]


def test_what_ran_is_shown_again_after_a_reload_and_a_lost_connection_is_said(
    member: Page, tmp_path: Path, trouble: list[str]
) -> None:
    sockets: list[Any] = []
    member.route_web_socket(
        re.compile("/ws/operations"), lambda socket: sockets.append((socket, socket.connect_to_server()))
    )
    member.reload()
    folder = _files(tmp_path / "delta", 5)
    with held(folder, "note-4.txt"):
        _call(member, "POST", "/collections", {"name": "Delta", "source_path": str(folder)})
        member.goto("/#/operations")
        card = member.locator("main .operation").filter(has_text="“Delta”")
        expect(card.locator(".counts")).to_contain_text("of 5 files")
        expect(card.get_by_role("list", name="Stages")).to_contain_text("Read and embed")
        assert re.match(r"(\d+ %|…) · Operations · Semantik", member.title())
        expect(member.locator("#icon")).to_have_attribute("href", re.compile(r"progress-\d\.svg$"))
        member.reload()
        expect(card.locator(".counts")).to_contain_text("of 5 files")
        sockets[-1][0].close(code=1012, reason="")
        lost = member.locator("main .connection")
        expect(lost).to_have_text("Reconnecting… what is shown may be older than it looks.")
        expect(card.locator(".counts")).not_to_contain_text("left")
        expect(lost).to_have_text("")
        member.get_by_role("button", name="Waiting").click()
        assert "state=waiting" in member.url
        expect(card).to_be_hidden()
        member.go_back()
        with member.expect_response(lambda answer: answer.request.method == "DELETE"):
            card.get_by_role("button", name="Cancel").click()
        ended = member.get_by_role("region", name="Ended").locator(".entry").first
        expect(ended).to_contain_text("Delta")
        expect(ended).to_contain_text("cancelled")  # before what is held could be read to its end
    expect(member).to_have_title("Operations · Semantik")
    expect(member.locator("#icon")).to_have_attribute("href", re.compile(r"icon\.svg$"))


def test_the_header_is_used_with_the_keyboard_and_on_a_phone(member: Page) -> None:
    member.set_viewport_size({"width": 360, "height": 740})
    member.goto("/#/operations")
    expect(member.get_by_role("heading", name="Operations", exact=True)).to_be_visible()
    for address in ("#/", "#/collections", "#/operations", "#/account"):
        member.goto(f"/{address}")
        assert member.evaluate("document.documentElement.scrollWidth") <= 360, address
    navigation = member.get_by_role("navigation", name="Main")
    navigation.get_by_role("link", name="Collections").focus()
    member.keyboard.press("Enter")
    expect(member.get_by_role("heading", name="Collections")).to_be_visible()
    expect(navigation.get_by_role("link", name="Collections")).to_have_attribute("aria-current", "page")
    menu = member.get_by_role("button", name="Account: ")
    menu.focus()
    member.keyboard.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    member.keyboard.press("Tab")
    expect(member.get_by_role("link", name="Account", exact=True)).to_be_focused()
    member.keyboard.press("Escape")
    expect(member.get_by_role("link", name="Account", exact=True)).to_be_hidden()
    expect(menu).to_be_focused()
    open_account(member)
    member.get_by_role("link", name="API keys").click()
    expect(member.locator("#account-menu")).to_be_hidden()
    expect(member.get_by_role("heading", name="API keys", level=1)).to_be_visible()
    member.keyboard.press("Control+k")  # leads to the search from every page
    expect(member).to_have_url(re.compile(r"/#/$"))


def test_administrators_see_the_system_and_others_do_not(member: Page, trouble: list[str]) -> None:
    member.goto("/#/system")
    expect(member.get_by_text("This page is for administrators.")).to_be_visible()
    answer = member.evaluate("fetch('/api/v2/status/log').then((answer) => answer.status)")
    assert answer == 403
    assert json.dumps(trouble).count("403") == 1
    trouble.clear()


@needs_web_packages
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_of_the_shell_have_no_barriers(
    start: Callable[..., Serving], browser: Browser, tmp_path: Path, scheme: Any
) -> None:
    serving = start()
    page = browser.new_page(
        base_url=serving.url, color_scheme=scheme, viewport={"width": 1100, "height": 800}
    )
    page.set_default_timeout(patience() * 1000)
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    page.goto(f"/#/setup?code={SETUP_CODE}")
    expect(page.get_by_role("heading", name="Create the first user")).to_be_visible()
    found = {"sign-in": barriers(page)}
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create and sign in").click()
    expect_signed_in(page)
    folder = _files(tmp_path / "echo", 5)
    with held(folder, "note-4.txt"):
        _call(page, "POST", "/collections", {"name": "Echo", "source_path": str(folder)})
        page.goto("/#/operations")
        expect(page.locator("main .operation .counts")).to_contain_text("of 5 files")
        found["operations"] = barriers(page)
        open_operations(page)
        found["panel"] = barriers(page)
        close_operations(page)
        open_account(page)
        found["menu"] = barriers(page)
        for name in ("system", "account", "api-keys", "people", "audit"):
            page.goto(f"/#/{name}")
            expect(page.locator("main h1")).to_be_visible()
            if name == "system":
                expect(page.get_by_role("list", name="Log lines")).to_contain_text("Echo")
                expect(page.get_by_role("region", name="Stores")).to_contain_text("answers")
            found[name] = barriers(page)
    page.goto("/#/operations?state=ended")
    expect(page.get_by_role("region", name="Ended")).to_contain_text("done")
    found["ended"] = barriers(page)
    page.close()
    assert {name: rules for name, rules in found.items() if rules} == {}
    assert said == []
