"""Two users in a real Chromium: who may only read sees nothing to change, and nothing of the other's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.beside_browser import run
from support.browser import needs_chromium
from support.page_actions import NAME, PASSWORD, card_of, create, expect_signed_in, sign_in
from support.patience import patience
from test_page import member, page, server, trouble

from semantik.client.api import Client

__all__ = ["member", "page", "server", "trouble"]

pytestmark = needs_chromium

_numbers = itertools.count(1)
_CHANGING = [
    *(
        "Reindex…",
        "Rename…",
        "Delete this collection…",
        "Add folder",
        "Choose files…",
        "Scan again",
        "Watch…",
    ),
    *("Options…", "Remove…", "Scan all again", "Add another source…", "Retry"),
]


@pytest.fixture
def collection(member: Page, server: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of a collection, and the name of a user who may read it."""
    (tmp_path / "minutes").mkdir()
    (tmp_path / "minutes" / "board.md").write_text("# Minutes\n\nThe board meets in March.")
    (tmp_path / "minutes" / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    number = next(_numbers)
    name = f"Minutes {number}"
    create(member, name, tmp_path / "minutes")
    expect(card_of(member, name)).to_have_attribute("data-status", "completed")
    member.get_by_role("link", name=name, exact=True).click()
    expect(member.locator(".grid-row a")).to_be_visible()
    path = member.url.partition("#/")[2]

    async def share() -> None:
        client = Client(server)
        await client.sign_in(NAME, PASSWORD)
        await client.call("POST", "users", {"username": f"reader{number}", "password": PASSWORD})
        await client.call("PUT", f"{path}/shares", {"user": f"reader{number}", "level": "read"})

    run(share())
    yield f"/#/{path}", f"reader{number}"


@pytest.fixture
def reader(collection: tuple[str, str], server: str, browser: Browser, trouble: list[str]) -> Iterator[Page]:
    context = browser.new_context(base_url=server, viewport={"width": 1100, "height": 800})
    context.set_default_timeout(patience() * 1000)
    opened = context.new_page()
    opened.on("console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.goto("/")
    sign_in(opened, PASSWORD, collection[1])
    expect_signed_in(opened)
    trouble.clear()  # Chromium's line for the 401 before the sign-in
    yield opened
    context.close()


def test_who_may_only_read_finds_everything_and_nothing_to_change(
    member: Page, reader: Page, collection: tuple[str, str]
) -> None:
    address = collection[0]
    reader.goto(address)
    expect(reader.locator(".grid-row a")).to_be_visible()
    expect(reader.locator(".source")).to_be_visible()
    expect(reader.locator("#operations-heading")).to_be_visible()
    expect(
        member.get_by_role("button", name="Rename…")
    ).to_be_visible()  # the owner has what is looked for here
    for name in _CHANGING:
        expect(reader.get_by_role("button", name=name)).to_have_count(0)
    expect(reader.get_by_role("link", name="Sharing")).to_have_count(0)
    expect(reader.locator(".documents input[type=checkbox]")).to_have_count(0)
    reader.goto(f"{address}/sharing")
    expect(reader.get_by_role("heading", name="Sharing")).to_be_visible()
    expect(reader.get_by_text("Only who owns or manages a collection can share it.")).to_be_visible()
    expect(reader.locator("main").get_by_role("button")).to_have_count(0)
    reader.goto(address)
    reader.locator(".grid-row a").click()
    expect(reader.locator(".text")).to_contain_text("The board meets in March.")
    expect(reader.get_by_label("Add a tag")).to_be_hidden()
    member.locator(".grid-row a").click()
    expect(member.get_by_label("Add a tag")).to_be_visible()


def test_pages_of_administrators_say_so_to_others(reader: Page) -> None:
    for name, title in (("people", "Users and groups"), ("audit", "Audit trail"), ("system", "System")):
        reader.goto(f"/#/{name}")
        expect(reader.get_by_role("heading", name=title)).to_be_visible()
        expect(reader.get_by_text("This page is for administrators.")).to_be_visible()


def test_alerts_and_api_keys_of_one_user_are_not_those_of_another(member: Page, reader: Page) -> None:
    member.goto("/#/alerts?q=board+meets")
    member.get_by_role("button", name="Save search").click()
    expect(member.get_by_role("listitem").filter(has_text="board meets")).to_be_visible()
    member.goto("/#/api-keys")
    expect(member.get_by_role("heading", name="API keys")).to_be_visible()
    member.get_by_label("Name", exact=True).fill("Nightly report")
    member.get_by_role("button", name="Create key").click()
    expect(member.get_by_role("listitem").filter(has_text="Nightly report")).to_be_visible()
    reader.goto("/#/alerts")
    expect(reader.get_by_text("No saved searches yet.")).to_be_visible()
    expect(reader.get_by_text("board meets")).to_have_count(0)
    reader.goto("/#/api-keys")
    expect(reader.get_by_text("No keys yet.")).to_be_visible()
    expect(reader.get_by_text("Nightly report")).to_have_count(0)
