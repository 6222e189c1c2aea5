"""The browser's page in a real Chromium, against a server of its own; an unexpected console error fails a test."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect
from support.browser import needs_chromium
from support.hold import held
from support.page_actions import (
    NAME,
    PASSWORD,
    card_of,
    close_operations,
    create,
    expect_signed_in,
    open_operations,
    plant,
    sign_in,
    sign_out,
)
from support.patience import patience
from support.server import SETUP_CODE, Serving, serve

SOCKETS = re.compile(r"/ws/operations(/|\?|$)")
pytestmark = needs_chromium


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server for the tests of this module."""
    serving = serve(tmp_path_factory.mktemp("page") / "data")
    yield serving.url
    serving.stop()


@pytest.fixture
def trouble() -> list[str]:
    """What went wrong in the browser; a test takes out what it expected."""
    return []


@pytest.fixture
def page(server: str, browser: Browser, trouble: list[str]) -> Iterator[Page]:
    context = browser.new_context(base_url=server, viewport={"width": 1100, "height": 800})
    context.set_default_timeout(patience() * 1000)
    expect.set_options(timeout=patience() * 1000)
    page = context.new_page()
    page.on("console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    # What the page itself took back, since the answer was no longer wanted, is aborted, not failed.
    page.on("requestfailed", lambda r: trouble.append(r.url) if r.failure != "net::ERR_ABORTED" else None)
    yield page
    context.close()
    assert trouble == []


@pytest.fixture
def member(server: str, page: Page, trouble: list[str]) -> Page:
    """The page with somebody signed in."""
    with urllib.request.urlopen(f"{server}/api/v2/auth/setup", timeout=patience()) as answer:
        if json.load(answer)["needs_first_user"]:
            _post(
                server,
                "/api/v2/auth/register",
                {"username": NAME, "password": PASSWORD, "setup_code": SETUP_CODE},
            )
    page.goto("/")
    sign_in(page, PASSWORD)
    expect_signed_in(page)
    assert trouble == []
    return page


def _post(server: str, path: str, body: dict[str, str]) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(server + path, json.dumps(body).encode(), headers)
    urllib.request.urlopen(request, timeout=patience()).close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return plant(tmp_path / "plant")


def test_a_first_user_finds_a_chunk(page: Page, start: Callable[..., Serving], folder: Path) -> None:
    messages: list[dict[str, Any]] = []

    def listen(socket: Any) -> None:
        if SOCKETS.search(socket.url):  # the browser of folders has a socket of its own
            socket.on("framereceived", lambda text: messages.append(json.loads(text)))

    page.on("websocket", listen)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{start().url}/#/setup?code={SETUP_CODE}")  # as the server prints it
    expect(page.get_by_role("heading", name="Create the first user")).to_be_visible()
    expect(page.get_by_label("Setup code")).to_have_value(SETUP_CODE)
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create and sign in").click()
    expect(page.get_by_text("No collections yet")).to_be_visible()

    create(page, "Plant", folder)
    card = card_of(page, "Plant")
    expect(card).to_have_attribute("data-status", "completed")
    open_operations(page)
    expect(card.get_by_role("progressbar")).to_have_js_property("value", 100)
    expect(card.locator(".problems li").filter(has_text="broken.pdf")).to_be_visible()
    close_operations(page)
    types = [message["type"] for message in messages if message["type"] != "pong"]
    assert types[0] == "current_state"
    assert {"document_processed", "error", "operation_completed"} <= set(types)
    assert not [url for url in asked if re.search(r"/operations/[^/?]+$", url) and url.startswith("http")]
    collection = page.locator(".collection")
    expect(collection).to_contain_text("4 documents")
    expect(collection).to_contain_text("1 failed")
    expect(collection).to_contain_text("ready")

    page.get_by_role("searchbox").fill("How is the pump primed?")
    page.get_by_role("button", name="Search", exact=True).click()
    hit = page.locator(".hit").first
    expect(hit).to_contain_text("pump.md")
    expect(hit).to_contain_text("fill the casing with water")
    assert {"pump", "primed"} <= {text.lower() for text in hit.locator("mark").all_inner_texts()}
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    hit.locator("h2 a").click()
    expect(page.locator("#hit")).to_contain_text("fill the casing with water and open the vent")
    expect(page.locator("#hit")).to_be_in_viewport()

    page.get_by_role("link", name="Semantik").click()
    page.get_by_role("link", name="Plant", exact=True).click()
    page.get_by_label("Status").select_option("failed")
    documents = page.locator(".documents [data-place]")
    expect(documents).to_have_count(1)
    expect(documents).to_contain_text("broken.pdf")
    assert documents.locator(".reason").inner_text().endswith(".")

    page.reload()
    expect(page.get_by_role("heading", name="Plant", exact=True)).to_be_visible()
    page.wait_for_load_state("networkidle")  # what is answered after the sign-out is a 401 in the console
    # Only former searches are kept in the browser.
    kept = page.evaluate("Object.entries(localStorage).map(([key, value]) => [key.split('.')[1], value])")
    assert kept == [["searches", '["How is the pump primed?"]']]
    assert page.evaluate("[sessionStorage.length, document.cookie]") == [0, ""]
    sign_out(page)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("button", name="Account: ")).to_have_count(0)


def _through(page: Page, route: Callable[[WebSocketRoute], None]) -> None:
    """Route the sockets of the page, loaded again: one that the present page is still opening must not count."""
    address = page.url
    page.goto("about:blank")
    page.route_web_socket(SOCKETS, route)
    page.goto(address)


