"""The browser's notification at the end of an operation, asked for on a click; what the browser shows is recorded."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect
from support.browser import needs_chromium
from support.hold import held
from test_page_operations import member, page, server, trouble

__all__ = ["member", "page", "server", "trouble"]

pytestmark = needs_chromium

# A browser without a screen shows no notification, and its pages are always visible.
_RECORDED = """
    window.shown = [];
    window.Notification = class extends EventTarget {
        static permission = "default";
        static async requestPermission() { return (Notification.permission = "granted"); }
        constructor(title, options) { super(); window.shown.push({ title, ...options }); }
        close() {}
    };
    window.looking = true;
    Object.defineProperty(document, "visibilityState", { get: () => (window.looking ? "visible" : "hidden") });
"""
_INDEX = """async ([name, folder]) => {
    const { request, url } = await import("/static/api.js");
    return request("POST", url(["collections"]), { body: { name, source_path: folder } });
}"""


def test_the_end_is_notified_to_whoever_allowed_it_and_looks_elsewhere(member: Page, tmp_path: Path) -> None:
    member.add_init_script(_RECORDED)
    member.goto("/#/operations")
    member.reload()
    member.get_by_role("button", name="Notify me when one ends").click()
    expect(member.get_by_role("button", name="Notify me when one ends")).to_have_count(0)
    for name, looking in (("Seen", "true"), ("Unseen", "false")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "note.txt").write_text(f"A note that is {name}.")
        with held(folder, "note.txt"):
            member.evaluate(_INDEX, [name, str(folder)])
            expect(member.locator("main .operation").filter(has_text=f"“{name}”")).to_be_visible()
            member.evaluate(f"window.looking = {looking}")
        ended = member.get_by_role("region", name="Ended").locator(".entry").filter(has_text=name)
        expect(ended).to_be_visible()
    member.wait_for_function("window.shown.length === 1")
    [shown] = member.evaluate("window.shown")
    assert "“Unseen”" in shown["title"] and "1 file" in shown["body"]
