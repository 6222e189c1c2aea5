"""The page of collections in a real Chromium: hundreds of them, creating one by clicking through folders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from support.beside_browser import run
from support.browser import needs_chromium
from support.page_actions import NAME, PASSWORD, create, plant, sign_in
from support.server import Serving, serve
from test_page import member, page, trouble

from semantik.client.api import Client

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium
LONG = "ا" + "very-long-name-without-any-space-" * 7  # 232 characters, begun from the right


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    serving = serve(tmp_path_factory.mktemp("collections") / "data", "--rate-limits-write-per-s", "10000")
    yield serving
    serving.stop()


@pytest.fixture(scope="module")
def server(serving: Serving) -> str:
    return serving.url


async def _signed_in(serving: Serving) -> Client:
    client = Client(serving.url)
    await client.sign_in(NAME, PASSWORD)
    return client


async def _make(serving: Serving, names: list[str]) -> list[str]:
    client = await _signed_in(serving)
    return [(await client.call("POST", "collections", {"name": name}))["id"] for name in names]


async def _remove_all(serving: Serving) -> None:
    client = await _signed_in(serving)
    for each in (await client.call("GET", "collections", limit=500))["items"]:
        await client.call("DELETE", f"collections/{each['id']}")


@pytest.fixture
def collections(member: Page, serving: Serving) -> Iterator[Page]:
    """The page of collections, of which there are none."""
    run(_remove_all(serving))
    member.goto("/#/collections")
    member.reload()
    expect(member.get_by_role("heading", name="Collections", level=1)).to_be_visible()
    yield member


def _shown(page: Page) -> list[str]:
    names: list[str] = page.locator(".collection h2").all_inner_texts()
    return names


@pytest.mark.parametrize("count", [65, 300])
def test_many_collections_are_found_and_sorted(collections: Page, serving: Serving, count: int) -> None:
    run(_make(serving, [f"Project {number:03}" for number in range(count)]))
    collections.reload()
    expect(collections.locator(".collection")).to_have_count(count)
    assert _shown(collections)[:2] == ["Project 000", "Project 001"]
    collections.get_by_label("Find a collection").fill("t 04")
    expect(collections.locator(".collection")).to_have_count(10)
    collections.get_by_label("Find a collection").fill("no such name")
    expect(collections.get_by_text("No collection matches this.")).to_be_visible()
    collections.get_by_label("Find a collection").fill("")
    collections.get_by_label("Sorted by").select_option("changed")
    expect(collections.locator(".collection h2").first).to_have_text(f"Project {count - 1:03}")
    # The names alone can be walked through, and the first is near the top.
    assert collections.locator(".collection").first.bounding_box()["y"] < 330  # type: ignore[index]


def test_a_collection_is_made_by_clicking_through_folders(
    collections: Page, serving: Serving, tmp_path: Path
) -> None:
    folder = plant(tmp_path / "plant")
    (tmp_path / "plant" / "annex").mkdir()
    (tmp_path / "plant" / "annex" / "valve.txt").write_text("The valve is closed by hand.")
    collections.get_by_role("link", name="New collection").click()
    expect(collections.get_by_role("heading", name="New collection")).to_be_visible()
    collections.get_by_label("Name", exact=True).fill("Annex")
    collections.get_by_label("Folder", exact=True).fill(str(folder))
    collections.get_by_label("Folder", exact=True).press("Tab")
    status = collections.locator(".preview")
    expect(status).to_contain_text("6 files")
    expect(status).to_contain_text(".md 1")
    collections.get_by_role("button", name="Browse…").click()
    browser = collections.get_by_role("group", name="Folders of the server")
    expect(browser.get_by_role("button", name="annex")).to_be_focused()
    collections.keyboard.press("Enter")
    expect(browser.get_by_text("no folders · 1 file directly here, 28 bytes")).to_be_visible()
    expect(status).to_contain_text("1 file, 28 bytes")
    browser.get_by_role("button", name="plant", exact=True).click()  # a step of the path
    expect(browser.get_by_role("button", name="annex")).to_be_focused()
    browser.get_by_role("button", name="annex").click()
    browser.get_by_role("button", name="Use this folder").click()
    expect(collections.get_by_label("Folder", exact=True)).to_have_value(str(folder / "annex"))
    collections.get_by_label("Watch the folder").check()
    collections.get_by_role("button", name="Create collection").click()
    expect(collections.get_by_role("heading", name="Annex")).to_be_visible()
    expect(collections.locator(".documents [data-place]")).to_contain_text("valve.txt")
    expect(collections.locator(".source")).to_contain_text("watched")
    collections.get_by_role("link", name="← Collections").click()
    expect(collections.locator(".collection")).to_contain_text("watched")


def test_a_folder_that_may_not_be_read_says_why(collections: Page, trouble: list[str]) -> None:
    collections.get_by_role("link", name="New collection").click()
    collections.get_by_label("Folder", exact=True).fill("/proc")
    collections.get_by_label("Folder", exact=True).press("Tab")
    expect(collections.locator(".preview")).to_contain_text("never read")
    assert trouble == []


def test_a_collection_is_renamed_and_others_see_whose_it_is(
    collections: Page, serving: Serving, browser: Browser
) -> None:
    [made] = run(_make(serving, ["Old name"]))

    async def share() -> None:
        client = await _signed_in(serving)
        await client.call("POST", "users", {"username": "eve", "password": PASSWORD})
        await client.call("PUT", f"collections/{made}/shares", {"user": "eve", "level": "read"})

    run(share())
    collections.reload()
    collections.get_by_role("button", name="Rename… Old name").click()
    collections.get_by_role("dialog").get_by_label("Name", exact=True).fill("New name")
    collections.get_by_role("button", name="Save").click()
    expect(collections.get_by_role("link", name="New name", exact=True)).to_be_visible()
    expect(collections.locator(".collection")).to_contain_text("shared with 1")
    other = browser.new_context(base_url=serving.url).new_page()
    other.goto("/")
    sign_in(other, PASSWORD, "eve")
    expect(other.get_by_role("button", name="Account: ")).to_be_visible()
    other.goto("/#/collections")
    expect(other.locator(".collection")).to_contain_text(f"{NAME}’s · read")
    expect(other.get_by_role("button", name=re.compile("Rename|Delete"))).to_have_count(0)
    other.context.close()


def test_no_click_is_lost_while_the_documents_change(
    collections: Page, serving: Serving, tmp_path: Path
) -> None:
    """The list says for ever that it changes: it is read again and again, and each click counts all the same."""
    run(_make(serving, ["Busy"]))
    plant(tmp_path / "plant")

    async def fill() -> str:
        client = await _signed_in(serving)
        [one] = (await client.call("GET", "collections"))["items"]
        added = await client.call(
            "POST", f"collections/{one['id']}/sources", {"path": str(tmp_path / "plant")}
        )
        async for _ in client.watch(added["operation_id"]):
            pass
        return str(one["id"])

    made = run(fill())
    asked: list[str] = []

    def changing(route: Any) -> None:
        asked.append(route.request.url)
        answer = route.fetch()
        route.fulfill(response=answer, body=json.dumps({**answer.json(), "changing": True}))

    collections.route(re.compile(r"/documents\?"), changing)
    collections.goto(f"/#/collections/{made}")
    rows = collections.locator(".documents [data-place]")
    expect(rows).to_have_count(5)
    for number in range(12):
        collections.get_by_label("Status").select_option("failed" if number % 2 == 0 else "")
        expect(rows).to_have_count(1 if number % 2 == 0 else 5)
        collections.locator("[data-place='0'] input").click()
        expect(collections.get_by_text("1 document selected")).to_be_visible()
        collections.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    before = len(asked)
    collections.wait_for_event("request", lambda request: "/documents?" in request.url)
    assert len(asked) >= before
    assert all("limit=100" in url for url in asked)  # what is in sight, and not all that was seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_long_and_right_to_left_names_fit_on_a_phone(
    collections: Page, serving: Serving, tmp_path: Path, scheme: Any
) -> None:
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / ("n" * 236 + ".txt")).write_text("A file with a name of 240 characters.")
    (tmp_path / "names" / "تقرير سنوي.txt").write_text("A file with a name from right to left.")
    run(_make(serving, [LONG[:200], "قائمة المستندات"]))

    async def fill() -> str:
        client = await _signed_in(serving)
        one = next(
            each
            for each in (await client.call("GET", "collections"))["items"]
            if each["name"].startswith(LONG[:9])
        )
        added = await client.call(
            "POST", f"collections/{one['id']}/sources", {"path": str(tmp_path / "names")}
        )
        async for _ in client.watch(added["operation_id"]):
            pass
        return str(one["id"])

    made = run(fill())
    collections.emulate_media(color_scheme=scheme)
    collections.set_viewport_size({"width": 360, "height": 740})
    collections.reload()
    expect(collections.locator(".collection")).to_have_count(2)
    assert collections.evaluate("document.documentElement.scrollWidth") <= 360
    for one in collections.locator(".collection h2").all():  # what is cut off is a name's end
        direction = one.evaluate("(heading) => getComputedStyle(heading).direction")
        assert direction == ("rtl" if one.inner_text()[0] in "اق" else "ltr")
    tallest = max(
        box["height"] for one in collections.locator(".collection").all() if (box := one.bounding_box())
    )
    assert tallest < 230
    collections.goto(f"/#/collections/{made}")
    expect(collections.locator(".documents [data-place]")).to_have_count(2)
    assert collections.evaluate("document.documentElement.scrollWidth") <= 360
    heading = collections.get_by_role("heading", level=1).bounding_box()
    assert heading is not None and heading["height"] < 90


def test_a_collection_is_deleted_after_a_question(member: Page, trouble: list[str]) -> None:
    create(member, "Short-lived", "")
    member.get_by_role("link", name="Short-lived", exact=True).click()
    expect(member.get_by_role("link", name="Search in this collection")).to_be_visible()
    inside = member.get_by_role("link", name="Search in this collection").get_attribute("href")
    member.get_by_role("button", name="Delete this collection…").click()
    expect(member.get_by_role("dialog")).to_contain_text("The files in its folders stay as they are")
    member.get_by_role("button", name="Delete collection", exact=True).click()
    expect(member.get_by_label("Type its name to delete it")).to_be_focused()
    member.get_by_label("Type its name to delete it").fill("Short")
    member.get_by_role("button", name="Delete collection", exact=True).click()
    expect(member.get_by_role("alert")).to_contain_text("That is not its name")
    member.get_by_label("Type its name to delete it").fill("Short-lived")
    member.get_by_role("button", name="Delete collection", exact=True).click()
    expect(member.get_by_role("heading", name="Collections")).to_be_visible()
    expect(member.get_by_role("link", name="Short-lived")).to_have_count(0)
    member.goto(f"/{inside}&q=pump")  # from a bookmark
    expect(member.locator(".nothing-title")).to_have_text(
        "A collection of this search is not there any more."
    )
    member.get_by_role("button", name="Search in all collections").click()
    expect(member).to_have_url(re.compile(r"#/\?q=pump$"))
    expect(member.locator(".summary")).to_have_text(re.compile("found|document"))
    trouble.clear()  # Chromium's line for the 404
