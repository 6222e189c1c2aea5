"""A collection's table of a hundred thousand documents, in a real Chromium: only what is in sight is in the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from support.archive_page import ROWS, World, make, open_table
from support.beside_browser import run
from support.browser import needs_chromium
from support.page_actions import NAME, PASSWORD, plant
from support.server import serve
from support.synthetic_documents import FAILED_EVERY, fill, name_of, size_of

from semantik.client.api import Client

pytestmark = needs_chromium

COUNT = 100_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("documents")
    serving = serve(root / "data")
    collection = run(make(serving, plant(root / "plant")))
    fill(serving, collection, COUNT)
    yield World(serving, collection)
    serving.stop()


@pytest.fixture
def trouble() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, world: World, trouble: list[str]) -> Iterator[Page]:
    opened = open_table(browser, world, trouble)
    yield opened
    opened.context.close()
    assert trouble == []


def _names(page: Page) -> list[str]:
    expect(page.locator(".grid-waiting")).to_have_count(0)
    names: list[str] = page.locator(f"{ROWS} .file").all_inner_texts()
    return names


def _row(page: Page, place: int) -> Any:
    return page.locator(f".documents [data-place='{place}']")


def test_the_end_is_reached_at_once_and_few_rows_are_in_the_page(page: Page) -> None:
    grid = page.get_by_role("grid")
    expect(page.get_by_text("100,005 documents", exact=True)).to_be_visible()
    expect(grid).to_have_attribute("aria-rowcount", str(COUNT + 6))
    grid.evaluate("node => { node.scrollTop = node.scrollHeight; }")
    last = _row(page, COUNT + 4)
    expect(last).to_contain_text("pump.md")
    grid.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    assert page.locator(ROWS).count() < 40
    assert page.evaluate("document.querySelectorAll('*').length") < 1500
    grid.evaluate("node => { node.scrollTop = node.scrollHeight / 2; }")
    expect(
        page.locator(f"{ROWS} .file").filter(has_text=re.compile(r"report 0500\d\d")).first
    ).to_be_visible()
    names = _names(page)
    assert names == sorted(names)
    lefts = page.evaluate("""() => {
        document.querySelector(".grid-row .cell-state").prepend("12 warnings ");
        const sizes = [...document.querySelectorAll(".grid-head .cell-size, .grid-row .cell-size")];
        return sizes.map((size) => Math.round(size.getBoundingClientRect().left));
    }""")
    assert len(set(lefts)) == 1  # whatever is in a row, its columns stand below their headings


def test_it_is_sorted_both_ways_and_the_address_says_so(page: Page, world: World) -> None:
    by_size = sorted(range(COUNT), key=size_of)
    head = page.locator(".grid-head")
    head.get_by_role("button", name="Size").click()
    expect(_row(page, 0)).to_contain_text(name_of(by_size[-1]))
    expect(head.locator(".cell-size")).to_have_attribute("aria-sort", "descending")
    assert "sort=size" in page.url and "order=descending" in page.url
    head.get_by_role("button", name="Size").click()
    expect(_row(page, 5)).to_contain_text(
        name_of(by_size[0])
    )  # after the five of the folder, which are smaller
    page.get_by_role("grid").evaluate("node => { node.scrollTop = 56 * 60000; }")
    expect(_row(page, 60_005)).to_contain_text(name_of(by_size[60_000]))
    head.get_by_role("button", name="Status").click()
    expect(_row(page, 0).locator(".status")).to_have_text("failed")
    page.reload()
    expect(page.locator(".grid-head .cell-state")).to_have_attribute("aria-sort", "ascending")
    expect(_row(page, 0).locator(".status")).to_have_text("failed")


def test_filters_are_in_the_address_and_reasons_lead_to_them(page: Page, world: World) -> None:
    failed = len(range(5, COUNT, FAILED_EVERY)) + 1  # and one of the folder
    page.get_by_label("Status").select_option("failed")
    expect(page.get_by_text(f"{failed:,} documents in this list")).to_be_visible()
    assert {status.strip() for status in page.locator(f"{ROWS} .status").all_inner_texts()} == {"failed"}
    expect(_row(page, 0).locator(".reason")).to_have_text("The reader took longer than its limit.")
    page.get_by_label("Type").select_option("pdf")
    page.get_by_label("Name", exact=True).fill("REPORT 05")
    expect(
        page.locator(f"{ROWS} .file").filter(has_not_text=re.compile(r"^report 05\d{4}\.pdf$"))
    ).to_have_count(0)
    expect(page.locator(f"{ROWS} .file").filter(has_text="report 05").first).to_be_visible()
    assert all(part in page.url for part in ("status=failed", "type=pdf", "name=REPORT+05"))
    page.reload()
    expect(page.get_by_label("Status")).to_have_value("failed")
    expect(page.get_by_label("Name", exact=True)).to_have_value("REPORT 05")
    expect(page.get_by_label("Type")).to_have_value("pdf")
    page.get_by_role("button", name="Show: took too long").click()
    expect(page.get_by_text(f"{failed - 1:,} documents in this list")).to_be_visible()
    assert "reason=timeout" in page.url and "status" not in page.url
    page.get_by_role("button", name="Without the filter took too long").click()
    expect(page.get_by_text("100,005 documents", exact=True)).to_be_visible()


def test_a_name_is_jumped_to(page: Page) -> None:
    page.get_by_label("Go to").fill("report 077777")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(_row(page, 77_777)).to_contain_text("report 077777")
    expect(_row(page, 77_777)).to_be_in_viewport()
    page.get_by_label("Go to").fill("nothing of this name")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No document of this list has")).to_be_visible()


def test_the_keyboard_alone_reaches_and_selects_everything(page: Page) -> None:
    grid = page.get_by_role("grid")
    grid.focus()
    page.keyboard.press("End")
    expect(_row(page, COUNT + 4)).to_be_in_viewport()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_text("4 documents selected")).to_be_visible()
    expect(page.locator(f"{ROWS}[aria-selected=true]")).to_have_count(4)
    page.keyboard.press("Shift+PageDown")
    expect(page.locator(".selected-count")).to_have_text(re.compile(r"^1\d documents selected$"))
    page.keyboard.press("Control+a")
    expect(page.get_by_text("All 100,005 of this list are selected")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".selection-bar")).to_be_hidden()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/documents/[^/]+$"))


def test_keys_pressed_on_a_row_that_is_still_loaded_act_when_it_is_there(page: Page) -> None:
    held: list[Route] = []
    page.route(re.compile(r"/documents\?.*offset=100000"), lambda route: held.append(route))
    page.get_by_role("grid").focus()
    page.keyboard.press("End")
    expect(_row(page, COUNT + 4).locator(".grid-waiting")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.locator(".selection-bar")).to_be_hidden()
    held.pop().continue_()
    expect(page.get_by_text("1 document selected")).to_be_visible()
    expect(_row(page, COUNT + 4)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    expect(page.locator(".grid-waiting")).to_have_count(0)
    page.get_by_label("Name", exact=True).fill("report")  # another list: its pages are asked for anew
    expect(page.get_by_text("100,000 documents in this list")).to_be_visible()
    page.unroute_all()
    page.route(re.compile(r"/documents\?.*offset=99900"), lambda route: held.append(route))
    page.get_by_role("grid").focus()
    page.keyboard.press("End")
    expect(_row(page, COUNT - 1).locator(".grid-waiting")).to_be_visible()
    page.keyboard.press("Enter")
    assert "/documents/" not in page.url
    held.pop().continue_()
    expect(page).to_have_url(re.compile(r"/documents/[^/]+$"))


def test_a_range_is_selected_by_shift_and_click(page: Page) -> None:
    _row(page, 1).locator("input").click()
    page.get_by_role("grid").evaluate("node => { node.scrollTop = 56 * 400; }")
    _row(page, 402).locator(".cell-size").click(modifiers=["Shift"])
    expect(page.get_by_text("402 documents selected")).to_be_visible()
    _row(page, 402).locator("input").click()
    expect(page.get_by_text("401 documents selected")).to_be_visible()


def test_tags_are_given_to_all_of_a_list(page: Page, world: World) -> None:
    page.get_by_label("Name", exact=True).fill("report 00001")
    expect(page.get_by_text("10 documents in this list")).to_be_visible()
    page.get_by_role("grid").focus()
    page.keyboard.press("Control+a")
    page.get_by_role("button", name="Tag…").click()
    page.get_by_label("Add", exact=True).fill("quarterly, checked")
    page.get_by_role("button", name="Save tags").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    async def tagged() -> list[dict[str, Any]]:
        client = Client(world.serving.url)
        await client.sign_in(NAME, PASSWORD)
        page = await client.call(
            "GET", f"collections/{world.collection}/documents", name="report 0000", limit=50
        )
        return [one for one in page["items"] if one["user_tags"]]

    found = run(tagged())
    assert {one["name"] for one in found} == {name_of(number) for number in range(10, 20)}
    assert all(one["user_tags"] == ["quarterly", "checked"] for one in found)


def test_who_may_only_read_selects_and_changes_nothing(
    browser: Browser, world: World, trouble: list[str]
) -> None:
    page = open_table(browser, world, trouble, "reader")
    expect(page.locator(f"{ROWS} input")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Retry"))).to_have_count(0)
    page.get_by_role("grid").focus()
    page.keyboard.press("Control+a")
    expect(page.locator(".selection-bar")).to_be_hidden()
    page.context.close()
    assert trouble == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_scrolling_sideways(
    browser: Browser, world: World, trouble: list[str], scheme: Any
) -> None:
    page = open_table(browser, world, trouble, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    grid = page.get_by_role("grid")
    grid.evaluate("node => { node.scrollTop = node.scrollHeight; }")
    expect(_row(page, COUNT + 4)).to_contain_text("pump.md")
    assert grid.evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    page.context.close()
    assert trouble == []


def test_more_documents_than_can_be_sorted_are_listed_by_path_as_one_scrolls(page: Page) -> None:
    """Only their number is made up: half a million rows take minutes to make."""

    def larger(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["items"][0]["document_count"] = 600_000
        route.fulfill(response=answer, json=body)

    page.route(re.compile(r"/api/v2/collections\?"), larger)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.get_by_text("More than 500,000 documents")).to_be_visible()
    expect(_row(page, 0)).to_contain_text(name_of(0))
    expect(page.get_by_role("columnheader", name="Size").get_by_role("button")).to_be_disabled()
    expect(page.get_by_label("Go to")).to_be_hidden()
    page.get_by_role("grid").focus()
    for last in (199, 299, 399):
        page.keyboard.press("End")
        shown = page.wait_for_function(  # at least: a page more comes when the end is near
            "last => { const places = [...document.querySelectorAll('.documents [data-place]')]"
            ".filter(row => row.querySelector('.file')).map(row => Number(row.dataset.place));"
            " return Math.max(...places) >= last ? Math.max(...places) : null; }",
            arg=last,
        ).json_value()
        expect(_row(page, shown)).to_contain_text(name_of(shown))
    page.get_by_label("Name", exact=True).fill("report 00001")
    expect(page.locator(ROWS)).to_have_count(10)
    assert not [url for url in asked if "sort=" in url or "/statistics" in url]


def test_statistics_lead_into_the_table(page: Page) -> None:
    page.get_by_text("Statistics", exact=True).click()
    types = page.get_by_role("table", name="Types")
    expect(types.get_by_role("row", name=re.compile("pdf"))).to_contain_text("25,001")
    types.get_by_role("button", name="mail").click()
    expect(page.get_by_text("25,001 documents in this list")).to_be_visible()
    assert "type=mail" in page.url