def test_a_cut_socket_resumes_after_the_last_frame(member: Page, folder: Path) -> None:
    addresses: list[str] = []
    seqs: list[int] = []
    operations: dict[str, str] = {}

    def route(socket: WebSocketRoute) -> None:
        addresses.append(socket.url)
        upstream = socket.connect_to_server()

        def relay(text: str | bytes) -> None:
            message = json.loads(text)
            socket.send(text)
            # Those too are told again that ended while the page was read.
            if "seq" in message and message["operation_id"] == operations.setdefault(
                "cut", message["operation_id"]
            ):
                seqs.append(message["seq"])
                if len(addresses) == 1:
                    upstream.on_message(lambda _: None)
                    socket.close(code=1011, reason="cut")

        upstream.on_message(relay)

    _through(member, route)
    create(member, "Cut", folder)
    expect(card_of(member, "Cut")).to_have_attribute("data-status", "completed")
    expect(card_of(member, "Cut").locator("li", has_text="broken.pdf")).to_have_count(1)
    assert len(addresses) == 2 and "since=" in addresses[1]
    assert seqs == list(range(1, len(seqs) + 1))


def test_event_streams_carry_it_while_sockets_fail(member: Page, folder: Path) -> None:
    _through(member, lambda socket: socket.close(code=1011))
    create(member, "Streamed", folder)
    card = card_of(member, "Streamed")
    expect(card).to_have_attribute("data-status", "completed")
    expect(card.locator("li", has_text="broken.pdf")).to_have_count(1)
    expect(member.locator(".collection").filter(has_text="Streamed")).to_contain_text("4 documents")


def test_progress_is_asked_for_while_nothing_live_gets_through(
    member: Page, folder: Path, trouble: list[str]
) -> None:
    member.route("**/events*", lambda route: route.fulfill(status=502, body="no"))
    _through(member, lambda socket: socket.close(code=1011))
    create(member, "Polled", folder)
    card = card_of(member, "Polled")
    expect(card).to_have_attribute("data-status", "completed")
    expect(card).to_contain_text("1 failed")
    expect(member.locator(".collection").filter(has_text="Polled")).to_contain_text("4 documents")
    assert all("502" in text for text in trouble)
    trouble.clear()


def test_a_refused_socket_says_why_and_is_not_tried_again(member: Page, folder: Path) -> None:
    tries: list[str] = []

    def refuse(socket: WebSocketRoute) -> None:
        tries.append(socket.url)
        socket.close(code=1008, reason="You may not watch this.")

    _through(member, refuse)
    create(member, "Refused", folder)
    open_operations(member)
    expect(card_of(member, "Refused")).to_contain_text("Live progress has stopped: You may not watch this.")
    assert len(tries) == 1


def test_what_is_begun_elsewhere_is_shown_and_own_tabs_are_no_watchers(member: Page, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    for number in range(300):
        paragraphs = [f"Letter {number} of day {day} brought no news." for day in range(20)]
        (folder / f"letter-{number:03}.txt").write_text("\n\n".join(paragraphs))
    sockets: list[str] = []
    other = member.context.new_page()
    other.on("websocket", lambda socket: sockets.append(socket.url))
    other.goto("/")
    expect_signed_in(other)
    with held(folder, "letter-299.txt"):
        create(member, "Letters", folder)
        for page in (other, member):
            open_operations(page)
            expect(card_of(page, "Letters").locator(".counts")).to_contain_text("of 300 files")
            expect(page.locator(".collection").filter(has_text="Letters")).to_be_visible()
        other.close()
        expect(card_of(member, "Letters").locator(".counts")).not_to_contain_text("watching")
        assert len(sockets) == 1
        card_of(member, "Letters").get_by_role("button", name="Cancel").click()
        expect(card_of(member, "Letters")).to_have_attribute("data-status", "cancelled")


def test_refusals_stand_where_the_action_was(page: Page, member: Page, trouble: list[str]) -> None:
    create(page, "Nowhere", Path("/no/such/folder"))
    expect(page.locator("form .error:visible")).to_contain_text("/no/such/folder")
    sign_out(page)
    sign_in(page, "wrong")
    expect(page.locator("form .error:visible")).to_contain_text("password is wrong")
    assert re.findall(r"status of (\d+)", " ".join(trouble)) == ["422", "401"]
    trouble.clear()


def test_an_expired_session_leads_to_the_sign_in_form(member: Page, trouble: list[str]) -> None:
    member.context.clear_cookies()
    member.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the tab is looked at again
    expect(member.get_by_text("Your session has ended. Sign in again.")).to_be_visible()
    # Its socket may still have been on its way.
    expected = ("status of 401", "closed before the connection is established")
    assert trouble and all(any(words in text for words in expected) for text in trouble)
    trouble.clear()


def test_a_busy_server_is_asked_again(member: Page, trouble: list[str]) -> None:
    asked: list[str] = []

    def busy(route: Any) -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            route.continue_()
            return
        problem = {"title": "Service Unavailable", "status": 503, "detail": "A store is away."}
        headers = {"Retry-After": "1", "Content-Type": "application/problem+json"}
        route.fulfill(status=503, headers=headers, body=json.dumps(problem))

    member.route("**/api/v2/collections?*", busy)
    member.reload()
    expect(member.get_by_text("The server is busy; trying again…")).to_be_visible()
    expect(
        member.get_by_label("Search your documents").or_(member.get_by_role("heading", level=1)).first
    ).to_be_visible()
    expect(member.get_by_text("The server is busy")).to_be_hidden()
    assert len(trouble) == 1 and "status of 503" in trouble[0]
    trouble.clear()
