"""What a person does on the page, and a folder to do it with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from support.server import SETUP_CODE

NAME, PASSWORD = "ada", "correct horse battery"


def sign_in(page: Page, password: str, name: str = NAME) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def create_first_user(page: Page) -> None:
    """On the page of a new server, whose address the page has as its base."""
    page.goto(f"/#/setup?code={SETUP_CODE}")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create and sign in").click()
    expect_signed_in(page)


# The search page has marked its place in the history, or another page is shown.
_SETTLED = "() => !['', '#/'].includes(location.hash.split('?')[0]) || history.state?.entry !== undefined"


def expect_signed_in(page: Page) -> None:
    """Somebody is signed in, and the page can be sent elsewhere.

    While a page marks its place in the history, Chromium drops an address that comes from outside.
    """
    expect(page.get_by_role("button", name="Account: ")).to_be_visible()
    page.wait_for_function(_SETTLED)


def open_account(page: Page) -> None:
    """Open the account menu."""
    page.get_by_role("button", name="Account: ").click()


def sign_out(page: Page) -> None:
    open_account(page)
    page.get_by_role("button", name="Sign out", exact=True).click()


def open_operations(page: Page) -> None:
    """Open the panel of running operations, unless it is open."""
    if not page.locator("#activity").is_visible():
        page.locator(".indicator").click()


def close_operations(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.locator("#activity")).to_be_hidden()


def create(page: Page, name: str, folder: Path | str) -> None:
    name_field, heading = (
        page.get_by_label("Name", exact=True),
        page.get_by_text("New collection", exact=True),
    )
    expect(name_field.or_(heading).first).to_be_visible()  # open by itself where there is no collection yet
    if not name_field.is_visible() and heading.is_visible():
        heading.click()
    name_field.fill(name)
    page.get_by_label("Folder", exact=True).fill(str(folder))
    page.get_by_role("button", name="Create collection").click()


def card_of(page: Page, name: str) -> Any:
    """The cards of a collection's operations, in the panel; to be clicked or seen it must be open."""
    return page.locator(".operation").filter(has_text=f"“{name}”")


def plant(folder: Path) -> Path:
    """Make the folder, with five small documents, one of them broken."""
    folder.mkdir()
    (folder / "pump.md").write_text(
        "# The plant 🏭\n\nIt stands by the river.\n\n## Pumps\n\nBefore the centrifugal pump is started, it "
        "must be primed: fill the casing with water and open the vent until no more air escapes.\n"
    )
    (folder / "garden.txt").write_text(
        "Tomatoes want sun, and water in the morning, never on their leaves.\n"
    )
    (folder / "library.html").write_text(
        "<html><head><title>Library rules</title></head><body><h1>Library rules</h1>"
        "<p>Books are lent for four weeks, and a late one costs ten cents a day.</p></body></html>"
    )
    (folder / "boiler.eml").write_text(
        "From: Eva <eva@plant.example>\nTo: all@plant.example\nSubject: Boiler\nContent-Type: text/plain\n\n"
        "The boiler is inspected every year in March by the insurance company.\n"
    )
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R")
    return folder
