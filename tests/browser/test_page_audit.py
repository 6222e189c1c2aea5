"""The audit trail on the page in a real Chromium: for administrators, filtered, with a name that is no markup."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect
from support.browser import needs_chromium
from support.page_actions import open_account
from support.patience import patience
from test_page import member, page, server, trouble

__all__ = ["member", "page", "server", "trouble"]

pytestmark = needs_chromium


def test_an_administrator_reads_and_filters_the_audit_trail(member: Page) -> None:
    open_account(member)
    member.get_by_role("link", name="API keys").click()
    expect(member.get_by_role("heading", name="API keys")).to_be_visible()
    member.get_by_label("Name", exact=True).fill("Nightly <b>report</b>")
    member.get_by_role("button", name="Create key").click()
    expect(member.get_by_role("button", name="Copy")).to_be_visible()
    open_account(member)
    member.get_by_role("link", name="Users").click()
    member.get_by_role("link", name="Audit trail").click()
    expect(member.get_by_role("heading", name="Audit trail")).to_be_visible()
    events = member.get_by_role("region", name="Events").get_by_role("listitem")
    expect(events.first).to_be_visible()
    shown = events.filter(has_text="api_key.create")
    member.get_by_label("Action").fill("api_key")
    hangs_at = time.monotonic() + patience()
    while True:  # the server writes once a second
        member.get_by_role("button", name="Show").click()
        member.wait_for_timeout(300)
        if shown.count():
            break
        assert time.monotonic() < hangs_at
    expect(shown.first).to_contain_text("ada · 127.0.0.1 · api-keys/")
    expect(events.filter(has_text="session.sign_in")).to_have_count(0)
    member.get_by_label("Outcome").select_option("failed")
    member.get_by_role("button", name="Show").click()
    expect(member.get_by_text("No such events.")).to_be_visible()
