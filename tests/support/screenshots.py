"""`make screenshots`: every page of a real server, in full and phone width, light and dark, into a folder.

    PYTHONPATH=tests python -m support.screenshots [--into FOLDER] [--work FOLDER] [--light] [--readme] [NAME …]

The server indexes copies of this project's documents below the folder of `--work`, a temporary one by default.
`--light` takes the tests' model, which is quick and finds nothing by meaning. NAME chooses pages. Each picture is
NAME-WIDTH-SCHEME.png; those of the first run are made before there is anything. `--readme` makes those of README.md,
in images/.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Browser, Page, expect
from support.browser import chromium
from support.hold import held
from support.page_actions import NAME, PASSWORD, sign_in
from support.patience import patience
from support.server import ROOT, SAMPLES, SETUP_CODE, Serving, serve

WIDTHS = {"full": (1280, 800), "phone": (360, 740)}
QUERY = "what happens when the generator fails"
README = {"results": "results", "document-pdf": "document", "collection": "collection"}
_QUALITY = 82  # of WebP
PDF_QUERY = "when does the heating start"
Steps = Callable[[Page], None]


class Sample:
    """A server with a user, two collections that are ready, and one that is being indexed."""

    def __init__(self, serving: Serving) -> None:
        self.url = serving.url
        self._token = ""

    def register(self) -> None:
        self.call("POST", "/auth/register", username=NAME, password=PASSWORD, setup_code=SETUP_CODE)
        self._sign_in()

    def _sign_in(self) -> None:
        self._token = ""
        self._token = self.call("POST", "/auth/login", username=NAME, password=PASSWORD)["access_token"]

    def call(self, method: str, path: str, /, **body: Any) -> Any:
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

    def wait(self, name: str) -> None:
        """Until the collection has been indexed."""
        deadline = time.monotonic() + patience(120)
        while True:
            found = [
                one for one in self.call("GET", "/collections?limit=100")["items"] if one["name"] == name
            ]
            if found[0]["status"] == "ready" and not found[0]["active_operation_id"]:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} is {found[0]['status']}")
            time.sleep(0.2)

    def keep_busy(self, collection: str) -> None:
        """Have an operation of the collection run: the real model does not wait for what is held."""
        self._sign_in()  # all the pictures may take longer than a token is good for
        if not self.call("GET", f"/collections/{collection}")["active_operation_id"]:
            self.call("POST", f"/collections/{collection}/reindex", chunk_overlap=0)

    def alert(self, collection: str) -> None:
        body = {
            "name": "Power cuts",
            "query": "power failed",
            "mode": "hybrid",
            "collection_ids": [collection],
        }
        self.call("POST", "/saved-searches", **body)


def pages(sample: Sample, ids: dict[str, str], work: Path) -> dict[str, tuple[str, Steps | None]]:
    """The address of each page by its name, and what is done there first."""
    collection = f"#/collections/{ids['manual']}"
    return {
        "search": ("#/", None),
        "results": (
            f"#/?{urlencode({'q': QUERY, 'in': ids['samples']})}",
            lambda page: page.locator(".hit").first.wait_for(),
        ),
        "nothing": ("#/?q=zxqv&mode=words", lambda page: page.locator(".nothing").wait_for()),
        "document-pdf": (_pdf(sample, ids["samples"]), _original),
        "document": (f"{collection}/documents/{_document(sample, ids['manual'])}", None),
        "collections": ("#/collections", None),
        "new-collection": ("#/collections/new", lambda page: _browse(page, work / "documents")),
        "collection": (collection, lambda page: page.locator(".grid-row a").first.wait_for()),
        "statistics": (collection, _statistics),
        "sharing": (f"{collection}/sharing", None),
        "operations": ("#/operations", lambda page: _busy(page, sample, ids["letters"])),
        "operations-ended": ("#/operations?state=ended", None),
        "alerts": ("#/alerts", lambda page: page.get_by_text("Power cuts").wait_for()),
        "account": ("#/account", None),
        "api-keys": ("#/api-keys", None),
        "people": ("#/people", None),
        "audit": ("#/audit", None),
        "system": ("#/system", None),
        "panel": ("#/", lambda page: _open_panel(page, sample, ids["letters"])),
        "menu": ("#/", lambda page: page.get_by_role("button", name="Account: ").click()),
    }


def _document(sample: Sample, collection: str) -> str:
    documents = sample.call("GET", f"/collections/{collection}/documents?limit=100")["items"]
    return str(next(one["id"] for one in documents if one["name"] == "search-page.md"))


def _pdf(sample: Sample, collection: str) -> str:
    """The address of the best passage of the PDF document, as the page of results links to it."""
    body = {"query": PDF_QUERY, "collection_ids": [collection], "k": 20}
    hits = sample.call("POST", "/search", **body)["hits"]
    hit = next(one for one in hits if one["document"]["name"].endswith(".pdf"))
    query = [
        ("start", hit["start"]),
        ("end", hit["end"]),
        ("seq", hit["seq"]),
        ("page", hit["page"]),
        ("q", PDF_QUERY),
    ]
    return f"#/collections/{collection}/documents/{hit['document']['id']}?{urlencode(query)}"


def _browse(page: Page, folder: Path) -> None:
    page.get_by_label("Folder", exact=True).fill(str(folder))
    page.get_by_role("button", name="Browse…").click()
    page.locator(".folders button").first.wait_for()
    page.locator(".preview .tag").first.wait_for()


def _original(page: Page) -> None:
    page.locator("#hit").wait_for()
    if page.locator(".original").is_visible():  # beside the text, where there is room
        page.locator("mark.pdf-hit").first.wait_for()


def _statistics(page: Page) -> None:
    page.locator(".statistics > summary").click()
    page.locator(".bar-chart").first.wait_for()
    page.locator(".statistics").evaluate("(node) => window.scrollTo(0, node.offsetTop - 70)")


def _busy(page: Page, sample: Sample, letters: str) -> None:
    sample.keep_busy(letters)
    page.locator("main .operation").first.wait_for()


def _open_panel(page: Page, sample: Sample, letters: str) -> None:
    sample.keep_busy(letters)
    page.locator(".indicator").click()
    page.locator("#activity .operation").first.wait_for()


@contextmanager
def sample_server(folder: Path, real: bool) -> Iterator[tuple[Serving, ExitStack]]:
    # The tests have packages with the names of those of the server.
    serving = serve(folder, env={"PYTHONPATH": None}, real=real)
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


class Camera:
    """Four pages: in each width and scheme. `sign_in` is to be called once there is a user."""

    def __init__(self, browser: Browser, url: str, into: Path) -> None:
        self._into = into
        self._pages: dict[str, Page] = {}
        for scheme in ("light", "dark"):
            for width, (wide, high) in WIDTHS.items():
                size = {"width": wide, "height": high}
                context = browser.new_context(base_url=url, viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
                context.set_default_timeout(patience() * 1000)
                self._pages[f"{width}-{scheme}"] = context.new_page()

    def sign_in(self) -> None:
        for page in self._pages.values():
            page.goto("/")
            sign_in(page, PASSWORD)
            expect(page.get_by_role("button", name="Account: ")).to_be_visible()

    def shoot(self, name: str, address: str, steps: Steps | None = None) -> None:
        for kind, page in self._pages.items():
            page.goto("about:blank")
            page.goto(f"/{address}")
            page.locator("main h1:visible, main form:visible").first.wait_for()
            if steps:
                steps(page)
            if name != "alerts":  # whose stream of events never ends
                page.wait_for_load_state("networkidle")
            overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if overflow > 0:
                sys.stdout.write(f"{name}-{kind}: {overflow} px too wide\n")
            page.screenshot(path=self._into / f"{name}-{kind}.png")
            if page.evaluate("document.documentElement.scrollHeight") > page.viewport_size["height"]:  # type: ignore[index]
                page.screenshot(path=self._into / f"{name}-{kind}-long.png", full_page=True)


def _copied(work: Path) -> tuple[Path, Path, Path]:
    """The folders to index, below documents/: the manual, the samples, and letters."""
    documents = work / "documents"
    manual, samples = documents / "Manual", documents / "Observatory"
    shutil.copytree(ROOT / "docs", manual, ignore=shutil.ignore_patterns("samples", "openapi.yaml"))
    shutil.copytree(SAMPLES, samples)
    return manual, samples, _letters(documents / "Letters")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Make pictures of every page.")
    parser.add_argument("--into", type=Path, default=ROOT / "build" / "screenshots")
    parser.add_argument("--work", type=Path, help="an empty folder for the server and its documents")
    parser.add_argument("--light", action="store_true", help="use the model of the tests")
    parser.add_argument("--readme", action="store_true", help="make the pictures of README.md")
    parser.add_argument("names", nargs="*", help="the pages; all by default")
    given = parser.parse_args(argv)
    if given.readme and given.names:
        given.names = [*given.names, *(name for name in README if name not in given.names)]
    given.into.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=patience() * 1000)
    with (
        tempfile.TemporaryDirectory() as temporary,
        chromium() as browser,
        sample_server((given.work or Path(temporary)) / "server", not given.light) as (serving, stack),
    ):
        _make(given, given.work or Path(temporary), serving, browser, stack)
    sys.stdout.write(f"{len(list(given.into.glob('*.png')))} pictures in {given.into}\n")
    return 0


def _make(
    given: argparse.Namespace, work: Path, serving: Serving, browser: Browser, stack: ExitStack
) -> None:
    sample, camera = Sample(serving), Camera(browser, serving.url, given.into)
    manual, samples, letters = _copied(work)
    if not given.names:
        camera.shoot("first-run", f"#/setup?code={SETUP_CODE}")
    sample.register()
    if not given.names:
        camera.shoot("sign-in", "")
    camera.sign_in()
    if not given.names:
        camera.shoot("first-run-folder", "", lambda page: page.locator(".folders button").first.wait_for())
    ids = {"manual": sample.collection("Semantik manual", manual, "Tutorial, how-to, reference, decisions")}
    ids["samples"] = sample.collection(
        "Observatory", samples, "Procedures, logs and reports of a small observatory"
    )
    for name in ("Semantik manual", "Observatory"):
        sample.wait(name)
    sample.call("POST", "/search", query=QUERY, k=1)  # the first one loads the model
    sample.alert(ids["samples"])
    stack.enter_context(held(letters, "letter-3*"))
    ids["letters"] = sample.collection("Letters", letters)
    chosen = pages(sample, ids, work)
    for name in given.names or chosen:
        camera.shoot(name, *chosen[name])
    for name, picture in README.items() if given.readme else ():
        with Image.open(given.into / f"{name}-full-light.png") as image:
            image.save(ROOT / "images" / f"{picture}.webp", quality=_QUALITY, method=6)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
