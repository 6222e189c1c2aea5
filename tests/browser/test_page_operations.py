"""What is done with a collection's folders in a real Chromium: scans, reindexing, removal, retry, cancelling."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from support.api import PASSWORD
from support.browser import needs_chromium
from support.hold import held
from support.page_actions import card_of, create, expect_signed_in, open_operations
from support.patience import patience
from support.server import ROOT, SETUP_CODE, Serving
from test_page import page, trouble

__all__ = ["page", "trouble"]

pytestmark = needs_chromium

PDF = next((ROOT / "docs" / "samples").rglob("*.pdf"))
FOLLOW = """() => {
    window.bars = [];
    const look = () => {
        const bar = document.querySelector(".operation progress");
        if (bar) window.bars.push([bar.hasAttribute("value") ? bar.value : 0,
                                   document.querySelector(".operation .stage").textContent]);
    };
    new MutationObserver(look).observe(document.querySelector("#activity"),
                                       { subtree: true, childList: true, attributes: true, characterData: true });
}"""


@pytest.fixture
def server(shared: Serving) -> str:
    return shared.url


@pytest.fixture
def member(server: str, page: Page, trouble: list[str], request: pytest.FixtureRequest) -> Page:
    """The page with somebody new signed in."""
    name = f"{request.node.name}@example.com"
    body = json.dumps({"username": name, "password": PASSWORD, "setup_code": SETUP_CODE}).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(
        urllib.request.Request(f"{server}/api/v2/auth/register", body, headers), timeout=patience()
    ).close()
    page.goto("/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect_signed_in(page)
    assert trouble == []
    return page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "harbour"
    folder.mkdir()
    (folder / "tides.txt").write_text("The tide rises twice a day.")
    (folder / "ropes.txt").write_text("A bowline makes a loop that does not slip.")
    return folder


def _opened(page: Page, folder: Path) -> None:
    """A collection of the folder, indexed and looked at."""
    create(page, "Harbour", folder)
    expect(card_of(page, "Harbour")).to_have_attribute("data-status", "completed")
    page.get_by_role("link", name="Harbour", exact=True).click()
    expect(page.get_by_role("heading", name="Harbour", exact=True)).to_be_visible()


def _section(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def _operations(page: Page) -> Locator:
    return _section(page, "Operations").locator(".entry")


def _done(page: Page, title: str) -> Locator:
    """The card of the operation with this title, once it is done."""
    open_operations(page)
    card = page.locator(".operation").filter(has=page.get_by_role("heading", name=title))
    expect(card).to_have_attribute("data-status", "completed")
    return card


def test_a_scan_finds_a_new_file(member: Page, folder: Path) -> None:
    _opened(member, folder)
    (folder / "comet.txt").write_text("A comet's tail points away from the sun.")
    member.get_by_role("button", name=f"Scan again {folder}").click()
    expect(_done(member, "Updating “Harbour”").locator(".counts")).to_contain_text("1 new · 2 unchanged")
    expect(_section(member, "Documents").get_by_role("link", name="comet.txt")).to_be_visible()
    newest = _operations(member).first
    expect(newest).to_contain_text(f"Scan of {folder}")
    expect(newest).to_contain_text("1 new")
    member.get_by_role("button", name="Scan all again").click()
    expect(_operations(member).first).to_contain_text("Scan of the folders")
    expect(_operations(member).first).to_contain_text("nothing new · 3 unchanged")


def test_a_reindex_goes_to_its_end_with_a_bar_that_never_falls(
    member: Page, folder: Path, trouble: list[str]
) -> None:
    for number in range(30):
        (folder / f"log-{number}.txt").write_text(
            "\n\n".join(f"On day {day} ship {number} had fair wind." for day in range(30))
        )
    _opened(member, folder)
    member.get_by_role("button", name="Reindex…").click()
    dialog = member.get_by_role("dialog")
    expect(dialog).to_contain_text("Search stays available")
    dialog.get_by_label("Chunk size").fill("40")
    dialog.get_by_label("Overlap").fill("40")
    dialog.get_by_role("button", name="Reindex").click()
    expect(dialog.get_by_role("alert")).to_have_text("chunk_overlap (40) must be less than chunk_size (40).")
    assert "status of 422" in trouble.pop()
    card_of(member, "Harbour").get_by_text("Close", exact=True).evaluate("button => button.click()")
    member.evaluate(FOLLOW)
    dialog.get_by_label("Overlap").fill("4")
    dialog.get_by_role("button", name="Reindex").click()
    expect(dialog).to_have_count(0)
    expect(_done(member, "Re-indexing “Harbour”").locator(".counts")).to_contain_text("32 documents")
    bars = member.evaluate("window.bars")
    values = [value for value, _ in bars]
    assert values == sorted(values) and values[-1] == 100
    assert any("search stays available" in stage for _, stage in bars)
    expect(member.get_by_text("chunks of up to 40 tokens")).to_be_visible()
    expect(_operations(member).first).to_contain_text("chunks of 40 tokens")


def test_a_folder_is_added_and_removed_after_a_question(member: Page, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "observatory"
    other.mkdir()
    (other / "moon.txt").write_text("The moon turns once a month.")
    _opened(member, folder)
    member.get_by_label("Add a folder").fill(str(other))
    member.get_by_role("button", name="Add folder").click()
    moon = _section(member, "Documents").get_by_role("link", name="moon.txt")
    expect(moon).to_be_visible()
    expect(_operations(member)).to_have_count(2)
    member.get_by_role("button", name=f"Remove… {other}").click()
    dialog = member.get_by_role("dialog")
    expect(dialog).to_contain_text("Its 1 document and their chunks are removed from “Harbour”")
    expect(dialog).to_contain_text("The files in the folder stay as they are")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_have_count(0)
    member.get_by_role("button", name=f"Remove… {other}").click()
    dialog.get_by_role("button", name="Remove folder").click()
    expect(_done(member, "Removing a folder").locator(".counts")).to_contain_text("1 document removed")
    expect(_section(member, "Folders").locator(".source")).to_have_count(1)
    expect(moon).to_have_count(0)
    expect(_operations(member).first).to_contain_text(f"Removal of {other}")
    assert (other / "moon.txt").exists()


def test_a_cancelled_operation_says_what_is_kept(member: Page, folder: Path) -> None:
    for number in range(40):
        (folder / f"log-{number}.txt").write_text(
            "\n\n".join(f"On day {day} ship {number} had fair wind and rain." for day in range(3))
        )
    with held(folder, "log-39.txt"):
        create(member, "Harbour", folder)
        card = card_of(member, "Harbour")
        expect(card).to_have_attribute("data-status", "processing")
        member.get_by_role("link", name="Harbour", exact=True).click()
        member.get_by_role("button", name="Scan all again").click()
        expect(card.nth(1)).to_contain_text("Waiting in line")
        expect(_operations(member).first).to_contain_text("in line")
        open_operations(member)
        card.nth(1).get_by_role("button", name="Cancel").click()
        expect(card.nth(1).locator(".stage")).to_have_text("Operation cancelled before it began")
        card.first.get_by_role("button", name="Cancel").click()
        expect(card.first).to_have_attribute("data-status", "cancelled")
    sentence = card.first.locator(".stage").inner_text()
    assert sentence.startswith("Operation cancelled; what was stored so far is kept: ")
    expect(_operations(member).nth(1)).to_contain_text(sentence)
    expect(_operations(member).first).to_contain_text("Operation cancelled before it began")


def test_what_failed_is_told_on_demand_and_retried(member: Page, folder: Path) -> None:
    for number in range(53):
        (folder / f"scan-{number:02}.pdf").write_bytes(b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog")
    _opened(member, folder)
    operation = _operations(member).first
    operation.get_by_text("53 problems").click()
    expect(operation.get_by_role("listitem")).to_have_count(50)
    operation.get_by_role("button", name="More").click()
    expect(operation.get_by_role("listitem")).to_have_count(53)
    expect(operation.get_by_role("listitem").last).to_contain_text("scan-52.pdf")

    shutil.copy(PDF, folder / "scan-07.pdf")
    member.get_by_role("button", name="Retry scan-07.pdf").click()
    expect(_done(member, "Retrying what failed in “Harbour”").locator(".counts")).to_contain_text("1 file")
    expect(_section(member, "Documents").get_by_role("link", name="scan-07.pdf")).to_be_visible()
    expect(_operations(member).first).to_contain_text("Retry of one document")
    member.get_by_role("button", name="Retry 52 failed").click()
    expect(_operations(member).first).to_contain_text("Retry of all that had failed")
    expect(_operations(member).first).to_contain_text("52 failed")
    expect(_operations(member)).to_have_count(3)


def test_when_a_folder_is_watched_is_kept_and_set_by_keyboard(member: Page, folder: Path) -> None:
    _opened(member, folder)
    member.set_viewport_size({"width": 360, "height": 740})
    watch = member.get_by_role("button", name=f"Watch… {folder}")
    watch.focus()
    member.keyboard.press("Enter")
    dialog = member.get_by_role("dialog")
    expect(dialog.get_by_label("At each change")).to_be_focused()
    assert member.evaluate("document.documentElement.scrollWidth") <= 360
    member.keyboard.press("Space")
    member.keyboard.press("Tab")
    member.keyboard.type("every 6")
    member.keyboard.press("Tab")
    member.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(watch).to_be_focused()
    source = _section(member, "Folders").locator(".source")
    expect(source).to_contain_text("watched: at each change, and every 6 hours")

    member.reload()
    expect(source).to_contain_text("watched: at each change, and every 6 hours")
    watch.click()
    expect(dialog.get_by_label("At each change")).to_be_checked()
    expect(dialog.get_by_label("By the clock")).to_have_value("21600")
    dialog.get_by_label("At each change").uncheck()
    dialog.get_by_label("By the clock").select_option("never")
    dialog.get_by_role("button", name="Save").click()
    expect(source).not_to_contain_text("watched:")


def test_a_collection_created_elsewhere_is_opened_by_its_address(member: Page) -> None:
    other = member.context.new_page()
    other.goto("/")
    create(other, "Elsewhere", "")
    address = other.get_by_role("link", name="Elsewhere", exact=True).get_attribute("href")
    other.close()
    member.evaluate("address => { location.hash = address; }", address)
    expect(member.get_by_role("heading", name="Elsewhere", exact=True)).to_be_visible()
    assert member.title() == "Elsewhere · Semantik"
