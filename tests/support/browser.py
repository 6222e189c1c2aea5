"""The Chromium of this machine, for the tests of what runs in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

# Without the windows of the whole browser, a page takes a fifth of the processor time to open.
_CHROMIUM = Path("/usr/bin/chromium-headless-shell")
_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # A page that a test puts in counts as one from the internet, which may not reach this machine.
    "--disable-features=LocalNetworkAccessChecks",
]

needs_chromium = pytest.mark.skipif(not _CHROMIUM.exists(), reason=f"needs {_CHROMIUM}")


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=[*_FLAGS, *flags])
        yield browser
        browser.close()
