"""What is read of PDF documents: on which page, in which order, joined to which words."""

from __future__ import annotations

import time

import pytest
from support.pdf_files import pdf, stream, text

from pipeline.extraction import formats
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.readers.pdf import PdfReader


def read(data: bytes) -> Content:
    return PdfReader().read(data, formats.detect(data, ".pdf"))


def bodies(data: bytes) -> list[str]:
    content = read(data)
    starts = [start for _, start in content.pages]
    return [
        content.text[start:end].strip()
        for start, end in zip(starts, [*starts[1:], len(content.text)], strict=True)
    ]


def lines(x: float, y: float, rows: list[str], leading: float = 14) -> str:
    return "".join(text(x, y - leading * at, row) for at, row in enumerate(rows))


def test_a_table_stands_on_its_page_once_row_by_row() -> None:
    rows = "".join(
        text(60, 700 - 20 * at, f"Eel {at}") + text(250, 700 - 20 * at, f"{at}.50") for at in range(5)
    )
    first, second = bodies(pdf([rows, text(60, 700, "The end of the catch.")]))
    assert first.split("\n") == [f"Eel {at} {at}.50" for at in range(5)]
    assert second == "The end of the catch."


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["The cellar is warm in summer and refrig-", "erated in autumn."], "refrigerated in autumn"),
        (["Send the list of the herrings by e-", "mail to the office."], "by e-mail to the office"),
        (["The smokehouse is known for a well-", "known kind of mackerel."], "a well-known kind"),
        (["We saw a fish-ladder there. It is a fish-", "ladder of concrete."], "a fish-ladder of concrete"),
        (["Any seaweed-", "Soup is served on Monday evenings."], "seaweed-Soup"),
        (["The norm is called ISO-", "9001 in all of its editions."], "ISO-9001 in all"),
        (["It lasts from the year 1990 -", "and it is not over yet."], "1990 - and"),
    ],
)
def test_words_broken_at_the_end_of_a_line_are_joined(rows: list[str], expected: str) -> None:
    assert expected in bodies(pdf([lines(60, 700, rows)]))[0]


def test_a_word_broken_at_the_end_of_a_page_is_on_the_first_of_them() -> None:
    first, second = bodies(
        pdf([text(60, 700, "We count the sand mar-"), text(60, 700, "tins twice a year.")])
    )
    assert (first, second) == ("We count the sand martins", "twice a year.")


def test_only_equal_lines_and_page_numbers_are_left_out() -> None:
    pages = [
        text(60, 800, "Receipt no. " + str(5000 + 7 * at)) + text(400, 800, f"{at + 3} March")
        + text(60, 500, f"Hire of boat {at}") + text(60, 40, "Boat hire of the lake")
        + text(300, 20, f"- {at + 1} -")
        for at in range(4)
    ]  # fmt: skip
    found = bodies(pdf(pages))
    for at, body in enumerate(found):
        assert f"Receipt no. {5000 + 7 * at}" in body
        assert f"{at + 3} March" in body
        assert f"- {at + 1} -" not in body
    assert [body.count("Boat hire of the lake") for body in found] == [1, 0, 0, 0]


def test_consecutive_numbers_of_receipts_stay() -> None:
    pages = [text(60, 800, f"Receipt no. {at + 1}") + text(60, 500, f"Rope {at}") for at in range(5)]
    assert all(f"Receipt no. {at + 1}" in body for at, body in enumerate(bodies(pdf(pages))))


def cell(x: float, y: float, rows: list[str]) -> str:
    return lines(x, y, rows, 12)


def test_cells_of_several_lines_are_read_one_after_the_other() -> None:
    rows = (
        cell(60, 700, ["Lock"]) + cell(120, 700, ["Duty of the keeper"]) + cell(300, 700, ["Remark"])
        + cell(60, 670, ["East"]) + cell(120, 670, ["Opens the upper gate when a", "barge has sounded its horn."])
        + cell(300, 676, ["Never by night, and not", "while the weir is being re-", "paired by the masons."])
        + cell(60, 620, ["West-"]) + cell(120, 620, ["Writes down", "each boat."])
        + cell(300, 620, ["In the book", "of the lock."])
        + cell(60, 580, ["North"]) + cell(120, 580, ["None"]) + cell(300, 580, ["Closed"])
    )  # fmt: skip
    prose = "".join(
        lines(
            60,
            top,
            ["The keepers of the locks live beside the canal, in houses that were built with it."] * 8,
        )
        for top in (540, 400)
    )
    assert bodies(pdf([rows + prose]))[0].split("\n")[:4] == [
        "Lock Duty of the keeper Remark",
        "East Opens the upper gate when a barge has sounded its horn. "
        "Never by night, and not while the weir is being repaired by the masons.",
        "West- Writes down each boat. In the book of the lock.",
        "North None Closed",
    ]


