"""Sources that are no folders on the page, in a real Chromium: the dialog with each kind's fields, and their rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.browser import needs_chromium
from support.connected import LOOPBACK
from support.git_server import git_server
from support.page_actions import card_of
from support.server import serve
from test_page import member, page, trouble

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    serving = serve(tmp_path_factory.mktemp("sources") / "data", *LOOPBACK, env={"SEMANTIK_LABEL": "archive"})
    yield serving.url
    assert serving.stop() == 0


def test_a_repository_is_added_scanned_by_the_clock_and_removed(
    member: Page, trouble: list[str], tmp_path: Path
) -> None:
    with git_server(tmp_path / "git") as git:
        handbook = git.repository("handbook")
        handbook.commit("Begin", {"tides.md": "The tide rises twice a day.", "fog.txt": "The horn sounds."})
        member.get_by_label("Name", exact=True).fill("Handbook")
        member.get_by_role("button", name="Create collection").click()
        member.get_by_role("link", name="Handbook").click()
        member.get_by_role("button", name="Add another source…").click()
        dialog = member.get_by_role("dialog")
        options = dialog.get_by_label("Kind").locator("option")
        expect(options).to_have_text(["Git repository", "Mailbox (IMAP)", "Web site"])
        dialog.get_by_label("Kind").select_option("imap")
        expect(dialog.get_by_label("Password")).to_have_attribute("type", "password")
        expect(dialog.get_by_label("Encryption")).to_have_value("tls")
        dialog.get_by_label("Kind").select_option("git")
        dialog.get_by_label("Address").fill("ssh://example.org/handbook.git")
        dialog.get_by_role("button", name="Add source").click()
        expect(dialog.get_by_role("alert")).to_contain_text("a URL as https://example.org/path")
        assert all("status of 422" in each for each in trouble)  # Chromium's, of the refused address
        trouble.clear()
        dialog.get_by_label("Address").fill(handbook.url)
        dialog.get_by_label("Files").fill("*.md")
        dialog.get_by_role("button", name="Add source").click()
        expect(dialog).to_be_hidden()
        row = member.locator(".source").filter(has_text=handbook.url)
        expect(row).to_contain_text("git repository · 1 document")
        expect(card_of(member, "Handbook")).to_contain_text("1 file")

        row.get_by_role("button", name="Watch").click()
        expect(member.get_by_label("At each change in the folder")).to_have_count(0)
        member.get_by_label("By the clock").select_option("3600")
        member.get_by_role("button", name="Save").click()
        expect(row).to_contain_text("every hour")
        row.get_by_role("button", name="Options").click()
        dialog.get_by_label("Label of the server that reads it").fill("archive")
        dialog.get_by_role("button", name="Save options").click()
        expect(row).to_contain_text("by servers with the label archive")
        row.get_by_role("button", name="Options").click()
        dialog.get_by_label("Label of the server that reads it").fill("")
        dialog.get_by_role("button", name="Save options").click()
        expect(row).not_to_contain_text("by servers with the label")
        row.get_by_role("button", name="Remove").click()
        member.get_by_role("button", name="Remove source").click()
        expect(row).to_have_count(0)
