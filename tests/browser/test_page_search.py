"""Searching on the page in a real Chromium: documents, reasons, modes, corrections and suggestions."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.archives import write_zip
from support.browser import needs_chromium
from support.page_actions import card_of, create
from support.server import Serving
from test_page import page, trouble
from test_page_operations import member

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium

PARTS = (
    "The harbour crane is greased every fourth week. ",
    "Its brake pads are measured in spring. ",
    "A spare winch motor stands in the shed. ",
)


@pytest.fixture
def server(shared: Serving) -> str:
    return shared.url


@pytest.fixture
def harbour(member: Page, tmp_path: Path) -> Page:
    """A member with a collection: one long document about a crane, a copy of a notice, and something else."""
    folder = tmp_path / "harbour"
    folder.mkdir()
    sections = [f"## Part {number}\n\n{PARTS[number % 3] * 12}\n\n" for number in range(6)]
    (folder / "crane.md").write_text("# Crane manual\n\n" + "".join(sections))
    notice = "The quay Zwartewaal is closed on 14 June because the bollards are painted."
    (folder / "notice.txt").write_text(notice)
    (folder / "notice-copy.txt").write_text(notice)
    (folder / "lunch.txt").write_text("Soup, bread and an apple cost four coins.")
    create(member, "Harbour", folder)
    expect(card_of(member, "Harbour")).to_have_attribute("data-status", "completed")
    return member


def search(page: Page, query: str) -> None:
    page.get_by_role("searchbox").fill(query)
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".results [role=status]")).not_to_have_text("Searching…")


def test_a_document_is_one_result_with_its_further_chunks(harbour: Page) -> None:
    search(harbour, "crane greased fourth week")
    hit = harbour.locator(".hit").filter(has=harbour.locator("h2", has_text="crane.md"))
    expect(hit).to_have_count(1)
    assert {"crane", "greased"} <= {text.lower() for text in hit.locator(".chunk mark").all_inner_texts()}
    expect(hit.locator(".more li").first).to_be_visible()
    hit.locator(".actions-menu > summary").click()
    hit.get_by_role("button", name="Why this hit?").click()
    expect(hit.locator(".why")).to_contain_text("BM25")
    hit.locator(".more a").first.click()
    expect(harbour.locator("#hit")).to_be_visible()
    harbour.get_by_role("link", name="Back to the results").click()
    expect(harbour.locator(".hit").first).to_contain_text("crane.md")


def test_a_copy_is_named_beside_its_original(harbour: Page) -> None:
    search(harbour, "bollards of the quay Zwartewaal")
    hit = harbour.locator(".hit").first
    expect(hit.locator(".chunk")).to_contain_text("14 June")
    expect(hit.locator(".copies a")).to_have_count(1)
    expect(harbour.locator(".hit").filter(has_text="notice")).to_have_count(1)


def test_a_misspelled_word_is_corrected_unless_the_user_wants_it(harbour: Page) -> None:
    search(harbour, "Zwartewal")
    note = harbour.locator(".note").filter(has_text="Searched for")
    expect(note).to_contain_text("zwartewaal", ignore_case=True)
    expect(harbour.locator(".hit").first).to_contain_text("Zwartewaal")
    note.get_by_role("button").click()
    expect(harbour.locator(".note").filter(has_text="Searched for")).to_have_count(0)
    assert "exact=1" in harbour.url


def test_the_mode_is_part_of_the_address(harbour: Page) -> None:
    search(harbour, "winch motor")
    harbour.get_by_label("Search by").select_option("words")
    expect(harbour.locator(".hit")).to_have_count(1)
    assert "mode=words" in harbour.url
    harbour.locator(".actions-menu > summary").click()
    harbour.get_by_role("button", name="Why this hit?").click()
    expect(harbour.locator(".why")).to_contain_text("Found by words")
    expect(harbour.locator(".why")).not_to_contain_text("cosine")
    harbour.reload()
    expect(harbour.get_by_label("Search by")).to_have_value("words")
    expect(harbour.locator(".hit")).to_have_count(1)


def test_suggestions_complete_what_is_typed(harbour: Page) -> None:
    field = harbour.get_by_role("searchbox")
    field.press_sequentially("crane m")
    option = harbour.get_by_role("option", name="Crane manual")
    expect(option).to_be_visible()
    field.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    field.press("Enter")
    expect(field).to_have_value("Crane manual")
    expect(harbour.get_by_role("listbox")).to_be_hidden()
    expect(harbour.locator(".hit").first).to_contain_text("crane.md")
    field.press_sequentially("s")
    field.press("Escape")
    expect(harbour.get_by_role("listbox")).to_be_hidden()


def test_a_document_in_an_archive_is_shown_with_its_name_and_opened(member: Page, tmp_path: Path) -> None:
    write_zip(
        tmp_path / "pots/letters.zip", {"2024/may.txt": "The kiln was fired.", "june.txt": "It cooled."}
    )
    create(member, "Pots", tmp_path / "pots")
    expect(card_of(member, "Pots")).to_have_attribute("data-status", "completed")
    member.get_by_role("searchbox").fill("kiln")
    member.get_by_role("searchbox").press("Enter")
    hit = member.locator(".hit").filter(has_text="kiln was fired")
    expect(hit.locator("h2")).to_have_text("letters.zip#2024/may.txt")
    hit.locator("h2 a").click()
    expect(member.locator("#hit")).to_have_text("The kiln was fired.")
    member.get_by_role("link", name="Semantik").click()
    member.get_by_role("link", name="Pots", exact=True).click()
    expect(member.locator(".documents [data-place]").first).to_contain_text("2 documents inside")
    member.get_by_role("link", name="letters.zip", exact=True).click()
    expect(member.locator(".text")).to_contain_text("This file holds 2 documents")