def test_columns_of_a_table_that_are_drawn_one_after_the_other_are_read_row_by_row() -> None:
    labels = cell(60, 700, ["Ida Brand", "Jon Dahl", "Eva Holm"])
    values = cell(200, 700, ["keeper", "pilot", "cook"])
    assert bodies(pdf([labels + values]))[0].split("\n") == [
        "Ida Brand keeper",
        "Jon Dahl pilot",
        "Eva Holm cook",
    ]


def test_bullets_and_signs_of_symbol_fonts_are_read() -> None:
    named = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /N def /CMapType 2 def "
        "1 begincodespacerange <00> <FF> endcodespacerange "
        "2 beginbfchar <B7> <F0B7> <A7> <F0A7> endbfchar endcmap end end"
    )
    fonts = [
        f"<< /Type /Font /Subtype /TrueType /BaseFont /ABCDEF+{name} /FirstChar 0 /LastChar 255 "
        f"/Widths [{'500 ' * 256}] /ToUnicode 12 0 R >>"
        for name in ("SymbolMT", "Wingdings-Regular")
    ]
    drawn = "".join(
        f"BT /{font} 12 Tf 60 {700 - 20 * at} Td <{code}> Tj ET\n"
        + text(80, 700 - 20 * at, f"Oar number {at}")
        for at, (font, code) in enumerate([("F2", "B7")] * 30 + [("F3", "A7")])
    )
    resources = "/Resources << /Font << /F1 3 0 R /F2 10 0 R /F3 11 0 R >> >>"
    content = read(pdf([drawn], page=resources, objects=[*fonts, stream(named)]))
    assert content.text.split("\n")[:2] == ["• Oar number 0", "• Oar number 1"]
    assert "▪ Oar number 30" in content.text
    assert content.warnings == ()


LEFT = [
    "The heron stands in the shallow water and", "waits until a frog comes near enough, then",
    "strikes so fast that the eye can not follow", "the neck. In winter it moves to the coast",
    "where the water does not freeze and small", "fish are found in pools that the tide has",
]  # fmt: skip
RIGHT = [
    "left behind. The nests are built of twigs", "and used for many years by the same pairs",
    "which repair them in spring. A colony has", "from ten to two hundred nests in old trees",
    "near a lake or a slow river. Young herons", "leave the nest after seven or eight weeks.",
]  # fmt: skip


@pytest.mark.parametrize("interleaved", [False, True])
def test_columns_are_read_one_after_the_other(interleaved: bool) -> None:
    title = text(60, 780, "The grey heron and its year, a long title over both of the columns", 14)
    left, right = lines(60, 740, LEFT), lines(320, 740, RIGHT)
    if interleaved:
        rows = zip(left.splitlines(), right.splitlines(), strict=True)
        body = bodies(pdf([title + "\n".join(f"{a}\n{b}" for a, b in rows)]))[0]
    else:
        body = bodies(pdf([title + right + left]))[0]
    plain = " ".join(body.split())
    assert plain.startswith("The grey heron and its year")
    assert " ".join(LEFT + RIGHT) in plain


def test_three_columns_that_are_not_level_are_read_one_after_the_other() -> None:
    third = [
        "The bittern is a heron, too, but it hides", "among the reeds and is heard more often",
        "than it is seen by anyone.",
    ]  # fmt: skip
    drawn = [
        text(30, 740, "A heading"), lines(30, 720, LEFT[:5], 11), text(215, 742, LEFT[5], 9.5),
        text(215, 716, "Another"), lines(215, 700, RIGHT, 11),
        text(400, 735, "A third one"), lines(400, 718, third, 11),
    ]  # fmt: skip
    body = bodies(pdf(["".join(drawn).replace(" 12 Tf", " 8 Tf").replace(" 9.5 Tf", " 8 Tf")]))[0]
    plain = " ".join(body.split())
    headed = ["A heading", *LEFT, "Another", *RIGHT, "A third one", *third]
    assert plain == " ".join(headed)


def test_text_is_read_in_each_direction() -> None:
    upright = lines(60, 700, LEFT)
    sideways = "q 0 1 -1 0 40 300 cm " + text(0, 0, "Plate seven of the atlas") + "Q\n"
    body = bodies(pdf([upright + sideways]))[0]
    assert body.endswith("Plate seven of the atlas")
    turned = "q 0 1 -1 0 500 0 cm " + lines(60, 400, LEFT) + "Q\n"
    assert " ".join(LEFT) in bodies(pdf([turned], page="/Rotate 90"))[0]


