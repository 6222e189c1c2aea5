"""Looks for barriers on a page with axe-core, as pinned in tests/web_packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from support.server import ROOT

WEB_PACKAGES = ROOT / "tests" / "web_packages" / "node_modules"
_AXE = WEB_PACKAGES / "axe-core" / "axe.min.js"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async (tags) => {
    const rules = { type: "tag", values: tags };
    const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => [id, help, ...nodes.map((node) => node.html.slice(0, 200))]);
}"""

needs_web_packages = pytest.mark.skipif(
    not WEB_PACKAGES.exists(),
    reason="the packages of tests/web_packages are not installed: bin/setup --tests",
)


def barriers(page: Page) -> list[Any]:
    """The rules of WCAG 2.2 AA and of good practice that the page breaks, with the elements that break them."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(
            Path(_AXE).read_text("utf-8")
        )  # past the page's policy, which is not to be weakened for it
    found: list[Any] = page.evaluate(_RUN, _TAGS)
    return found
