"""A document's page in a real Chromium: the original beside the text, passages, outline, and what must not happen."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, Route, expect
from support.browser import needs_chromium
from support.page_actions import card_of, create
from support.pdf_files import pdf, text
from support.server import Serving
from test_page import page, trouble
from test_page_operations import member

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium

_MAIL = """From: Eva <eva@plant.example>
To: all@plant.example
Subject: Inspection of the turbine
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="B"

--B
Content-Type: text/plain

The turbine is inspected in March by the insurance company, as it was last year,
and everybody has to be there.

--B
Content-Type: text/plain; name="protocol.txt"
Content-Disposition: attachment; filename="protocol.txt"

The bearing of the turbine was warm.
--B--
"""
_HOSTILE = """# <img src=x onerror=window.hacked=1>

The winch <script>window.hacked=1</script> of the [harbour](javascript:window.hacked=1) and the
[handbook](https://handbook.example/winch), ![chart](https://evil.example/chart.png), `rope()` and **steel**.

| Part | Stock |
|---|---|
| <b onclick=hack()>Winch drum</b> | 2 |

```python
def winch():
    return "rope"
```
"""

_PAGE = """<html><head><title>Rules of the forge</title>
<meta http-equiv=refresh content='0; url=https://evil.example/g'>
<style>@import 'https://evil.example/b.css';
p { color: rgb(1, 2, 3); background: url(https://evil.example/a.png) }</style>
<script>window.top.hacked = 1</script><script src=https://evil.example/c.js></script></head>
<body><h1>Rules of the forge</h1><p>The forge is lit at six.</p>
<img src=https://evil.example/d.png alt=Anvil onerror=hack()>
<a href=https://evil.example/e target=_blank onclick=hack()>More</a><iframe src=https://evil.example/f></iframe></body></html>
"""


@pytest.fixture
def server(shared: Serving) -> str:
    return shared.url


@pytest.fixture
def workshop(member: Page, tmp_path: Path) -> Page:
    folder = tmp_path / "workshop"
    folder.mkdir()
    filler = [
        text(72, 700 - 14 * line, f"Line {line} of this page is about the weather of the valley.")
        for line in range(30)
    ]
    pages = ["".join(filler)] * 3
    pages.insert(
        2,
        text(72, 500, "The governor of the turbine holds its")
        + text(72, 484, "speed steady, whatever load is con-")
        + text(72, 468, "nected to it."),
    )
    (folder / "turbine.pdf").write_bytes(pdf(pages))
    sections = [
        f"## Chapter {number}\n\n{'The lathe turns brass and steel. ' * 30}\n\n" for number in range(8)
    ]
    (folder / "lathe.md").write_text("# The lathe\n\n" + "".join(sections))
    (folder / "inspection.eml").write_text(_MAIL)
    (folder / "rules.html").write_text(_PAGE)
    (folder / "<img src=x onerror=window.hacked=1>.md").write_text(_HOSTILE)
    picture = Image.new("RGB", (900, 200), "white")
    font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 36)
    ImageDraw.Draw(picture).text((30, 60), "The anvil stands beside the door", fill="black", font=font)
    picture.save(folder / "anvil.png")
    create(member, "Workshop", folder)
    expect(card_of(member, "Workshop")).to_have_attribute("data-status", "completed")
    return member


def _open(page: Page, query: str, name: str) -> None:
    page.get_by_role("searchbox", name="Search your documents").fill(query)
    page.get_by_role("searchbox", name="Search your documents").press("Enter")
    page.locator(".hit").filter(has_text=name).first.locator("h2 a").click()
    expect(page.locator("#hit")).to_be_visible()


def test_a_pdf_is_shown_at_its_page_with_the_passage_marked(workshop: Page, server: str) -> None:
    asked: list[tuple[str, str | None]] = []
    workshop.on("request", lambda request: asked.append((request.url, request.headers.get("range"))))
    workshop.set_viewport_size({"width": 1300, "height": 800})
    field = workshop.get_by_role("searchbox", name="Search your documents")
    field.fill("governor of the turbine holds speed")
    expect(workshop.locator(".hit").first).to_be_visible()
    assert not [url for url, _ in asked if "pdfjs" in url]  # it is loaded only when a PDF is opened
    _open(workshop, "governor of the turbine holds speed", "turbine.pdf")
    marks = workshop.locator(".pdf-page[data-page='3'] mark.pdf-hit")
    expect(marks.first).to_be_in_viewport()
    joined = " ".join(marks.all_inner_texts())
    assert (
        "governor of the turbine holds its" in joined and "nected to it" in joined and "weather" not in joined
    )
    expect(workshop.get_by_label("Page", exact=True)).to_have_value("3")
    expect(workshop.locator("#hit mark").first).to_be_visible()
    drawn = workshop.evaluate(
        """() => {
            const canvas = document.querySelector(".pdf-page[data-page='3'] canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return data.some((value, at) => at % 4 < 3 && value < 128);
        }"""
    )
    assert drawn
    assert {url.split("/")[2] for url, _ in asked if url.startswith("http")} == {server.split("/")[2]}
    workshop.get_by_role("button", name="Next page").click()
    expect(workshop.get_by_label("Page", exact=True)).to_have_value("4")
    workshop.get_by_role("button", name="Larger").click()
    workshop.set_viewport_size({"width": 360, "height": 740})
    expect(workshop.locator(".pdf")).to_be_hidden()
    workshop.get_by_role("button", name="Original").click()
    expect(workshop.locator(".pdf")).to_be_visible()
    expect(workshop.locator(".text")).to_be_hidden()
    assert workshop.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_broken_pdf_leaves_its_text(workshop: Page) -> None:
    workshop.route(
        "**/original",
        lambda route: route.fulfill(status=200, body="%PDF-1.4 broken", content_type="application/pdf"),
    )
    _open(workshop, "governor of the turbine holds speed", "turbine.pdf")
    expect(workshop.get_by_role("alert").filter(has_text="The original cannot be shown")).to_be_visible()
    expect(workshop.locator("#hit")).to_contain_text("governor of the turbine")


def test_passages_of_a_document_are_gone_through(workshop: Page) -> None:
    _open(workshop, "lathe turns brass and steel", "lathe.md")
    steps = workshop.locator(".steps")
    expect(steps).to_contain_text(re.compile(r"Passage \d+ of \d+"))
    before, label = workshop.url, steps.locator(".steps-label").inner_text()
    forward = label.split()[1] == "1"
    workshop.keyboard.press("j" if forward else "k")
    expect(steps.locator(".steps-label")).not_to_have_text(label)
    assert workshop.url != before
    expect(workshop.locator("#hit")).to_be_focused()
    shown = workshop.locator("#hit").inner_text()
    workshop.get_by_role("button", name="Previous passage" if forward else "Next passage").click()
    expect(steps.locator(".steps-label")).to_have_text(label)
    assert workshop.locator("#hit").inner_text() != shown or workshop.url == before
    workshop.locator(".outline summary").click()
    workshop.locator(".outline").get_by_role("button", name="Chapter 7").click()
    expect(workshop.locator("#hit")).to_have_text("Chapter 7")
    expect(workshop.locator("#hit")).to_be_in_viewport()
    workshop.get_by_role("link", name="Back to the results").click()
    expect(workshop.locator(".hit").first).to_be_visible()


def test_what_the_reader_opens_stays_open_when_the_next_passage_comes(workshop: Page) -> None:
    _open(workshop, "lathe turns brass and steel", "lathe.md")
    label = workshop.locator(".steps-label")
    expect(label).to_have_text(re.compile(r"Passage \d+ of \d+"))
    before = label.inner_text()
    held: list[Route] = []
    workshop.route("**/content?*", lambda route: held.append(route))
    with workshop.expect_request("**/content?*"):
        workshop.get_by_role(
            "button", name="Next passage" if "Passage 1 " in before else "Previous passage"
        ).click()
    expect(label).not_to_have_text(before)
    shown = workshop.locator("#hit").element_handle()
    workshop.locator(".outline summary").click()
    held.pop().continue_()
    workshop.wait_for_function("(node) => !node.isConnected", arg=shown)  # the text has been drawn
    expect(workshop.locator(".outline")).to_have_attribute("open", "")
    expect(workshop.locator(".outline summary")).to_be_focused()
    workshop.unroute_all()
    workshop.locator(".outline").get_by_role("button", name="Chapter 7").click()
    expect(workshop.locator("#hit")).to_have_text("Chapter 7")
    expect(workshop.locator("#hit")).to_be_focused()


def test_a_picture_stands_beside_its_recognised_text(workshop: Page) -> None:
    _open(workshop, "anvil stands beside the door", "anvil.png")
    picture = workshop.get_by_role("img", name="The picture anvil.png")
    expect(picture).to_have_js_property("naturalWidth", 900)
    expect(workshop.locator(".facts")).to_contain_text("1 page of recognised text")


def test_a_web_page_is_shown_without_what_would_run_or_load(workshop: Page, server: str) -> None:
    """The console has no error either: the fixture looks."""
    hosts: set[str] = set()
    workshop.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    _open(workshop, "forge is lit at six", "rules.html")
    frame = workshop.frame_locator("iframe[sandbox=allow-same-origin]")
    sentence = frame.get_by_text("The forge is lit at six.")
    expect(sentence).to_have_css("color", "rgb(1, 2, 3)")
    expect(frame.locator("script, iframe, meta, [onerror], [onclick], [src], [href]")).to_have_count(0)
    expect(frame.get_by_text("More")).to_have_attribute("title", "https://evil.example/e")
    expect(workshop.locator("#hit")).to_contain_text("The forge is lit at six.")
    assert workshop.evaluate("window.hacked") is None
    assert hosts == {server.split("/")[2]}
    with workshop.expect_download() as download:
        workshop.get_by_role("link", name="Save the file").click()
    assert Path(download.value.path()).read_text() == _PAGE


def test_a_passage_that_begins_inside_a_row_of_a_table_shows_whole_rows(workshop: Page) -> None:
    _open(workshop, "winch rope steel harbour", "onerror")
    address = urlsplit(workshop.url.partition("#/")[2])
    text = workshop.evaluate(
        "path => fetch(path).then((answer) => answer.json()).then(({ text }) => text)",
        f"/api/v2/{address.path}/content",
    )
    start, end = text.index("Winch drum") + 6, text.index("def winch")
    workshop.goto(f"/#/{address.path}?start={start}&end={end}")
    cells = workshop.locator("#hit td")
    expect(cells).to_have_count(2)
    expect(cells.first).to_contain_text("Winch drum")
    expect(workshop.locator(".text")).not_to_contain_text("|")


def test_a_message_has_its_headers_and_attachments(workshop: Page) -> None:
    _open(workshop, "turbine is inspected by the insurance", "inspection.eml")
    headers = workshop.locator(".mail-header")
    expect(headers.first).to_contain_text("Inspection of the turbine")
    expect(headers.nth(1)).to_contain_text("Eva <eva@plant.example>")
    workshop.locator(".attachments").get_by_role("button", name="protocol.txt").click()
    expect(workshop.locator("#hit")).to_contain_text("protocol.txt")
    expect(workshop.locator(".text")).to_contain_text("The bearing of the turbine was warm.")


def test_nothing_of_a_document_is_run_or_loaded(workshop: Page, server: str) -> None:
    hosts: set[str] = set()
    workshop.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    workshop.get_by_role("searchbox", name="Search your documents").fill("winch rope steel harbour")
    workshop.get_by_role("searchbox", name="Search your documents").press("Enter")
    hit = workshop.locator(".hit").filter(has_text="onerror").first
    expect(hit.locator("h2")).to_contain_text("<img src=x onerror=window.hacked=1>.md")
    hit.locator(".actions-menu > summary").click()
    hit.get_by_role("button", name="Whole passage").click()
    expect(hit.locator(".chunk table td").first).to_contain_text("Winch drum")
    expect(hit.locator(".chunk pre code")).to_contain_text("def winch():")
    expect(hit.locator(".chunk strong")).to_have_text("steel")
    expect(hit.locator(".chunk")).not_to_contain_text("**")
    expect(hit.locator(".chunk")).not_to_contain_text("|")
    hit.locator("h2 a").click()
    body = workshop.locator(".text")
    expect(body.get_by_role("link")).to_have_count(1)  # the other address is no page
    expect(body.get_by_role("link", name="handbook")).to_have_attribute("rel", "noreferrer noopener")
    expect(body.locator("img, script, [onclick], [onerror]")).to_have_count(0)
    assert workshop.evaluate("window.hacked") is None
    assert hosts == {server.split("/")[2]}


def test_a_hit_is_cited_and_more_like_it_is_found(workshop: Page) -> None:
    workshop.context.grant_permissions(["clipboard-read", "clipboard-write"])
    workshop.get_by_role("searchbox", name="Search your documents").fill(
        "governor of the turbine holds speed"
    )
    workshop.get_by_role("searchbox", name="Search your documents").press("Enter")
    hit = workshop.locator(".hit").filter(has_text="turbine.pdf").first
    hit.locator(".actions-menu > summary").click()
    hit.get_by_role("button", name="Copy citation").click()
    expect(hit.get_by_role("button", name="Copied")).to_be_visible()
    cited = workshop.evaluate("navigator.clipboard.readText()")
    assert "governor of the turbine" in cited and "turbine.pdf" in cited and "page 3" in cited
    address = cited.rpartition(" ")[2]
    hit.get_by_role("link", name="More like this passage").click()
    expect(workshop.get_by_role("heading", level=1)).to_have_text("More like a passage of “turbine.pdf”")
    expect(workshop.locator(".hit").first).to_be_visible()
    expect(workshop.locator(".hit").filter(has_text="turbine.pdf")).to_have_count(0)
    workshop.goto(address)
    expect(workshop.locator("#hit")).to_contain_text("governor of the turbine")
    with workshop.expect_download() as download:
        workshop.get_by_role("link", name="Save the file").click()
    assert download.value.suggested_filename == "turbine.pdf"
