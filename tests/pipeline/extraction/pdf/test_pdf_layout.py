"""In which order parts of a PDF page are read that stand beside, over or around one another."""

from __future__ import annotations

from support.pdf_files import pdf, text

from pipeline.extraction import formats
from pipeline.extraction.pdf.layout import Line
from pipeline.extraction.pdf.paragraphs import Vocabulary, text_of
from pipeline.extraction.readers.pdf import PdfReader

LEFT = [
    "The grey heron stands in shallow water and", "waits until a fish comes near. It nests in",
    "colonies on tall trees, often far from the", "next river, and comes back every spring to",
    "the nest of the year before.",
]  # fmt: skip
RIGHT = [
    "Its young are fed with fish by both of the", "parents for about eight weeks, and then they",
    "fly away to look for a place of their own,", "which may be many miles from where they were",
    "hatched in the spring.",
]  # fmt: skip


def body(*drawn: str) -> str:
    data = pdf(["".join(drawn)])
    return PdfReader().read(data, formats.detect(data, ".pdf")).text.strip()


def lines(x: float, y: float, rows: list[str]) -> str:
    return "".join(text(x, y - 14 * at, row) for at, row in enumerate(rows))


def test_a_short_heading_below_columns_is_read_after_them() -> None:
    below = text(60, 250, "Eels") + text(60, 230, "The eel lives in rivers and swims to the sea of weeds.")
    plain = body(lines(60, 750, LEFT * 5), lines(320, 750, RIGHT * 5), below)
    assert plain.endswith(f"{RIGHT[-1]}\nEels\nThe eel lives in rivers and swims to the sea of weeds.")


def test_a_short_line_above_the_second_column_is_read_before_them() -> None:
    plain = body(text(480, 790, "Spring 2026"), lines(60, 750, LEFT * 5), lines(320, 750, RIGHT * 5))
    assert plain.startswith(f"Spring 2026\n{LEFT[0]}")


def test_two_lines_of_a_second_column_are_read_after_the_first() -> None:
    rest = ["and its young are fed by both parents for", "about eight weeks, and then they fly away."]
    plain = " ".join(body(lines(60, 750, LEFT * 5), lines(320, 750, rest)).split())
    assert plain == " ".join(LEFT * 5 + rest)


def justified(x: float, y: float, row: str) -> str:
    """A row of words of letters that are equally wide, with gaps so that they fill a column."""
    words, drawn = row.split(), ""
    gap = (220 - sum(6.672 * len(word) for word in words)) / (len(words) - 1)
    for word in words:
        drawn += text(round(x, 2), y, word)
        x += 6.672 * len(word) + gap
    return drawn


def test_columns_with_wide_gaps_between_their_words_are_columns() -> None:
    left = ["banded been abandoned", "upon unbounded ponds", "when abandoned heaps"] * 8
    right = ["gone and one uneven bed", "he happened upon a pond", "open hedge and unabated"] * 8
    left, right = ([row.replace("w", "d").replace("v", "b") for row in rows] for rows in (left, right))
    drawn = [justified(60, 750 - 14 * at, row) for at, row in enumerate(left)]
    drawn += [justified(320, 750 - 14 * at, row) for at, row in enumerate(right)]
    assert " ".join(body(*drawn).split()) == " ".join(left + right)


def test_an_initial_of_several_lines_belongs_to_the_first_of_them() -> None:
    around = lines(
        92, 700, ["he heron is seen near all of the lakes and", "rivers of the country, in every season and"]
    )
    below = text(60, 672, "in any weather that the year may bring to it.")
    initial = text(60, 686, "T", 40)
    # Browsers draw the letter long before or after its line.
    for drawn in ((initial, around, below), (around, below, initial)):
        plain = " ".join(body(text(60, 740, "Herons"), *drawn).split())
        assert plain.startswith(
            "Herons The heron is seen near all of the lakes and rivers of the country, in"
        )
        assert plain.endswith("season and in any weather that the year may bring to it.")


def test_words_that_are_drawn_over_others_are_not_joined_to_them() -> None:
    under = text(60, 700, "A paragraph that is covered by a note")
    assert "byNote" not in body(under, text(60, 670, "Second"), text(150, 701, "Note"))
    assert "Note" in body(under, text(60, 670, "Second"), text(150, 701, "Note")).split()


def test_lines_of_a_cell_may_be_far_apart() -> None:
    cell = ["a long fish that lives in", "rivers and in the sea, and", "is eaten smoked"]
    drawn = [text(200, 724 - 25 * at, row) for at, row in enumerate(cell)]
    row = body(text(60, 699, "Eel"), *drawn, text(420, 699, "3.50"))
    assert row == "Eel a long fish that lives in rivers and in the sea, and is eaten smoked 3.50"


def test_a_line_from_right_to_left_does_not_go_on_from_one_of_the_other_direction() -> None:
    english, hebrew = "A line that is longer than most of the others.", "שורה שנכתבת מימין לשמאל"
    rows = [
        Line(english, (english,), 60, 300, 700, 14, 0, 0, 10, False),
        Line(hebrew, (hebrew,), 100, 500, 686, 14, 0, 0, 30, True),
    ]
    assert text_of(rows, Vocabulary(rows)) == f"{english}\n{hebrew}"


def test_a_table_of_contents_has_a_line_for_each_entry() -> None:
    dots = " ." * 60
    rows = [f"1 Herons{dots} 1", f"1.1 The grey heron{dots[:-24]} 2", f"2 Eels and other fish{dots[:-32]} 14"]
    assert body(lines(60, 700, rows)).split("\n") == [
        "1 Herons ... 1", "1.1 The grey heron ... 2", "2 Eels and other fish ... 14"
    ]  # fmt: skip


def test_an_address_that_a_line_breaks_is_whole() -> None:
    rows = [
        "The list of all the herons is kept at https://example.org/",
        "birds/herons/of/the/lakes/and/rivers/list-of-all.html?",
        "year=2026 and is free. See also http://example.org/",
        "and the printed edition of it.",
    ]
    plain = body(lines(60, 700, rows))
    assert "https://example.org/birds/herons/of/the/lakes/and/rivers/list-of-all.html?year=2026 and" in plain
    assert "http://example.org/ and the" in " ".join(plain.split())


def test_alternative_texts_of_pictures_are_read_once() -> None:
    root = "<< /Type /StructTreeRoot /K [11 0 R 12 0 R 13 0 R] /ParentTree << /Nums [0 [11 0 R 12 0 R 13 0 R]] >> >>"
    element = "<< /Type /StructElem /P 10 0 R /Pg 14 0 R /K {at} /S /{kind} /Alt ({written}) >>"
    figures = [("Figure", "A heron on one leg"), ("Figure", "heron.png"), ("Span", "A word")]
    elements = [
        element.format(at=at, kind=kind, written=written) for at, (kind, written) in enumerate(figures)
    ]
    drawn = "".join(
        f"/{kind} <</MCID {at}>> BDC {text(60, 700 - 20 * at, 'Some text')} EMC\n"
        for at, (kind, _) in enumerate(figures)
    )
    data = pdf(
        [drawn],
        objects=[root, *elements],
        page="/StructParents 0",
        catalog="/MarkInfo << /Marked true >> /StructTreeRoot 10 0 R",
    )
    content = PdfReader().read(data, formats.detect(data, ".pdf"))
    assert content.text.strip() == "Some text\nSome text\nSome text\n\n[Picture: A heron on one leg]"
