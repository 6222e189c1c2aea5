"""What administrators see on the page of several servers and of the remote workers, in a real Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.axe import barriers, needs_web_packages
from support.browser import needs_chromium
from support.cluster import Cluster
from support.page_actions import create_first_user
from support.patience import patience
from support.two_servers import Two

pytestmark = [needs_chromium, pytest.mark.server]

_SHOTS = os.environ.get("SEMANTIK_TEST_SHOTS")  # a folder for pictures, to look at


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path / "cluster") as cluster:
        cluster.start_workers(2)
        yield cluster


@needs_web_packages
def test_the_system_page_shows_servers_and_remote_workers(
    browser: Browser, tmp_path: Path, cluster: Cluster
) -> None:
    with Two(tmp_path) as two:
        archive = {"SEMANTIK_DOCUMENTS_ROOTS": str(tmp_path), "SEMANTIK_LABEL": "archive"}
        first = two.start_one("first", *cluster.flags(), env=archive)
        two.servers = [first]
        two.servers.append(two.start_one("second", "--peer-url", "http://second.internal:8080"))
        page = browser.new_page(base_url=first.url, viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(patience() * 1000)
        create_first_user(page)
        page.goto("/#/system")
        servers = page.get_by_role("region", name="Servers", exact=True).locator("tbody tr")
        expect(servers).to_have_count(2)
        labelled = servers.filter(has_text="archive")
        expect(labelled).to_contain_text("alive")
        expect(labelled).to_contain_text(str(tmp_path))
        expect(labelled).to_contain_text(" ago")
        expect(labelled).to_contain_text("a processor")
        expect(servers.filter(has_text="http://second.internal:8080")).to_have_count(1)
        workers = page.get_by_role("region", name="Remote workers")
        expect(workers.locator("tbody tr")).to_have_count(2)
        expect(workers.locator("tbody tr").first).to_contain_text("ready")
        expect(workers).to_contain_text(f"The cluster of this server, at {cluster.url}.")
        assert barriers(page) == []
        if _SHOTS:
            page.screenshot(path=f"{_SHOTS}/system-wide.png", full_page=True)
            page.set_viewport_size({"width": 390, "height": 844})
            page.screenshot(path=f"{_SHOTS}/system-phone.png", full_page=True)
        cluster.kill_scheduler()
        expect(workers).to_contain_text("is away: this server's own workers do its work")
        expect(workers.locator("tbody tr")).to_have_count(0)
        page.goto(f"{two.servers[1].url}/#/system")
        page.close()