def test_text_drawn_twice_is_read_once() -> None:
    drawn = text(60, 700, "Bold by two strokes") + text(60.3, 700, "Bold by two strokes")
    shadow = text(60, 650, "With a shadow") + text(61.2, 648.8, "With a shadow")
    assert bodies(pdf([drawn + shadow])) == ["Bold by two strokes\nWith a shadow"]


def test_invisible_text_is_read_and_text_outside_the_crop_box_is_not() -> None:
    layer = "3 Tr " + text(60, 700, "Layer of a scan")
    assert bodies(pdf([layer])) == ["Layer of a scan"]
    drawn = text(60, 700, "Inside") + text(60, 30, "Outside")
    assert bodies(pdf([drawn], page="/CropBox [0 100 595 842]")) == ["Inside"]


def test_text_that_is_clipped_away_or_on_a_hidden_layer_is_left_out() -> None:
    clipped = "q 10 10 20 20 re W n " + text(60, 500, "Clipped away") + "Q q 50 380 200 40 re W n "
    assert bodies(pdf([text(60, 700, "Seen") + clipped + text(60, 400, "Seen, too") + "Q"])) == [
        "Seen\nSeen, too"
    ]
    layers = ["<< /Type /OCG /Name (Answers) >>", "<< /Type /OCG /Name (Questions) >>"]
    resources = "/Resources << /Font << /F1 3 0 R >> /Properties << /A 10 0 R /Q 11 0 R >> >>"
    catalog = "/OCProperties << /OCGs [10 0 R 11 0 R] /D << /OFF [10 0 R] >> >>"
    drawn = f"/OC /A BDC {text(60, 700, 'Forty')} EMC /OC /Q BDC {text(60, 600, 'How many?')} EMC"
    assert bodies(pdf([drawn], page=resources, catalog=catalog, objects=layers)) == ["How many?"]


def test_pages_that_show_something_without_text_are_named() -> None:
    content = read(
        pdf([text(60, 700, "One"), "10 10 300 300 re f", "", "10 10 300 300 re f " + text(9, 9, "4")])
    )
    assert content.pages_without_text == (2, 4)


def test_text_whose_font_does_not_name_its_letters_is_left_out() -> None:
    font = "<< /Type /Font /Subtype /Type0 /BaseFont /Nameless /Encoding /Identity-H /DescendantFonts [11 0 R] >>"
    descendant = (
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Nameless /FontDescriptor 12 0 R "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"
    )
    descriptor = (
        "<< /Type /FontDescriptor /FontName /Nameless /Flags 4 /FontBBox [0 0 900 900] /ItalicAngle 0 /Ascent 800 "
        "/Descent -200 /CapHeight 700 /StemV 80 >>"
    )
    glyphs = "BT /F2 12 Tf 60 700 Td <00370048005B0057001100120013> Tj ET"
    resources = "/Resources << /Font << /F1 3 0 R /F2 10 0 R >> >>"
    data = pdf([glyphs, text(60, 700, "Readable")], page=resources, objects=[font, descendant, descriptor])
    content = read(data)
    assert content.text == "Readable"
    assert content.pages_without_text == (1,)
    assert content.warnings == ("Page 1 has text whose font does not say which letters it shows.",)


def test_damaged_cross_references_are_repaired() -> None:
    data = (
        pdf([text(60, 700, "Still here")]).replace(b"startxref", b"startxxxx").replace(b"xref\n0", b"xxxx\n0")
    )
    assert bodies(data) == ["Still here"]
    with pytest.raises(ExtractError, match="damaged"):
        read(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n")


def test_the_time_is_linear_in_the_number_of_pages() -> None:
    def seconds(count: int) -> float:
        data = pdf([lines(60, 700, LEFT)] * count)
        start = time.process_time()
        read(data)
        return time.process_time() - start

    seconds(10)
    assert seconds(2000) < 40 * seconds(200)


def test_a_form_that_only_adobe_shows_gives_its_values_and_a_warning() -> None:
    values = '<d:datasets xmlns:d="urn:x"><d:data><form><Skipper>Olga Brandt</Skipper></form></d:data></d:datasets>'
    catalog = "/AcroForm << /Fields [] /XFA [(template) 10 0 R (datasets) 11 0 R] >> /NeedsRendering true"
    please_wait = text(20, 700, "Please wait... If this message is not replaced")
    content = read(pdf([please_wait], catalog=catalog, objects=[stream("<template/>"), stream(values)]))
    assert content.text == "Skipper: Olga Brandt"
    assert "Adobe" in content.warnings[0]
