"""Searching while typing, in a real Chromium: order of answers, dimming, keys, former searches, and the way back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from support.browser import needs_chromium
from support.page_actions import card_of, create
from support.server import Serving
from support.synthetic_hits import answer, hit, serve_answers
from test_page import page, trouble
from test_page_operations import member

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium


@pytest.fixture
def server(shared: Serving) -> str:
    return shared.url


@pytest.fixture
def plant(member: Page, tmp_path: Path) -> Page:
    """A member with a collection of twelve documents about pumps."""
    folder = tmp_path / "plant"
    folder.mkdir()
    for number in range(12):
        (folder / f"pump-{number:02}.md").write_text(
            f"# Pump {number}\n\nPump number {number} is greased in week {number}.\n"
        )
    create(member, "Plant", folder)
    expect(card_of(member, "Plant")).to_have_attribute("data-status", "completed")
    return member


def _field(page: Page) -> Any:
    return page.get_by_role("searchbox", name="Search your documents")


def _is_count(body: dict[str, Any]) -> bool:
    return bool(body.get("facets"))


def test_results_come_while_typing_and_never_out_of_order(plant: Page) -> None:
    held: list[Route] = []

    def answers(route: Route) -> None:
        body = json.loads(route.request.post_data or "{}")
        if body["query"] == "pump" and not _is_count(body):
            held.append(route)  # the older question stays unanswered until the newer one is
            return
        made = answer([hit(1, f"About {body['query']}.")])
        route.fulfill(status=200, content_type="application/json", body=json.dumps(made))

    plant.route("**/api/v2/search", answers)
    _field(plant).press_sequentially("oil")
    expect(plant.locator(".hit")).to_have_text(re.compile("About oil"))
    expect(plant.locator(".results.stale")).to_have_count(0)
    with plant.expect_request(lambda request: '"query":"pump"' in (request.post_data or "")):
        _field(plant).fill("pump")
    expect(plant.locator(".results.stale")).to_be_visible()
    expect(plant.locator(".hits")).to_have_attribute("aria-busy", "true")
    expect(plant.locator(".hit")).to_have_text(re.compile("About oil"))  # the older answer stays, dimmed
    assert plant.evaluate("getComputedStyle(document.querySelector('.hits')).opacity") < "1"
    _field(plant).fill("pumps and valves")
    expect(plant.locator(".hit")).to_have_text(re.compile("About pumps and valves"))
    for route in held:
        made = answer([hit(1, "About pump, too late.")])
        route.fulfill(status=200, content_type="application/json", body=json.dumps(made))
    _field(plant).press("Enter")
    expect(plant.locator(".results [role=status]")).to_contain_text("1 document")
    expect(plant.locator(".hit")).to_have_text(re.compile("About pumps and valves"))
    assert plant.title() == "pumps and valves · Semantik"
    assert "q=pumps+and+valves" in plant.url


def test_typing_is_one_entry_of_the_history_and_sends_one_question_after_a_pause(plant: Page) -> None:
    bodies = serve_answers(plant, lambda body: answer([hit(1, f"About {body['query']}.")]))
    before = plant.evaluate("history.length")
    _field(plant).press_sequentially("greased pump")  # quicker than the pause
    expect(plant.locator(".hit")).to_have_text(re.compile("About greased pump"))
    assert [body["query"] for body in bodies if not _is_count(body)][-1] == "greased pump"
    _field(plant).press_sequentially(" in week")
    expect(plant.locator(".hit")).to_have_text(re.compile("in week"))
    assert plant.evaluate("history.length") == before + 1
    plant.go_back()
    expect(plant.locator(".front")).to_be_visible()
    expect(_field(plant)).to_have_value("")
    assert plant.title() == "Semantik"


def test_everything_is_done_with_the_keyboard(plant: Page) -> None:
    plant.reload()
    expect(_field(plant)).to_be_focused()
    plant.keyboard.type("pump number", delay=5)
    expect(plant.locator(".hit")).to_have_count(10)
    plant.keyboard.press("Enter")
    expect(plant.get_by_role("listbox")).to_be_hidden()
    plant.keyboard.press("ArrowDown")
    links = plant.locator(".hit h2 a")
    expect(links.first).to_be_focused()
    plant.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    plant.keyboard.press("ArrowDown")
    expect(links.nth(2)).to_be_focused()
    plant.keyboard.press("k")
    plant.keyboard.press("ArrowUp")
    expect(links.first).to_be_focused()
    plant.keyboard.press("ArrowUp")
    expect(_field(plant)).to_be_focused()
    plant.keyboard.press("ArrowDown")
    plant.keyboard.press("/")
    expect(_field(plant)).to_be_focused()
    assert plant.evaluate("getSelection().toString()") == "pump number"
    plant.keyboard.press("ArrowDown")
    plant.keyboard.press("Escape")
    expect(_field(plant)).to_be_focused()
    plant.keyboard.press("ArrowDown")
    name = links.first.inner_text()
    plant.keyboard.press("Enter")
    expect(plant.locator("#hit")).to_be_focused()
    expect(plant.locator("h1")).to_contain_text(name.split()[0])
    plant.keyboard.press("Control+k")
    expect(_field(plant)).to_be_focused()
    expect(_field(plant)).to_have_value("pump number")
    plant.keyboard.press("Escape")
    expect(_field(plant)).to_have_value("")
    expect(plant.locator(".front")).to_be_visible()


def test_the_way_back_keeps_place_and_further_results_without_asking(plant: Page) -> None:
    plant.set_viewport_size({"width": 1100, "height": 500})
    bodies = serve_answers(plant, lambda _: None)
    _field(plant).fill("pump number")
    _field(plant).press("Enter")
    expect(plant.locator(".hit")).to_have_count(10)
    plant.get_by_role("button", name="More results").click()
    expect(plant.locator(".hit")).to_have_count(12)
    expect(plant.get_by_role("status").filter(has_text="12 documents")).to_be_visible()
    last = plant.locator(".hit h2 a").last
    last.scroll_into_view_if_needed()
    place = plant.evaluate("window.scrollY")
    assert place > 0
    last.click()
    expect(plant.locator("#hit")).to_be_visible()
    asked = len([body for body in bodies if body.get("group_by")])
    plant.go_back()
    expect(plant.locator(".hit")).to_have_count(12)
    expect(last).to_be_focused()
    assert abs(plant.evaluate("window.scrollY") - place) <= 2
    assert len([body for body in bodies if body.get("group_by")]) == asked
    plant.go_forward()
    expect(plant.locator("#hit")).to_be_visible()
    plant.get_by_role("link", name="Back to the results").click()
    expect(plant.locator(".hit")).to_have_count(10)


def test_former_searches_are_offered_and_cleared(plant: Page) -> None:
    for query in ("grease of pumps", "weekly round"):
        _field(plant).fill(query)
        _field(plant).press("Enter")
        expect(plant).to_have_title(f"{query} · Semantik")
    _field(plant).fill("")
    recent = plant.get_by_role("region", name="Recent searches")
    expect(recent.get_by_role("link")).to_have_text(["weekly round", "grease of pumps"])
    _field(plant).press_sequentially("grea")
    expect(plant.get_by_role("option", name="grease of pumps")).to_contain_text("searched before")
    _field(plant).fill("")
    recent.get_by_role("link", name="weekly round").click()
    expect(_field(plant)).to_have_value("weekly round")
    plant.get_by_role("link", name="Semantik").click()
    recent.get_by_role("button", name="Clear").click()
    expect(recent).to_be_hidden()
    assert plant.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("documents", [0, 1, 10_000])
def test_any_number_of_hits(plant: Page, documents: int) -> None:
    def made(body: dict[str, Any]) -> dict[str, Any]:
        offset = body.get("offset", 0)
        return answer(
            [hit(number) for number in range(offset, min(documents, offset + body["k"]))], documents
        )

    serve_answers(plant, made)
    _field(plant).fill("pump")
    _field(plant).press("Enter")
    expect(plant.locator(".hit")).to_have_count(min(10, documents))
    summary = plant.locator(".results > [role=status]")
    if documents == 0:
        expect(plant.locator(".nothing")).to_contain_text("Nothing was found for “pump”.")
        expect(plant.get_by_role("button", name="More results")).to_be_hidden()
    elif documents == 1:
        expect(summary).to_have_text(re.compile(r"^1 document, in \d+ ms$"))
        expect(plant.get_by_role("button", name="More results")).to_be_hidden()
    else:
        expect(summary).to_have_text(re.compile(r"^10 documents of 10,000, in \d+ ms$"))
        for pages in range(2, 6):
            plant.get_by_role("button", name="More results").click()
            expect(plant.locator(".hit")).to_have_count(10 * pages)
        expect(summary).to_have_text(re.compile(r"^50 documents of 10,000, in \d+ ms$"))


def test_nonsense_is_said_to_fit_nothing_and_no_result_offers_ways_on(plant: Page) -> None:
    weak = hit(1, relevance="weak")
    bodies = serve_answers(plant, lambda body: answer([weak] if "qzx" in body["query"] else []))
    _field(plant).fill("qzx")
    expect(plant.locator(".note").filter(has_text="Nothing fits this well.")).to_be_visible()
    expect(plant.locator(".hit .relevance")).to_have_text("Weak match")
    plant.goto("/#/?q=pump&type=pdf&mode=words")
    expect(plant.locator(".nothing")).to_be_visible()
    plant.get_by_role("button", name="Search without the filters").click()
    expect(plant.get_by_role("button", name="Search without the filters")).to_have_count(0)
    assert bodies[-1]["query"] == "pump" and "type" not in plant.url
    plant.get_by_role("button", name="Search by meaning, too").click()
    expect(plant.get_by_label("Search by")).to_have_value("hybrid")
    assert "mode" not in plant.url


def test_a_failed_search_shows_no_older_answer(plant: Page, trouble: list[str]) -> None:
    _field(plant).fill("pump number")
    expect(plant.locator(".hit")).to_have_count(10)
    problem = json.dumps({"title": "Conflict", "status": 409, "detail": "The collection is being deleted."})
    plant.route(
        "**/api/v2/search",
        lambda route: route.fulfill(status=409, body=problem, content_type="application/problem+json"),
    )
    _field(plant).fill("another")
    expect(plant.get_by_role("alert").filter(has_text="The collection is being deleted.")).to_be_visible()
    expect(plant.locator(".hit")).to_have_count(0)
    assert all("status of 409" in text for text in trouble)
    trouble.clear()
