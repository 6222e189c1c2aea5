"""From a new server to the first hit, in a real Chromium, with everything that the person does counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from support.browser import needs_chromium
from support.page_actions import NAME, PASSWORD, plant
from support.server import SETUP_CODE, Serving
from test_page import page, trouble

__all__ = ["page", "trouble"]

pytestmark = needs_chromium

MOST = 6


class Person:
    """Counts one interaction for each field that is filled, and one for each click."""

    def __init__(self) -> None:
        self.interactions = 0

    def fill(self, field: Locator, text: str) -> None:
        self.interactions += 1
        field.press_sequentially(text)

    def click(self, button: Locator) -> None:
        self.interactions += 1
        button.click()


@pytest.fixture
def server(start: Callable[..., Serving], tmp_path: Path) -> str:
    """A server whose only root has one folder with documents."""
    root = tmp_path / "documents"
    root.mkdir()
    plant(root / "plant")
    return start(env={"SEMANTIK_DOCUMENTS_ROOTS": str(root)}).url


def test_the_first_hit_takes_six_interactions(page: Page, server: str) -> None:
    person = Person()
    page.goto(f"{server}/#/setup?code={SETUP_CODE}")  # as the server prints it
    expect(page.get_by_label("Username")).to_be_focused()
    person.fill(page.get_by_label("Username"), NAME)
    person.fill(page.get_by_label("Password"), PASSWORD)
    person.click(page.get_by_role("button", name="Create and sign in"))
    expect(page.get_by_role("heading", name="What do you want to search?")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value(
        "documents"
    )  # the only root; a folder in it can be chosen
    expect(page.locator(".folders")).to_contain_text("plant")
    person.click(page.get_by_role("button", name="Create collection"))
    field = page.get_by_role("searchbox", name="Search your documents")
    expect(field).to_be_focused()
    expect(page.get_by_text("is being indexed. Search already")).to_be_visible()
    person.fill(field, "centrifugal pump")
    # Nobody searches again: the page does as documents come.
    expect(page.locator(".hit").first).to_contain_text("pump")
    assert person.interactions <= MOST - 1, "one is left for choosing a folder below the root"


def test_a_folder_below_the_root_is_one_more_click(page: Page, server: str) -> None:
    page.goto(f"{server}/#/setup?code={SETUP_CODE}")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create and sign in").click()
    page.get_by_role("button", name="plant", exact=True).click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("plant")
    expect(page.get_by_label("Folder", exact=True)).to_have_value(re.compile("/documents/plant$"))
    page.get_by_role("button", name="Create collection").click()
    page.get_by_role("searchbox", name="Search your documents").fill("centrifugal pump")
    expect(page.locator(".hit").first).to_contain_text("pump")
    expect(page.locator(".hit").first).to_contain_text("plant")
