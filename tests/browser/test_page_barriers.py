"""The search and document pages without barriers, with hard names, dark, narrow and over a slow line."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.axe import barriers, needs_web_packages
from support.browser import needs_chromium
from support.page_actions import card_of, create
from support.pdf_files import pdf, text
from support.server import Serving
from test_page import page, trouble
from test_page_operations import member

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium

LONG = ("a long name of a manual " * 10)[:237] + ".md"
ARABIC = "تقرير المضخة.txt"


@pytest.fixture
def server(shared: Serving) -> str:
    return shared.url


@pytest.fixture
def names(member: Page, tmp_path: Path) -> Page:
    folder = tmp_path / "names"
    folder.mkdir()
    table = "\n\n## Stock\n\n| Part | Stock |\n|---|---|\n| Impeller | 2 |\n"
    table += "\n- one\n- two\n\n> said\n\n```\ncode\n```\n"
    (folder / LONG).write_text(f"# Impeller\n\nThe impeller of the pump is made of **bronze**.{table}")
    (folder / ARABIC).write_text("مروحة المضخة impeller مصنوعة من البرونز.")
    (folder / "impeller.pdf").write_bytes(
        pdf([text(72, 700, "The impeller of the pump is balanced every year.")])
    )
    create(member, "Names", folder)
    expect(card_of(member, "Names")).to_have_attribute("data-status", "completed")
    return member


def _search(page: Page) -> None:
    page.get_by_role("searchbox", name="Search your documents").fill("impeller of the pump")
    page.get_by_role("searchbox", name="Search your documents").press("Enter")
    expect(page.locator(".hit")).to_have_count(3)
    expect(page.locator(".results > [role=status]")).to_contain_text("3 documents, in")


@needs_web_packages
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier(names: Page, scheme: str) -> None:
    names.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    names.reload()
    expect(names.locator(".front")).to_be_visible()
    assert barriers(names) == []
    _search(names)
    assert barriers(names) == []
    hit = names.locator(".hit").filter(has_text="a long name").first
    hit.locator(".actions-menu > summary").click()
    assert barriers(names) == []
    hit.get_by_role("button", name="Why this hit?").click()
    names.locator(".help summary").click()
    assert barriers(names) == []
    names.keyboard.press("Escape")
    hit.locator("h2 a").click()
    expect(names.locator("#hit")).to_be_visible()
    assert barriers(names) == []
    names.go_back()
    names.locator(".hit").filter(has_text="impeller.pdf").locator("h2 a").click()
    expect(names.locator("mark.pdf-hit").first).to_be_visible()
    assert barriers(names) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_hard_names_keep_their_lines(names: Page, width: int) -> None:
    names.set_viewport_size({"width": width, "height": 800})
    _search(names)
    heading = names.locator(".hit h2").filter(has_text="a long name")
    lines = heading.evaluate(
        "(node) => node.getBoundingClientRect().height / parseFloat(getComputedStyle(node).lineHeight)"
    )
    assert lines <= 2.05
    arabic = names.locator(".hit").filter(has_text="تقرير")
    assert arabic.locator("h2").evaluate("(node) => getComputedStyle(node).direction") == "rtl"
    assert names.evaluate("document.documentElement.scrollWidth") <= width
    names.locator(".hit").filter(has_text="a long name").locator("h2 a").click()
    expect(names.locator("#hit")).to_be_visible()
    assert names.evaluate("document.documentElement.scrollWidth") <= width
    names.evaluate("window.scrollTo(0, 0)")
    bar, text = names.locator(".document-bar").bounding_box(), names.locator(".panes").bounding_box()
    assert bar and text and bar["y"] + bar["height"] <= text["y"]  # it covers nothing


def test_borders_of_fields_are_seen(names: Page) -> None:
    contrast = """(node) => {
        const light = (color) => color.match(/[\\d.]+/g).slice(0, 3).map((value) => {
            const part = value / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        }).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
        const style = getComputedStyle(node);
        const [a, b] = [light(style.borderTopColor), light(style.backgroundColor)].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05);
    }"""
    for scheme in ("light", "dark"):
        names.emulate_media(color_scheme=scheme)
        field = names.get_by_role("searchbox", name="Search your documents")
        field.evaluate("(node) => node.blur()")
        assert field.evaluate(contrast) >= 3, scheme


def test_a_slow_line_shows_that_it_searches_and_then_the_hits(names: Page) -> None:
    session = names.context.new_cdp_session(names)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000,
    })  # fmt: skip
    field = names.get_by_role("searchbox", name="Search your documents")
    field.press_sequentially("impeller")
    expect(names.locator(".results > [role=status]")).to_have_text("Searching…")
    field.press_sequentially(" of the pump")
    expect(names.locator(".hit")).to_have_count(3)
    expect(names.locator(".results.stale")).to_have_count(0)
    expect(names.locator(".hit mark").filter(has_text="pump").first).to_be_visible()
    session.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
    })  # fmt: skip
