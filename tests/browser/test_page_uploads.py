"""Uploads on the page in a real Chromium: dropped, pasted and chosen files, refusals, and the way back to the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.browser import needs_chromium
from support.server import Serving
from test_page import page, trouble
from test_page_operations import member

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium

# A drop or a paste of files, as the system would cause it.
_GIVE = """([kind, files]) => {
    const data = new DataTransfer();
    for (const [name, text] of files) data.items.add(new File([text], name));
    const target = document.querySelector(".drop");
    if (kind === "drop") target.dispatchEvent(new DragEvent("dragover", { dataTransfer: data, bubbles: true }));
    const event = kind === "drop"
        ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
    target.dispatchEvent(event);
}"""


@pytest.fixture
def server(shared: Serving) -> str:
    return shared.url


@pytest.fixture
def empty(member: Page) -> Page:
    """A member who looks at a collection without documents."""
    made = member.evaluate(
        """async () => {
            const body = JSON.stringify({ name: "Drawer" });
            return (await fetch("/api/v2/collections", { method: "POST", body })).json();
        }"""
    )
    member.goto(f"/#/collections/{made['id']}")
    expect(member.get_by_role("heading", name="Upload files")).to_be_visible()
    return member


def test_files_are_dropped_pasted_and_chosen(empty: Page, tmp_path: Path) -> None:
    empty.evaluate(
        _GIVE,
        ["drop", [["lamp \u201ca\u201d.txt", "The lamp of the lighthouse turns."], ["boat.txt", "A boat."]]],
    )
    empty.evaluate(_GIVE, ["paste", [["note.txt", "The pasted note is about ropes."]]])
    chosen = tmp_path / "chosen.txt"
    chosen.write_text("The chosen file is about tides.")
    empty.get_by_label("Files to upload").set_input_files(chosen)
    rows = empty.locator(".uploads > li")
    expect(rows).to_have_count(4)
    for row in range(4):
        expect(rows.nth(row)).to_contain_text("Uploaded.")
    documents = empty.locator(".documents [data-place]")
    expect(documents).to_have_count(4)
    expect(documents.filter(has_text="lamp \u201ca\u201d.txt")).to_have_attribute("data-status", "indexed")
    expect(empty.locator(".source .path")).to_have_text("Uploaded files")
    expect(empty.get_by_text("uploads:")).to_have_count(0)
    with empty.expect_download() as saved:
        documents.filter(has_text="note.txt").get_by_role("link").click()
        empty.get_by_role("link", name="Save the file").click()
    assert Path(saved.value.path()).read_text() == "The pasted note is about ropes."
    with empty.expect_popup() as opened:
        empty.get_by_role("link", name="Open the file").click()
    expect(opened.value.get_by_text("The pasted note is about ropes.")).to_be_visible()


def test_what_is_refused_says_why(empty: Page, trouble: list[str]) -> None:
    empty.evaluate(_GIVE, ["drop", [["Thumbs.db", "no document"]]])
    expect(empty.locator(".uploads .error")).to_contain_text("no document")
    assert len(trouble) == 1 and "status of 422" in trouble.pop()


def test_a_lost_connection_delays_an_upload(empty: Page, trouble: list[str]) -> None:
    failed: list[str] = []

    def fail_once(route) -> None:  # type: ignore[no-untyped-def]
        if failed:
            route.continue_()
        else:
            failed.append(route.request.url)
            route.abort("connectionreset")

    empty.route("**/uploads", fail_once)
    empty.evaluate(_GIVE, ["drop", [["late.txt", "It came late."]]])
    expect(empty.locator(".uploads > li")).to_contain_text("Uploaded.")
    assert failed
    trouble.clear()  # the browser itself logs the lost connection


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_page(empty: Page, scheme: str, tmp_path: Path) -> None:
    empty.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    empty.set_viewport_size({"width": 360, "height": 800})
    empty.evaluate(
        _GIVE, ["drop", [["a-rather-long-name-of-a-document-without-any-spaces.txt", "Of lamps."]]]
    )
    expect(empty.locator(".uploads > li")).to_contain_text("Uploaded.")
    beyond = "[...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > 360).length"
    assert empty.evaluate(beyond) == 0
    empty.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
