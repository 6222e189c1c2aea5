"""`make screenshots`: every page of a real server, in full and phone width, light and dark, into a folder.

    PYTHONPATH=tests python -m support.screenshots [--into FOLDER] [--light] [NAME …]

The server indexes this project's documents; `--light` takes the tests' model, which is quick and finds nothing by
meaning. NAME chooses pages. Each picture is NAME-WIDTH-SCHEME.png.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect
from support.browser import chromium
from support.hold import held
from support.page_actions import NAME, PASSWORD, sign_in
from support.patience import patience
from support.server import ROOT, SAMPLES, SETUP_CODE, Serving, serve

WIDTHS = {"full": (1280, 800), "phone": (360, 740)}
QUERY = "how are documents read"


class Sample:
    """A server with a user, two collections that are ready, and one that is being indexed."""

    def __init__(self, serving: Serving) -> None:
        self.url = serving.url
        self._token = ""
        self.call("POST", "/auth/register", username=NAME, password=PASSWORD, setup_code=SETUP_CODE)
        self._token = self.call("POST", "/auth/login", username=NAME, password=PASSWORD)["access_token"]

    def call(self, method: str, path: str, **body: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self.url}/api/v2{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=patience()) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def collection(self, name: str, folder: Path, description: str = "") -> str:
        body = {"name": name, "source_path": str(folder), "description": description}
        return str(self.call("POST", "/collections", **body)["id"])

    def wait(self, page: Page, name: str) -> None:
        card = page.locator(".operation").filter(has_text=f"“{name}”")
        expect(card).to_have_attribute("data-status", "completed")


def pages(sample: Sample, ids: dict[str, str]) -> dict[str, str]:
    """The address of each page by its name."""
    documents = sample.call("GET", f"/collections/{ids['docs']}/documents?limit=100")["items"]
    document = next(one for one in documents if one["status"] == "indexed")
    collection = f"#/collections/{ids['docs']}"
    return {
        "search": "#/",
        "results": f"#/?q={QUERY.replace(' ', '+')}",
        "collections": "#/collections",
        "collection": collection,
        "document": f"{collection}/documents/{document['id']}",
        "sharing": f"{collection}/sharing",
        "operations": "#/operations",
        "operations-ended": "#/operations?state=ended",
        "account": "#/account",
        "api-keys": "#/api-keys",
        "people": "#/people",
        "audit": "#/audit",
        "system": "#/system",
    }


@contextmanager
def sample_server(folder: Path, real: bool) -> Iterator[tuple[Serving, ExitStack]]:
    serving = serve(folder / "data", real=real)
    with ExitStack() as stack:
        yield serving, stack
    if serving.process.poll() is None:
        serving.stop()


def _letters(folder: Path) -> Path:
    folder.mkdir()
    for number in range(400):
        days = "\n\n".join(f"On day {day} the ship {number} had fair wind and no news." for day in range(30))
        (folder / f"letter-{number:03}.txt").write_text(days)
    return folder


def _shoot(browser: Browser, url: str, into: Path, addresses: dict[str, str]) -> None:
    for scheme in ("light", "dark"):
        for width, (wide, high) in WIDTHS.items():
            context = browser.new_context(
                base_url=url, viewport={"width": wide, "height": high}, color_scheme=scheme
            )
            context.set_default_timeout(patience() * 1000)
            page = context.new_page()
            page.goto("/")
            page.screenshot(path=into / f"sign-in-{width}-{scheme}.png", full_page=True)
            sign_in(page, PASSWORD)
            expect(page.get_by_role("button", name="Account: ")).to_be_visible()
            for name, address in addresses.items():
                page.goto("about:blank")
                page.goto(f"/{address}")
                page.locator("main h1, main form").first.wait_for()
                page.wait_for_load_state("networkidle")
                page.screenshot(path=into / f"{name}-{width}-{scheme}.png", full_page=True)
            page.locator(".indicator").click()
            page.screenshot(path=into / f"panel-{width}-{scheme}.png")
            page.keyboard.press("Escape")
            page.get_by_role("button", name="Account: ").click()
            page.screenshot(path=into / f"menu-{width}-{scheme}.png")
            context.close()


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Make pictures of every page.")
    parser.add_argument("--into", type=Path, default=ROOT / "build" / "screenshots")
    parser.add_argument("--light", action="store_true", help="use the model of the tests")
    parser.add_argument("names", nargs="*", help="the pages; all by default")
    given = parser.parse_args(argv)
    given.into.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=patience() * 1000)
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium() as browser,
        sample_server(Path(folder), not given.light) as (serving, stack),
    ):
        sample = Sample(serving)
        ids = {"docs": sample.collection("Semantik", ROOT / "docs", "Tutorial, how-to, reference")}
        ids["samples"] = sample.collection("Sample documents", SAMPLES)
        page = browser.new_page(base_url=serving.url)
        page.set_default_timeout(patience() * 1000)
        page.goto("/")
        sign_in(page, PASSWORD)
        for name in ("Semantik", "Sample documents"):
            sample.wait(page, name)
        page.close()
        letters = _letters(Path(folder) / "letters")
        stack.enter_context(held(letters, "letter-3*"))
        sample.collection("Letters", letters)
        chosen = pages(sample, ids)
        if given.names:
            chosen = {name: chosen[name] for name in given.names}
        _shoot(browser, serving.url, given.into, chosen)
    sys.stdout.write(f"{len(list(given.into.glob('*.png')))} pictures in {given.into}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
