"""PDF files whose encoding is a predefined one of Chinese or Japanese: its map is loaded, and the passage is marked."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.browser import needs_chromium
from support.page_actions import card_of, create
from support.pdf_files import pdf
from support.server import Serving
from test_page import page, trouble
from test_page_operations import member

__all__ = ["member", "page", "trouble"]

pytestmark = needs_chromium

_CHINESE, _JAPANESE = "水泵在启动之前必须先灌水。", "ポンプは始動する前に水で満たす必要がある。"
_INK = """(number) => {
    const canvas = document.querySelector(`.pdf-page[data-page='${number}'] canvas`);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, at) => at % 4 < 3 && value < 128);
}"""


@pytest.fixture
def server(shared: Serving) -> str:
    return shared.url


def _font(name: str, ordering: str, encoding: str, number: int) -> list[str]:
    """A font that is not embedded, as objects from `number` on."""
    return [
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /{encoding} "
        f"/DescendantFonts [{number + 1} 0 R] >>",
        f"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /{name} /FontDescriptor {number + 2} 0 R "
        f"/CIDSystemInfo << /Registry (Adobe) /Ordering ({ordering}) /Supplement 2 >> >>",
        f"<< /Type /FontDescriptor /FontName /{name} /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 "
        "/Ascent 752 /Descent -271 /CapHeight 737 /StemV 58 >>",
    ]


def _manual() -> bytes:
    fonts = _font("STSong-Light", "GB1", "UniGB-UCS2-H", 10)
    fonts += _font("HeiseiMin-W3", "Japan1", "90ms-RKSJ-H", 13)
    encoded = _CHINESE.encode("utf-16-be"), _JAPANESE.encode("cp932")
    pages = [f"BT /F{at} 14 Tf 1 0 0 1 72 700 Tm <{each.hex()}> Tj ET" for at, each in enumerate(encoded, 1)]
    return pdf(pages, objects=fonts, page="/Resources << /Font << /F1 10 0 R /F2 13 0 R >> >>")


@pytest.mark.parametrize(
    ("number", "sentence", "map_name"),
    [(1, _CHINESE, "UniGB-UCS2-H.bcmap"), (2, _JAPANESE, "90ms-RKSJ-H.bcmap")],
    ids=["chinese", "japanese"],
)
def test_a_pdf_with_a_predefined_encoding_is_shown_and_marked(
    member: Page, tmp_path: Path, number: int, sentence: str, map_name: str
) -> None:
    (tmp_path / "pumps").mkdir()
    (tmp_path / "pumps" / "manual.pdf").write_bytes(_manual())
    asked: set[str] = set()
    # The worker of pdf.js asks, whose requests the context sees.
    member.context.on("request", lambda request: asked.add(request.url.rpartition("/")[2]))
    member.set_viewport_size({"width": 1300, "height": 800})
    create(member, "Pumps", tmp_path / "pumps")
    expect(card_of(member, "Pumps")).to_have_attribute("data-status", "completed")
    field = member.get_by_role("searchbox", name="Search your documents")
    field.fill(sentence)
    field.press("Enter")
    member.locator(".hit h2 a").first.click()
    page_node = member.locator(f".pdf-page[data-page='{number}']")
    page_node.scroll_into_view_if_needed()
    marks = page_node.locator("mark.pdf-hit")
    expect(marks.first).to_be_visible()
    assert "".join(marks.all_inner_texts()) == sentence[:-1]  # letters are what is compared
    assert member.evaluate(_INK, number)
    assert map_name in asked
