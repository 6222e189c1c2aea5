"""The page's pure modules in a real Chromium, without a server: what frames and questions become."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

WEB = Path(__file__).parents[1] / "handlers" / "web"
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
ORIGIN = "http://page.test"

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs {CHROMIUM}")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """An empty page that may import the modules."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.route(f"{ORIGIN}/", lambda route: route.fulfill(body="", content_type="text/html"))
        page.route(
            f"{ORIGIN}/static/*", lambda route: route.fulfill(path=WEB / route.request.url.rpartition("/")[2])
        )
        page.goto(f"{ORIGIN}/")
        yield page
        browser.close()


def test_replayed_frames_lower_no_number_and_repeat_no_error(page: Page) -> None:
    shown = page.evaluate(
        """async () => {
            const { OperationState } = await import("/static/operation-state.js");
            const state = new OperationState();
            const seen = [];
            const take = (type, id, data) => {
                state.apply({ type, id, data });
                seen.push([state.status, state.processed, state.percent, state.errors.length]);
            };
            take("current_state", undefined,
                 { status: "processing", processed_files: 5, progress_percent: 50, last_id: "20-1" });
            take("document_processed", "10-0", { processed: 1, progress_percent: 10 });
            take("error", "10-1", { path: "/a", message: "broken" });
            take("error", "10-1", { path: "/a", message: "broken" });
            take("document_processed", "100-0", { processed: 6, progress_percent: 60, status: "words" });
            take("operation_completed", "100-1", { status: "completed" });
            return seen;
        }"""
    )
    assert shown == [
        ["processing", 5, 50, 0],
        ["processing", 5, 50, 0],
        ["processing", 5, 50, 1],
        ["processing", 5, 50, 1],
        ["processing", 6, 60, 1],
        ["completed", 6, 100, 1],
    ]


@pytest.mark.parametrize(
    ("question", "passage", "marks"),
    [
        ("How do I prime the pump?", "Priming pumps: the pumping of water.", ["pumps", "pumping"]),
        ("the", "The other.", ["The"]),
        ("C++ in Größe", "größer, C, CC", ["größer", "C"]),
        ("<b>", "a <b> & b", ["b", "b"]),
        ("?!", "no words", []),
    ],
)
def test_words_of_the_question_are_marked(page: Page, question: str, passage: str, marks: list[str]) -> None:
    text, found = page.evaluate(
        """async ([question, passage]) => {
            const { marked, wordsOf } = await import("/static/highlight.js");
            const box = document.createElement("p");
            box.append(...marked(passage, wordsOf(question)));
            return [box.textContent, [...box.children].map((node) => node.textContent)];
        }""",
        [question, passage],
    )
    assert text == passage
    assert found == marks
