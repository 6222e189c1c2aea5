"""How letters that are drawn apart become words, and which characters they are."""

from __future__ import annotations

import pytest
from support.pdf_files import pdf, stream, text

from pipeline.extraction import formats
from pipeline.extraction.readers.pdf import PdfReader

# Of Helvetica, in thousandths of the font's size.
WIDTHS = {"H": 722, "E": 667, "R": 722, "O": 778, "N": 722, "S": 667, "A": 667, "D": 722, "L": 556, " ": 278} | {
    "s": 500, "t": 278, "i": 222, "l": 222, "h": 556, "u": 556, "n": 556, "g": 556, "e": 556,
}  # fmt: skip


def body(operators: str, **entries: str | list[str]) -> str:
    data = pdf([operators], **entries)  # type: ignore[arg-type]
    return PdfReader().read(data, formats.detect(data, ".pdf")).text.strip()


def spread(x: float, y: float, written: str, apart: float, size: float = 12) -> str:
    """The letters of a text, each drawn alone, with more room after each than the font gives it."""
    operators = ""
    for letter in written:
        if letter != " ":
            operators += text(round(x, 2), y, letter, size)
        x += WIDTHS[letter] * size / 1000 + apart
    return operators


@pytest.mark.parametrize("apart", [2.5, 3.5, 5.0])
def test_letterspaced_words_are_words(apart: float) -> None:
    drawn = text(60, 700, "A line before it.") + spread(60, 650, "HERONS AND EELS", apart)
    assert body(drawn).split("\n") == ["A line before it.", "HERONS AND EELS"]


@pytest.mark.parametrize("apart", [1.4, 1.6])
def test_slightly_letterspaced_words_are_words(apart: float) -> None:
    # PDFium takes some of their gaps for spaces, beside narrow letters.
    drawn = text(60, 700, "A line before it.") + spread(60, 650, "still hunting little eels", apart)
    assert body(drawn).split("\n") == ["A line before it.", "still hunting little eels"]


def test_cells_and_lists_of_single_letters_are_no_words() -> None:
    rows = "".join(
        text(60 + 30 * at, 700 - 20 * row, letter) for row in range(3) for at, letter in enumerate("HERON")
    )
    assert body(rows).split("\n") == ["H E R O N"] * 3
    close = "".join(text(60 + 12 * at, 700, letter) for at, letter in enumerate("ABCDE"))
    assert body(close) == "A B C D E"


def test_letters_that_touch_are_words() -> None:
    # On a page with so little text, PDFium puts a space between any two letters that are drawn singly.
    drawn = spread(60, 700, "HERONS AND SHORES", -0.1) + text(500, 660, "right")
    assert body(drawn) == "HERONS AND SHORES\nright"


def named(codes: dict[str, str], drawn: str) -> str:
    """Text whose font names characters for letters of Latin-1: UTF-16 in hexadecimal."""
    rows = "\n".join(f"<{ord(letter):02X}> <{code}>" for letter, code in codes.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
        f"1 begincodespacerange <00> <FF> endcodespacerange {len(codes)} beginbfchar\n{rows}\nendbfchar\n"
        "endcmap end end"
    )
    font = (
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /ToUnicode 11 0 R >>"
    )
    page = "/Resources << /Font << /F1 3 0 R /F2 10 0 R >> >>"
    return body(drawn.replace("/F1", "/F2"), page=page, objects=[font, stream(cmap)])


def test_characters_beyond_the_first_plane_are_read() -> None:
    codes = {"E": "D835DC38", "m": "D835DC5A", "c": "D835DC50", "=": "003D", "s": "D83DDE00", "k": "D842DFB7"}
    # The letters of formulas are plain letters.
    assert named(codes, text(60, 700, "E=mc") + text(60, 680, "s") + text(60, 660, "k")) == "E=mc\n😀\n𠮷"


def test_ligatures_whose_bytes_are_turned_round_are_letters() -> None:
    codes = {
        "A": "66006900",
        "B": "6600CF00",
        "C": "6600D200",
        "r": "0072",
        "s": "0073",
        "o": "006F",
        "e": "0065",
    }
    assert named(codes, text(60, 700, "Ars") + text(60, 680, "oBse") + text(60, 660, "soCes")) == (
        "firs\noffise\nsoffles"
    )
    # Chinese characters of the same codes stay.
    assert named({"A": "6600", "B": "6900"}, text(60, 700, "AB")) == "昀椀"


def test_a_watermark_does_not_join_the_word_before_it() -> None:
    watermark = "q .707 .707 .707 -.707 189 295.7 cm BT /F1 60 Tf 1 0 0 -1 0 0 Tm (DRAFT COPY) Tj ET Q "
    before = "q 1 0 0 -1 158 566 cm BT 1 0 0 -1 0 0 Tm /F1 11 Tf ( here.) Tj ET Q "
    drawn = text(60, 700, "The first line of it.") + before + watermark + text(70, 536, "Two columns")
    assert body(drawn) == "The first line of it.\nhere.\nTwo columns\nDRAFT COPY"


JAPANESE = [
    "<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiMin-W3-UniJIS-UCS2-V /Encoding /UniJIS-UCS2-V "
    "/DescendantFonts [11 0 R] >>",
    "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiMin-W3 /FontDescriptor 12 0 R "
    "/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> /DW 1000 >>",
    "<< /Type /FontDescriptor /FontName /HeiseiMin-W3 /Flags 4 /FontBBox [-123 -257 1001 910] /ItalicAngle 0 "
    "/Ascent 857 /Descent -143 /CapHeight 709 /StemV 69 >>",
]


def japanese(x: float, y: float, written: str) -> str:
    return f"BT /F2 14 Tf 1 0 0 1 {x} {y} Tm <{written.encode('utf-16-be').hex()}> Tj ET\n"


def test_vertical_lines_are_read_from_right_to_left() -> None:
    columns = ["縦書きの文章はここから始まり、", "二行目に続くように長く書いて", "あります。三行です。"]
    drawn = [japanese(500 - 24 * at, 750, column) for at, column in enumerate(columns)]
    page = "/Resources << /Font << /F1 3 0 R /F2 10 0 R >> >>"
    for order in (drawn, drawn[::-1]):
        assert body("".join(order), page=page, objects=JAPANESE) == "".join(columns)


def test_gaps_between_japanese_characters_are_no_spaces() -> None:
    objects = [JAPANESE[0].replace("UCS2-V", "UCS2-H"), *JAPANESE[1:]]
    page = "/Resources << /Font << /F1 3 0 R /F2 10 0 R >> >>"
    drawn = "".join(japanese(60 + 19 * at, 700, letter) for at, letter in enumerate("東京の首都"))
    assert body(drawn, page=page, objects=objects) == "東京の首都"
