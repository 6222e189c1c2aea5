"""Documents of Pages, Numbers and Keynote: what is read, and in which order."""

from __future__ import annotations

import struct

import pytest
from support import iwork_files as made
from support.iwork_files import document, message, reference, storage

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.extract import read_content
from pipeline.extraction.formats import detect
from pipeline.extraction.iwork.objects import _snappy


def _read(data: bytes, suffix: str) -> Content:
    return read_content(data, detect(data, suffix), suffix)


def _style(name: str, parent: int = 0) -> tuple[int, bytes]:
    names = [(1, name)] if name else []
    return made.STYLE, message((1, message(*names, *([(3, reference(parent))] if parent else []))))


def test_a_text_with_headings_notes_and_what_stands_in_it() -> None:
    body = "The 🚢 log\nAnn rowed.\x0e Bob\u2028slept.\ufffc\x04Second part\nEnd."
    objects = {
        1: (made.PAGES, message((3, reference(30)), (4, reference(2)))),
        2: (
            made.STORAGE,
            storage(body, 0, styles={0: 10, 11: 11, 35: 12, 47: 11}, notes={21: 20}, attached={33: 22}),
        ),
        10: _style("Title"),
        11: _style("Body"),
        12: _style("", 13),
        13: _style("Heading 2"),
        20: (made.FOOTNOTE, message((2, reference(21)))),
        21: (made.STORAGE, storage("\x0e Ten miles.", 2)),
        22: (made.ATTACHMENT, message((1, reference(23)))),
        23: (made.GROUP, message((2, reference(24)))),
        24: (made.SHAPE, made.shape(25)),
        25: (made.STORAGE, storage("In a box")),
        30: (
            made.FLOATING,
            message((1, message((3, message((1, reference(33)))), (4, message((1, reference(31))))))),
        ),
        33: (made.PICTURE, message((1, message((8, "The pier"))))),
        31: (made.SHAPE, made.shape(32)),
        32: (made.STORAGE, storage("Over the page")),
        40: (made.SECTION, message((23, reference(41)), (25, reference(41)))),
        41: (made.MASTER, message((1, reference(42)), (2, reference(43)))),
        42: (made.STORAGE, storage("Header", 1)),
        43: (made.STORAGE, storage("Footer", 1)),
        50: (made.COMMENT, message((1, "Really?"), (3, reference(51)))),
        51: (made.AUTHOR, message((1, "Eve"))),
        60: (made.STORAGE, storage("Text of a design")),
    }
    content = _read(document(objects), ".pages")
    assert content.text == (
        "Header\n\n# The 🚢 log\n\nAnn rowed.[^1] Bob\nslept.\n[^1]: Ten miles.\n\nIn a box\n\n"
        "### Second part\n\nEnd.\n\nThe pier\n\nOver the page\n\nFooter\n\nEve: Really?"
    )
    assert content.title == "The 🚢 log"


def _text(key: int) -> bytes:
    return made.cell(3, 8, struct.pack("<i", key))


def test_tables_of_sheets() -> None:
    strings = [(3, message((1, key), (3, text))) for key, text in ((1, "Port"), (2, "Depth"), (3, "Alpha"))]
    formats = [
        (3, message((1, 1), (6, message((1, 258))))),
        (3, message((1, 2), (6, message((1, 257), (3, "EUR"))))),
    ]
    rich = [(3, message((1, 9), (9, reference(21))))]
    percent = made.cell(2, 1 | 1 << 13, made.decimal(25, -2) + b"\1\0\0\0")
    money = made.cell(10, 1 | 1 << 14, made.decimal(7) + b"\2\0\0\0")
    rows = [
        (5, made.row(0, [_text(1), _text(2)])),
        (5, made.row(1, [_text(3), made.cell(2, 1, made.decimal(125, -1)), None])),
        (5, made.row(2, [made.cell(9, 16, struct.pack("<i", 9)), percent])),
        (5, made.row(3, [money, made.cell(5, 4, struct.pack("<d", 86400 * 31))])),
        (5, made.row(4, [made.cell(6, 2, struct.pack("<d", 1)), made.cell(7, 2, struct.pack("<d", 7507))])),
    ]
    store = message(
        (3, message((1, message((1, 0), (2, reference(12)))))),
        (4, reference(13)),
        (17, reference(14)),
        (22, reference(15)),
    )
    objects = {
        1: (made.ROOT, message((1, reference(2)))),
        2: (made.SHEET, message((1, "Harbour"), (2, reference(10)))),
        10: (made.TABLE, message((1, b""), (2, reference(11)))),
        11: (made.MODEL, message((4, store), (8, "Depths"), (9, 1), (22, 1))),
        12: (made.TILE, message(*rows)),
        13: (made.LIST, message(*strings)),
        14: (made.LIST, message(*rich)),
        15: (made.LIST, message(*formats)),
        21: (6218, message((1, reference(22)))),
        22: (made.STORAGE, storage("Beta\nbay", 5)),
    }
    content = _read(document(objects), ".numbers")
    assert content.text == (
        "# Harbour\n\n## Depths\n\n| Port | Depth |\n|-|-|\n| Alpha | 12.5 |\n| Beta bay | 25% |\n"
        "| 7 EUR | 2001-02-01 |\n| TRUE | 2:05:07 |"
    )


