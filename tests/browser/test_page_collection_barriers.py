"""The pages of collections and alerts without barriers, in light and dark, wide and narrow."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.axe import barriers, needs_web_packages
from support.browser import needs_chromium
from support.page_actions import card_of, create, plant
from support.server import Serving
from test_page import page, trouble
from test_page_operations import member

__all__ = ["member", "page", "trouble"]

pytestmark = [needs_chromium, needs_web_packages]


@pytest.fixture
def server(shared: Serving) -> str:
    return shared.url


def _expect_none(page: Page) -> None:
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_no_page_of_collections_has_a_barrier(member: Page, tmp_path: Path, scheme: str, width: int) -> None:
    folder = plant(tmp_path / "plant")
    member.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    member.set_viewport_size({"width": width, "height": 800})
    name = f"Plant {scheme}"
    create(member, name, folder)
    expect(card_of(member, name)).to_have_attribute("data-status", "completed")
    member.goto("/#/collections")
    member.get_by_role("link", name=name, exact=True).click(trial=True)
    _expect_none(member)
    member.get_by_role("link", name=name, exact=True).click()
    expect(member.locator(".grid-row a").first).to_be_visible()
    member.locator(".statistics > summary").click()
    expect(member.locator(".bar-chart").first).to_be_visible()
    _expect_none(member)
    address = member.url
    member.goto(f"{address}/sharing")
    expect(member.get_by_text("It is shared with nobody.")).to_be_visible()
    _expect_none(member)
    member.goto(address)
    member.locator(".grid-row a").filter(has_text="library.html").click()
    if width < 1000:
        member.get_by_role("button", name="Original").click()
    expect(member.frame_locator("iframe").get_by_text("Books are lent for four weeks")).to_be_visible()
    _expect_none(member)
    member.goto("/#/collections/new")
    member.get_by_label("Folder", exact=True).fill(str(tmp_path))
    member.get_by_role("button", name="Browse…").click()
    expect(member.get_by_role("button", name="plant", exact=True)).to_be_visible()
    expect(member.locator(".preview .tag").first).to_be_visible()
    _expect_none(member)
    member.goto("/#/alerts")
    expect(member.get_by_text("No saved searches yet.")).to_be_visible()
    _expect_none(member)
