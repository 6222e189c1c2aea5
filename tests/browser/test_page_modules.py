"""The page's pure modules in a real Chromium, without a server: messages become states, queries become highlights."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from support.browser import needs_chromium
from support.synthetic_hits import answer, hit

WEB = Path(__file__).parents[2] / "handlers" / "web"
ORIGIN = "http://page.test"

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    """An empty page that may import the modules."""
    page = browser.new_page()
    page.route(f"{ORIGIN}/", lambda route: route.fulfill(body="", content_type="text/html"))
    page.route(
        f"{ORIGIN}/static/*", lambda route: route.fulfill(path=WEB / route.request.url.rpartition("/")[2])
    )
    page.goto(f"{ORIGIN}/")
    return page


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
    ("query", "text", "marks"),
    [
        ("How do I prime the pump?", "Priming pumps: the pumping of water.", ["pumps", "pumping"]),
        ("the", "The other.", ["The"]),
        ("C++ in Größe", "größer, C, CC", ["größer", "C"]),
        ("<b>", "a <b> & b", ["b", "b"]),
        ("?!", "no words", []),
    ],
)
def test_words_of_the_query_are_highlighted(page: Page, query: str, text: str, marks: list[str]) -> None:
    shown, found = page.evaluate(
        """async ([query, text]) => {
            const { queryPattern } = await import("/static/highlight.js");
            const { markedNodes } = await import("/static/markdown-inline.js");
            const pattern = queryPattern(query);
            const found = pattern ? [...text.matchAll(pattern)] : [];
            const marks = found.map(({ index, 0: word }) => [index, index + word.length]);
            const box = document.createElement("p");
            box.append(...markedNodes(text, 0, text.length, { marks }));
            return [box.textContent, [...box.children].map((node) => node.textContent)];
        }""",
        [query, text],
    )
    assert shown == text
    assert found == marks


def test_ranges_are_characters_also_beyond_the_basic_plane(page: Page) -> None:
    shown = page.evaluate(
        """async () => {
            const { utf16Ranges } = await import("/static/passage.js");
            const { markedNodes } = await import("/static/markdown-inline.js");
            const [text, box] = ["🏭 pumps\\n \\nand vents", new DocumentFragment()];
            const [best, ...marks] = utf16Ranges(text, [[10, 19], [2, 7], [14, 19]]);
            box.append(...markedNodes(text, 0, text.length, { marks, best }));
            return [box, ...box.querySelectorAll("mark, .best")].map((node) => node.textContent);
        }"""
    )
    assert shown == ["🏭 pumps\n \nand vents", "pumps", "and vents", "vents"]


def test_every_loss_is_resumed_and_nothing_comes_twice(page: Page) -> None:
    asked, told = page.evaluate(
        """async () => {
            const { OperationClient } = await import("/static/operation-client.js");
            const real = window.WebSocket;
            const asked = [];
            const told = [];
            const script = [1001, 1006, 1013, 1011, "cut", 1008];
            window.WebSocket = class {
                readyState = real.OPEN;
                constructor(address) {
                    asked.push(address.searchParams.get("since"));
                    setTimeout(() => this.play(asked.length, script.shift()));
                }
                send() {}
                close() {}
                deliver(message) { this.onmessage?.({ data: JSON.stringify(message) }); }
                play(number, end) {
                    this.deliver({ type: "pong" });
                    this.deliver({ type: "current_state", data: { status: "processing", last_id: "0-0" } });
                    if (end === "cut") this.deliver({ type: "history_truncated", data: {} });
                    for (const seq of [number - 1, number]) {
                        if (seq) this.deliver({ type: "status_update", seq, id: `${seq}-0`, data: {} });
                    }
                    this.onclose?.({ code: end === "cut" ? 1006 : end, reason: "a bad day" });
                }
            };
            await new Promise((resolve) => new OperationClient("x", {
                onMessage: ({ type, seq }) => told.push(seq ?? type),
                onConnection: (state, reason) => {
                    if (state !== "stopped") return;
                    told.push(reason);
                    resolve();
                },
            }).start());
            window.WebSocket = real;
            return [asked, told];
        }"""
    )
    assert asked == [None, "1-0", "2-0", "3-0", "4-0", "5-0"]
    # The old snapshots, older than what was told, are left out.
    assert told == ["current_state", 1, 2, 3, 4, "history_truncated", 5, 6, "a bad day"]


def test_all_operations_are_resumed_each_by_its_own_cursor(page: Page) -> None:
    asked, told = page.evaluate(
        """async () => {
            const { OperationsClient } = await import("/static/operations-client.js");
            const real = window.WebSocket;
            const asked = [];
            const told = [];
            const old = 1_000_000;
            const late = 2_000_000;
            const script = [
                [
                    ["a", 1, `${old}-0`, "operation_completed"],
                    ["b", 1, `${late}-0`],
                    ["c", 1, `${late}-1`, "operation_failed"],
                ],
                [["b", 1, `${late}-0`], ["b", 2, `${late}-2`]],
                [],
            ];
            window.WebSocket = class {
                readyState = real.OPEN;
                constructor(address) {
                    asked.push(address.searchParams.get("since"));
                    setTimeout(() => this.play(script.shift()));
                }
                send() {}
                close() {}
                play(messages) {
                    this.onmessage?.({ data: '{"type": "pong"}' });
                    for (const [operation_id, seq, id, type = "status_update"] of messages) {
                        this.onmessage?.({ data: JSON.stringify({ type, operation_id, seq, id, data: {} }) });
                    }
                    this.onclose?.({ code: script.length ? 1001 : 1008, reason: "" });
                }
            };
            await new Promise((resolve) => new OperationsClient({
                onMessage: ({ operation_id, seq }) => told.push(operation_id + seq),
                onConnection: (state) => { if (state === "stopped") resolve(); },
            }).start());
            window.WebSocket = real;
            return [asked, told];
        }"""
    )
    assert asked == [None, "b:2000000-0,c:2000000-1", "b:2000000-2,c:2000000-1"]
    assert told == ["a1", "b1", "c1", "b2"]


def test_ranges_of_the_server_count_characters_and_not_utf16_units(page: Page) -> None:
    shown, marks, best = page.evaluate(
        """async () => {
            const { utf16Ranges } = await import("/static/passage.js");
            const { markedNodes } = await import("/static/markdown-inline.js");
            const box = document.createElement("p");
            const text = "🙂 one. A <b>pump</b> 🙂 runs.\\n\\nEnd.";
            const [best, ...marks] = utf16Ranges(text, [[7, 28], [2, 5], [12, 16], [23, 27]]);
            box.append(...markedNodes(text, 0, text.length, { marks, best }));
            return [box.textContent, [...box.querySelectorAll("mark")].map((node) => node.textContent),
                    box.querySelector(".best").textContent];
        }"""
    )
    assert shown == "🙂 one. A <b>pump</b> 🙂 runs.\n\nEnd."
    assert marks == ["one", "pump", "runs"]
    assert best == "A <b>pump</b> 🙂 runs."


@pytest.mark.parametrize(
    ("waiting", "chosen", "note"),
    [
        (3, [], "3 documents not read yet: there may be more to find. Search again"),
        (3, ["other"], None),
        (0, [], None),
    ],
)
def test_an_answer_says_that_documents_wait_to_be_read(
    page: Page, waiting: int, chosen: list[str], note: str | None
) -> None:
    shown = page.evaluate(
        """async ([pending_count, collections, answer]) => {
            const { Results } = await import("/static/results.js");
            const { EMPTY } = await import("/static/search-address.js");
            const collectionStore = { collections: [{ id: "c", active_operation_id: "o", pending_count }] };
            const { signal } = new AbortController();
            const results = new Results({ collectionStore }, signal, { onSearch() {}, onFacets() {} });
            results.restore({ search: { ...EMPTY, query: "pump", collections }, answers: [answer], counted: answer });
            return results.node.querySelector(".note")?.textContent ?? null;
        }""",
        [waiting, chosen, answer([hit(1)])],
    )
    assert shown == note
