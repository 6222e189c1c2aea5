"""The page's alerts in a real Chromium: a search is saved, told live, sent to a webhook, and deleted."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from support.browser import needs_chromium
from support.page_actions import create, open_account
from support.patience import patience
from support.server import serve
from test_page import member, page, trouble

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that looks for alerts often, and sends them to this machine."""
    flags = (
        *("--alerts-interval-s=0.1", "--webhooks-private-networks=127.0.0.0/8", "--webhooks-attempts=1"),
        *("--smtp-host=127.0.0.1", "--smtp-port=9", "--smtp-security=none"),  # nothing listens there
    )
    serving = serve(tmp_path_factory.mktemp("alerts") / "data", *flags)
    yield serving.url
    serving.stop()


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Receiver) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/hook"
        listening.shutdown()
        thread.join()


_GIVE_ADDRESS = """async () => {
  const { id } = await (await fetch("/api/v2/auth/me")).json();
  const headers = { "Content-Type": "application/json" };
  await fetch(`/api/v2/users/${id}`, { method: "PATCH", headers, body: JSON.stringify({ email: "me@example.org" }) });
}"""


def _open_until(summary: Locator, shown: Locator) -> None:
    """What is listed is read when the list is opened."""
    deadline = time.monotonic() + patience()
    while not shown.is_visible() and time.monotonic() < deadline:
        summary.click()
        with suppress(AssertionError):
            expect(shown).to_be_visible(timeout=1000)
            return


def test_a_search_is_saved_told_live_and_deleted(member: Page, tmp_path: Path, receiver: str) -> None:
    open_account(member)
    member.get_by_role("link", name="Alerts", exact=True).click()
    expect(member.get_by_text("No saved searches yet.")).to_be_visible()
    member.get_by_label("Name of the webhook").fill("Chat <b>")
    member.get_by_label("Address").fill(receiver)
    member.get_by_label("an operation fails").check()
    member.get_by_role("button", name="Create webhook").click()
    expect(member.get_by_label("The secret of “Chat <b>”")).to_have_value(re.compile("^whsec_"))
    member.get_by_role("button", name="Send a test to Chat <b>").click()
    expect(member.get_by_text("delivered")).to_be_visible()
    expect(member.get_by_text(re.compile("test · answer 204"))).to_be_visible()
    first = member.get_by_label("The secret of “Chat <b>”").input_value()
    member.get_by_role("button", name="New secret of Chat <b>").click()
    member.get_by_role("button", name="Make secret").click()
    expect(member.get_by_label("The secret of “Chat <b>”")).not_to_have_value(first)
    expect(member.get_by_text("The former secret signs, too, until")).to_be_visible()

    member.evaluate("location.hash = '#/alerts?q=green+lamp'")
    expect(member.get_by_label("Query")).to_have_value("green lamp")
    member.get_by_label("Name", exact=True).fill("Lamps & <i>more</i>")
    member.get_by_role("button", name="Save search").click()
    saved = member.get_by_role("region", name="Saved searches").get_by_role("listitem").first
    expect(saved).to_contain_text("0 alerts")
    saved.get_by_label("to Chat <b>").check()
    member.evaluate(_GIVE_ADDRESS)
    saved.get_by_label("by mail").check()
    (tmp_path / "lamp.txt").write_text("The lamp is green.\nIt stands on the <script>pier</script>.")
    watching = member.context.new_page()
    watching.goto("/#/collections")
    create(watching, "Pier", tmp_path)
    found = member.get_by_role("region", name="Found lately")
    expect(found).to_contain_text("It stands on the <script>pier</script>.")
    expect(found.get_by_role("link", name="lamp.txt")).to_be_visible()
    watching.close()
    member.reload()
    expect(saved).to_contain_text("1 alert,")
    expect(saved.get_by_text("Mails")).to_be_visible()
    _open_until(saved.get_by_text("Mails"), saved.get_by_text("failed", exact=True))
    expect(saved).to_contain_text("The mail server cannot be reached")
    saved.get_by_role("button", name="Send again").click()
    expect(saved.get_by_text("search.matched")).to_have_count(2)
    saved.get_by_role("button", name="Pause").click()
    expect(saved).to_contain_text("paused")
    saved.get_by_role("button", name="Feed").click()
    member.get_by_role("button", name="Make address").click()
    expect(member.get_by_label("The feed of “Lamps & <i>more</i>”")).to_have_value(re.compile(r"/feed\?key="))
    saved.get_by_role("button", name="Delete").click()
    member.get_by_role("button", name="Delete search").click()
    expect(member.get_by_text("No saved searches yet.")).to_be_visible()
    member.get_by_role("button", name="Delete Chat <b>").click()
    member.get_by_role("button", name="Delete webhook").click()
    expect(member.get_by_text("No webhooks yet.")).to_be_visible()
