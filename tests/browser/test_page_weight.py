"""How much a first visit loads, how soon it shows on a slow line, and the contrast of the design's colours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from support.browser import needs_chromium
from support.page_actions import card_of, create
from test_page import member, page, server, trouble

__all__ = ["member", "page", "server", "trouble"]

pytestmark = needs_chromium

MOST_BYTES, MOST_REQUESTS = 60 * 1024, 12
# What browsers call slow 3G: 400 ms for a round trip, 400 kbit/s.
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
TIMINGS = """() => performance.getEntriesByType("resource").filter(({ name }) => !name.endsWith(".svg"))
    .map(({ name, startTime, responseEnd }) => [new URL(name).pathname.split("/").at(-1), startTime, responseEnd])"""


PAGES = [
    *("collections", "collections/new", "operations", "account", "alerts", "api-keys"),
    *("people", "system", "audit"),
]


@pytest.mark.parametrize("name", PAGES)
def test_a_first_visit_is_light(member: Page, name: str) -> None:
    _expect_light(member, f"/#/{name}")


def test_a_first_visit_of_the_front_page_a_collection_and_a_document_is_light(
    member: Page, tmp_path: Path
) -> None:
    (tmp_path / "light").mkdir()
    (tmp_path / "light" / "plan.md").write_text("# The plan of the pump")
    create(member, "Light", tmp_path / "light")
    expect(card_of(member, "Light")).to_have_attribute("data-status", "completed")
    member.get_by_role("link", name="Light", exact=True).click()
    link = member.locator(".grid-row a").first
    expect(link).to_be_visible()
    document = f"/{link.get_attribute('href')}"
    collection = member.url.replace(member.evaluate("location.origin"), "")
    for address in (collection, f"{collection}/sharing", document, "/"):
        _expect_light(member, address)


def _expect_light(member: Page, address: str) -> None:
    """Everything counts that is asked for until the network is idle, the WebSocket of operations too."""
    member.goto("about:blank")
    client = member.context.new_cdp_session(member)
    client.send("Network.enable")
    client.send("Network.clearBrowserCache")
    asked: dict[str, str] = {}
    sizes: dict[str, float] = {}

    def kept(event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):  # the icon, which a browser asks for twice
            asked.pop(event["requestId"], None)

    client.on(
        "Network.requestWillBeSent",
        lambda event: asked.setdefault(event["requestId"], event["request"]["url"]),
    )
    client.on("Network.webSocketCreated", lambda event: asked.setdefault(event["requestId"], event["url"]))
    client.on("Network.responseReceived", kept)
    client.on(
        "Network.loadingFinished",
        lambda event: sizes.__setitem__(event["requestId"], event["encodedDataLength"]),
    )
    alerts = "alerts" in address
    _settle(member, lambda: member.goto(address), alerts)
    assert 0 < len(asked) <= MOST_REQUESTS, asked
    assert 0 < sum(sizes.values()) < MOST_BYTES, {url: sizes.get(one) for one, url in asked.items()}
    sizes.clear()
    _settle(member, member.reload, alerts)
    assert sum(sizes.values()) < MOST_BYTES / 3, "what has a hash in its name is not asked for again"


def _settle(member: Page, visit: Callable[[], object], alerts: bool) -> None:
    # The stream of events of the page of alerts never ends: it is the last that is asked for there.
    with member.expect_request("**/alerts/events") if alerts else nullcontext():
        visit()
    expect(member.locator("main h1:visible, main [role=search]:visible").first).to_be_visible()
    if not alerts:
        member.wait_for_load_state("networkidle")


def test_borders_of_fields_have_a_contrast_of_three(member: Page) -> None:
    for scheme in ("light", "dark"):
        member.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        contrasts = member.evaluate(
            """() => {
                const style = getComputedStyle(document.documentElement);
                const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
                const luminance = (name) => {
                    canvas.fillStyle = style.getPropertyValue(name);
                    canvas.fillRect(0, 0, 1, 1);
                    const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => value / 255)
                        .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
                    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
                };
                const contrast = (a, b) => {
                    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
                    return (high + 0.05) / (low + 0.05);
                };
                const texts = ["--ink", "--soft", "--accent", "--good", "--warn", "--bad"];
                return {
                    edges: ["--paper", "--surface"].map((back) => contrast("--edge", back)),
                    texts: texts.flatMap((text) => ["--paper", "--surface"].map((back) => contrast(text, back))),
                };
            }"""
        )
        assert min(contrasts["edges"]) >= 3, (scheme, contrasts)
        assert min(contrasts["texts"]) >= 4.5, (scheme, contrasts)


def test_a_first_visit_on_a_slow_line_takes_few_round_trips(member: Page) -> None:
    """In turn: page, script, who is signed in, collections. The view is loaded beside these."""
    member.goto("about:blank")
    client = member.context.new_cdp_session(member)
    client.send("Network.enable")
    client.send("Network.clearBrowserCache")
    client.send("Network.emulateNetworkConditions", SLOW_3G)
    member.goto("/")
    expect(member.locator("main h1:visible, main [role=search]:visible").first).to_be_visible()
    timings = member.evaluate(TIMINGS)
    starts = {name: begin for name, begin, _ in timings}
    ends = {name: end for name, _, end in timings}
    assert starts["home-view.js"] < ends["setup"], "the view is loaded while the server is asked"
    assert starts["shared-1.js"] < ends["setup"], "what the view needs, too"
    in_turn, reached = 1, 0.0  # the page itself
    for _, begin, end in sorted(timings, key=lambda each: float(each[1])):
        if begin >= reached and begin < ends["collections"]:
            in_turn, reached = in_turn + 1, end
    assert in_turn <= 4, timings
