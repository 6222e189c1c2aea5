"""What administrators see of Milvus on the page System while it runs, is killed, and runs again, in a real Chromium."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.axe import barriers, needs_web_packages
from support.browser import needs_chromium
from support.milvus import Milvus
from support.milvus_documents import milvus_flags
from support.page_actions import create_first_user
from support.patience import patience
from support.server import Serving

pytestmark = [needs_chromium, pytest.mark.server, pytest.mark.noisy]

_SHOTS = os.environ.get("SEMANTIK_TEST_SHOTS")  # a folder for pictures, to look at


@needs_web_packages
def test_the_system_page_says_whether_milvus_answers(
    browser: Browser, start: Callable[..., Serving], tmp_path: Path
) -> None:
    milvus = Milvus(tmp_path / "milvus")
    milvus.start()
    try:
        serving = start(*milvus_flags(milvus, timeout_s=patience(2.0)))
        page = browser.new_page(base_url=serving.url, viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(patience() * 1000)
        create_first_user(page)
        page.goto("/#/system")
        stores = page.get_by_role("region", name="Stores")
        row = stores.locator("tbody tr").filter(has_text="Milvus")
        expect(row).to_contain_text("answers")
        expect(row).to_contain_text(milvus.url)
        expect(row).to_contain_text("version milvus_lite-")
        expect(row).to_contain_text("0 collections")
        assert barriers(page) == []
        milvus.kill()
        expect(row).to_contain_text("away")
        expect(row).not_to_contain_text("collections")
        expect(stores).to_contain_text("others answer by words alone")
        expect(stores).to_contain_text(f"Milvus at {milvus.url} does not answer")
        assert barriers(page) == []
        if _SHOTS:
            page.screenshot(path=f"{_SHOTS}/milvus-away.png", full_page=True)
        milvus.start()
        expect(row).to_contain_text("answers")
        expect(stores).not_to_contain_text("words alone")
        page.close()
    finally:
        milvus.kill()


@needs_web_packages
def test_the_system_page_does_not_name_milvus_without_it(
    browser: Browser, start: Callable[..., Serving]
) -> None:
    serving = start()
    page = browser.new_page(base_url=serving.url)
    page.set_default_timeout(patience() * 1000)
    create_first_user(page)
    page.goto("/#/system")
    rows = page.get_by_role("region", name="Stores").locator("tbody tr")
    expect(rows).to_have_count(2)
    page.close()
