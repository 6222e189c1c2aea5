"""Facets beside the results, another order, and the tags of a document, on the page in a real Chromium."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.browser import needs_chromium
from support.page_actions import card_of, create
from support.server import Serving
from test_page import page, trouble
from test_page_operations import member

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium
_SHOTS = os.environ.get("SEMANTIK_TEST_SHOTS")  # a folder for pictures, to look at


@pytest.fixture
def server(shared: Serving) -> str:
    return shared.url


@pytest.fixture
def letters(member: Page, tmp_path: Path) -> Page:
    folder = tmp_path / "letters"
    folder.mkdir()
    for name, author, tags, year in (
        ("boiler", "Ann Lee", "heating, gas", 2024),
        ("pump", "Ann Lee", "heating", 2025),
        ("roof", "Bo Ek", "rain", 2025),
    ):
        text = f"The {name} of the house is inspected in spring."
        front = f"---\nauthor: {author}\ntags: [{tags}]\ndate: {year}-03-01\n---\n\n"
        (folder / f"{name}.md").write_text(f"{front}# A letter about the {name}\n\n{text}")
    create(member, "Letters", folder)
    expect(card_of(member, "Letters")).to_have_attribute("data-status", "completed")
    return member


def _search(page: Page, query: str) -> None:
    page.get_by_role("searchbox").fill(query)
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".results [role=status]")).not_to_have_text("Searching…")


def _names(page: Page) -> list[str]:
    return [text.split()[-1] for text in page.locator(".hit h2").all_inner_texts()]


def _picture(page: Page, name: str) -> None:
    if _SHOTS:
        page.screenshot(path=f"{_SHOTS}/{name}.png", full_page=True)


def _choose(page: Page, facet: str, value: str) -> None:
    menu = page.locator(f"[data-facet={facet}]")
    menu.locator("summary").click()
    menu.get_by_role("button", name=value).click()


def test_facets_narrow_the_result_and_widen_it_again(letters: Page) -> None:
    _search(letters, "house inspected in spring")
    facet = letters.locator("[data-facet=author]")
    facet.locator("summary").click()
    ann = facet.get_by_role("button", name="Ann Lee")
    expect(ann.locator(".count")).to_have_text("2")
    _picture(letters, "facets")
    ann.click()
    expect(letters.locator(".hit")).to_have_count(2)
    expect(letters.get_by_role("searchbox").first).to_have_value("house inspected in spring")
    assert "author=Ann+Lee" in letters.url
    chips = letters.get_by_role("list", name="Chosen filters").locator(".chosen")
    expect(chips).to_have_text(["Ann Lee×"])
    expect(letters.locator(".filter-menus.stale")).to_have_count(0)
    assert letters.evaluate(
        "document.activeElement.closest('.filters-row') !== null"
    )  # the focus is not lost
    _choose(letters, "tag", "gas")
    expect(letters.locator(".hit")).to_have_count(1)
    letters.reload()
    expect(letters.locator(".hit")).to_have_count(1)
    expect(chips).to_have_count(2)
    letters.get_by_role("button", name="Remove the filter gas").click()
    expect(letters.locator(".hit")).to_have_count(2)
    assert letters.evaluate("document.activeElement.closest('.filters-row') !== null")
    letters.get_by_role("button", name="Remove the filter Ann Lee").click()
    expect(letters.locator(".hit")).to_have_count(3)
    expect(chips).to_have_count(0)
    letters.go_back()
    expect(letters.locator(".hit")).to_have_count(2)
    expect(chips).to_have_text(["Ann Lee×"])


def test_results_are_sorted(letters: Page) -> None:
    _search(letters, "type:markdown")
    letters.get_by_label("Sort by").select_option("Author")
    expect(letters.locator(".hit h2").last).to_contain_text("roof.md")
    assert _names(letters) == ["boiler.md", "pump.md", "roof.md"]
    letters.get_by_label("Sort by").select_option("Newest first")
    expect(letters.locator(".hit h2").last).to_contain_text("boiler.md")
    assert "sort=-date" in letters.url
    letters.reload()
    expect(letters.locator(".hit h2").last).to_contain_text("boiler.md")


def test_tags_are_given_and_taken_in_the_document(letters: Page, trouble: list[str]) -> None:
    _search(letters, "roof")
    letters.locator(".hit").filter(has_text="roof.md").locator("h2 a").click()
    tags = letters.locator(".tags")
    expect(tags).to_contain_text("rain")
    letters.get_by_label("Add a tag").fill("to check")
    letters.get_by_label("Add a tag").press("Enter")
    remove = letters.get_by_role("button", name="Remove the tag to check")
    expect(remove).to_be_visible()
    _picture(letters, "tags")
    tags.get_by_role("link", name="to check").click()
    expect(letters.locator(".hit")).to_have_count(1)
    letters.go_back()
    remove.click()
    expect(remove).to_have_count(0)
    expect(tags).not_to_contain_text("to check")
    letters.get_by_label("Add a tag").fill("*")
    letters.get_by_label("Add a tag").press("Enter")
    expect(letters.get_by_role("alert").filter(has_text="Each tag must have")).to_be_visible()
    assert len(trouble) == 1 and "status of 422" in trouble.pop()


def test_a_narrow_dark_page_has_its_filters_and_nothing_overflows(letters: Page) -> None:
    letters.set_viewport_size({"width": 360, "height": 740})
    letters.emulate_media(color_scheme="dark")
    _search(letters, "house")
    tags = letters.locator("[data-facet=tag]")
    expect(tags).to_be_visible()
    expect(tags.get_by_role("button", name="heating")).to_be_hidden()
    tags.locator("summary").click()
    expect(tags.get_by_role("button", name="heating")).to_be_in_viewport()
    _picture(letters, "narrow")
    assert letters.evaluate("document.documentElement.scrollWidth") <= 360
