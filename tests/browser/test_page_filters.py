"""The filters of a search in a real Chromium: many collections, folders, dates, recognised text, addresses."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, expect
from support.browser import needs_chromium
from support.page_actions import card_of, create
from support.server import Serving
from support.synthetic_hits import serve_answers
from test_page import page, trouble
from test_page_operations import member

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium

_MAKE = """async (names) => {
    for (const name of names) {
        await fetch("/api/v2/collections", { method: "POST", body: JSON.stringify({ name }) });
    }
}"""


@pytest.fixture
def server(shared: Serving) -> str:
    return shared.url


@pytest.fixture
def archive(member: Page, tmp_path: Path) -> Page:
    folder = tmp_path / "archive"
    for name, year, text in (
        ("2024/gate.md", 2024, "The gate of the lock was painted."),
        ("2025/gate.md", 2025, "The gate of the lock was repaired."),
        ("2025/spring/gate.md", 2025, "The gate of the lock was oiled."),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"---\ndate: {year}-03-01\n---\n\n{text}")
    picture = Image.new("RGB", (900, 200), "white")
    font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 36)
    ImageDraw.Draw(picture).text((30, 60), "The gate of the lock was closed", fill="black", font=font)
    picture.save(folder / "2024" / "gate.png")
    create(member, "Locks", folder)
    expect(card_of(member, "Locks")).to_have_attribute("data-status", "completed")
    return member


def _search(page: Page, query: str) -> None:
    page.get_by_role("searchbox", name="Search your documents").fill(query)
    page.get_by_role("searchbox", name="Search your documents").press("Enter")
    expect(page.locator(".results [role=status]").first).not_to_have_text("Searching…")


def test_folders_dates_and_recognised_text_narrow_the_result_at_once(archive: Page) -> None:
    _search(archive, "gate of the lock")
    hits = archive.locator(".hit")
    expect(hits).to_have_count(4)
    folders = archive.locator("[data-facet=folder]")
    folders.locator("summary").click()
    expect(folders.locator(".values .count")).to_have_text(["2", "2", "1"])
    folders.locator(".values button").nth(1).click()
    expect(hits).to_have_count(2)
    assert "folder=" in archive.url
    expect(archive.locator(".chosen")).to_have_text(["2025×"])
    archive.locator(".chosen button").click()
    expect(hits).to_have_count(4)
    dates = archive.locator("[data-facet=year]")
    dates.locator("summary").click()
    dates.get_by_label("From").fill("2025-01-01")
    dates.get_by_label("From").dispatch_event("change")
    expect(hits.filter(has_text="painted")).to_have_count(0)
    assert "from=2025-01-01" in archive.url
    archive.get_by_role("button", name="Remove the filter From 2025-01-01").click()
    archive.locator("[data-facet=recognised]").click()
    expect(hits).to_have_count(1)
    expect(hits).to_contain_text("gate.png")
    expect(hits.locator(".position")).to_contain_text("recognised text")
    archive.reload()
    expect(hits).to_have_count(1)


def test_filters_alone_list_what_they_let_through(archive: Page) -> None:
    archive.goto("/#/?type=image")
    expect(archive.locator(".hit")).to_have_count(1)
    expect(archive).to_have_title("image · Semantik")


def test_sixty_five_collections_take_one_line_and_another_choice_is_sent_at_once(archive: Page) -> None:
    archive.evaluate(_MAKE, [f"Shelf {number:02}" for number in range(65)])
    archive.reload()
    bodies = serve_answers(archive, lambda _: None)
    _search(archive, "gate of the lock")
    first = archive.locator(".hit").first
    expect(first).to_be_visible()
    box = first.bounding_box()
    assert box is not None and box["y"] < 320
    picker = archive.locator(".picker")
    picker.locator("summary").click()
    picker.get_by_label("Find a collection").press_sequentially("shelf 17")
    with archive.expect_response("**/api/v2/search"):
        picker.get_by_role("checkbox", name="Shelf 17").check()
    expect(archive.locator(".nothing")).to_be_visible()
    assert len(bodies[-1]["collection_ids"]) == 1 and "in=" in archive.url
    expect(picker.locator("summary")).to_have_text("Shelf 17")
    archive.get_by_role("button", name="Search in all collections").click()
    expect(first).to_be_visible()
    expect(picker.locator("summary")).to_have_text("All collections")
    archive.set_viewport_size({"width": 360, "height": 740})
    box = first.bounding_box()
    assert box is not None and box["y"] < 480


def test_a_menu_is_left_with_escape_and_by_a_press_elsewhere(archive: Page) -> None:
    _search(archive, "gate of the lock")
    menu = archive.locator("[data-facet=folder]")
    menu.locator("summary").press("Enter")
    menu.locator("summary").press("ArrowDown")
    expect(menu.locator(".values button").first).to_be_focused()
    archive.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()
    archive.get_by_label("How to search").click()
    expect(archive.locator(".help")).to_contain_text("words side by side")
    archive.locator("header.top").click(position={"x": 4, "y": 4})
    expect(archive.locator(".help")).not_to_have_attribute("open", "")