@pytest.mark.parametrize("listed", [True, False])
def test_slides_in_the_order_of_the_show(listed: bool) -> None:
    """Newer versions list the slides; older ones have a tree of them."""
    tree = message((2, reference(4)), (2, reference(3))) if listed else message((1, reference(9)))
    second = message(
        (5, reference(20)), (7, reference(20)), (7, reference(22)), (20, reference(24)), (27, reference(26))
    )
    objects = {
        1: (made.ROOT, message((2, reference(2)))),
        2: (made.SHOW, message((3, tree))),
        3: (made.NODE, message((2, reference(5)), (4, 1))),
        4: (made.NODE, message((2, reference(6)))),
        5: (made.SLIDE, message((6, reference(28)))),
        6: (made.SLIDE, second),
        9: (made.NODE, message((1, reference(4)), (1, reference(3)))),
        20: (made.PLACEHOLDER, message((1, made.shape(21)))),
        21: (made.STORAGE, storage("Tides")),
        22: (made.SHAPE, made.shape(23)),
        23: (made.STORAGE, storage("High at ten")),
        24: (made.PLACEHOLDER, message((1, made.shape(25)))),
        25: (made.STORAGE, storage("7")),
        26: (made.NOTE, message((1, reference(27)))),
        27: (made.STORAGE, storage("Ask Bob.", 4)),
        28: (made.PLACEHOLDER, message((1, made.shape(29)))),
        29: (made.STORAGE, storage("Spare")),
    }  # fmt: skip
    content = _read(document(objects), ".key")
    assert content.text == (
        "## Tides\n\nHigh at ten\n\nSpeaker notes: Ask Bob.\n\n(This slide is hidden in the show.)\n\nSpare"
    )
    assert content.title == "Tides"
    assert [number for number, _ in content.pages] == [1, 2]


def test_slides_that_lead_back_to_one_another_are_read_once() -> None:
    below = [(1, reference(3)), (1, reference(4))] * 2
    objects = {
        1: (made.ROOT, message((2, reference(2)))),
        2: (made.SHOW, message((3, message((2, reference(3)))))),
        3: (made.NODE, message(*below)),
        4: (made.NODE, message(*below, (2, reference(6)))),
        6: (made.SLIDE, message((5, reference(20)))),
        20: (made.PLACEHOLDER, message((1, made.shape(21)))),
        21: (made.STORAGE, storage("Tides")),
    }
    assert _read(document(objects), ".key").text == "## Tides"


def test_blocks_with_copies_are_unpacked() -> None:
    literal, near, far, farther = b"\x08tid", b"\x01\x03", b"\x12\x01\x00", b"\x07\x0b\x00\x00\x00"
    assert _snappy(b"\x0e" + literal + near + far + farther, 99) == b"tidtidttttttid"
    with pytest.raises(ValueError, match="not there"):
        _snappy(b"\x05\x01\x09", 99)
    with pytest.raises(ExtractError):
        _snappy(made.varint(1 << 30), 99)


def test_documents_that_cannot_be_read() -> None:
    whole = document({1: (made.PAGES, message((4, reference(2)))), 2: (made.STORAGE, storage("Tide"))})
    assert _read(whole, "").text == "Tide"
    with pytest.raises(ExtractError, match="password"):
        _read(document({}, **{".iwpv2": b"x"}), ".pages")
    with pytest.raises(ExtractError, match="main part"):
        _read(document({}), ".pages")
    damaged = document({1: (made.PAGES, b"\x22\x7f")})
    with pytest.raises(ExtractError, match="damaged"):
        _read(damaged, ".pages")
    assert detect(b"-----BEGIN PRIVATE KEY-----\nMIIE\n", ".key").mime == "text/plain"
