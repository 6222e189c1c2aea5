"""The page's API keys in a real Chromium: made, copied once, listed, revoked."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from playwright.sync_api import Page, expect
from support.browser import needs_chromium
from support.page_actions import open_account
from support.patience import patience
from test_page import member, page, server, trouble

__all__ = ["member", "page", "server", "trouble"]

pytestmark = needs_chromium


def _status(server: str, key: str) -> int:
    """What the server says to a program that comes with the key."""
    asked = urllib.request.Request(f"{server}/api/v2/auth/me", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(asked, timeout=patience()) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_key_is_made_copied_once_and_revoked(server: str, member: Page) -> None:
    member.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
    open_account(member)
    member.get_by_role("link", name="API keys").click()
    expect(member.get_by_role("heading", name="API keys")).to_be_visible()
    expect(member.get_by_text("No keys yet.")).to_be_visible()
    member.get_by_label("Name", exact=True).fill("Nightly <b>report</b>")
    member.get_by_label("It may").select_option("write")
    member.get_by_role("button", name="Create key").click()
    shown = member.get_by_label("The key “Nightly <b>report</b>”")
    expect(shown).to_be_focused()
    key = shown.input_value()
    assert _status(server, key) == 200
    member.get_by_role("button", name="Copy").click()
    expect(member.get_by_role("button", name="Copied")).to_be_visible()
    assert member.evaluate("navigator.clipboard.readText()") == key

    member.reload()
    row = member.get_by_role("listitem").filter(has_text="Nightly <b>report</b>")
    expect(row).to_contain_text("write")
    expect(row).to_contain_text("last used")
    assert key not in member.content()
    stored = member.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert json.loads(stored) == [{}, {}]
    row.get_by_role("button", name="Revoke").click()
    member.get_by_role("button", name="Keep it").click()
    assert _status(server, key) == 200
    row.get_by_role("button", name="Revoke").click()
    member.get_by_role("button", name="Revoke key").click()
    expect(member.get_by_text("No keys yet.")).to_be_visible()
    assert _status(server, key) == 401


def test_where_the_page_may_not_copy_the_key_is_selected(member: Page) -> None:
    open_account(member)
    member.get_by_role("link", name="API keys").click()
    expect(member.get_by_role("heading", name="API keys")).to_be_visible()
    member.get_by_label("Name", exact=True).fill("By hand")
    member.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    member.get_by_role("button", name="Create key").click()
    shown = member.get_by_label("The key “By hand”")
    expect(shown).to_be_visible()
    member.get_by_role("button", name="Copy").click()
    expect(member.get_by_text("copy it with Ctrl+C")).to_be_visible()
    assert member.evaluate("getSelection().toString()") == shown.input_value()
    member.get_by_role("button", name="Revoke By hand").click()
    member.get_by_role("button", name="Revoke key").click()
    expect(shown).to_be_hidden()
