"""Lines with letters of right-to-left scripts, from the places of their letters."""

from __future__ import annotations

import pytest

from pipeline.extraction.pdf import bidi
from pipeline.extraction.pdf.words import Glyph, Word


def line(visual: str, page_rtl: bool = True) -> str:
    """The text of a line that shows `visual` from left to right, each character ten points wide."""
    glyphs = [Glyph(character, 10 * at, 10 * at + 10) for at, character in enumerate(visual)]
    word = Word(visual, 0, 10 * len(visual), 0, 12, 0, False, 0, rtl=True)
    cells, _ = bidi.cells([word], lambda _: glyphs, page_rtl)
    return " ".join(cells)


@pytest.mark.parametrize(
    ("logical", "visual"),
    [
        ("שלום עולם", "םלוע םולש"),
        ("השער נסגר בשעה 18:30 בערב.", ".ברעב 18:30 העשב רגסנ רעשה"),
        ("גרסה Version 2.1 כאן", "ןאכ Version 2.1 הסרג"),
        ("שילם 1,250.50 ₪", "₪ 1,250.50 םליש"),
        ("מחיר 10% פחות", "תוחפ 10% ריחמ"),
        ("נמל (ישן) קטן", "ןטק (ןשי) למנ"),
        ("في الساعة 09:15 صباحا", "احابص 09:15 ةعاسلا يف"),
    ],
)
def test_lines_from_right_to_left(logical: str, visual: str) -> None:
    assert line(visual) == logical


def test_a_word_of_the_other_direction_inside_a_line() -> None:
    assert line("The word םולש is a greeting", page_rtl=False) == "The word שלום is a greeting"


def test_the_letters_of_one_glyph_and_the_marks_on_letters() -> None:
    word = Word("x", 0, 40, 0, 12, 0, False, 0, rtl=True)
    # A glyph whose two letters PDFium has turned round, and a mark on the first letter.
    glyphs = [
        Glyph("ב", 30, 40), Glyph("\u05bc", 34, 36), Glyph("ج", 20, 30), Glyph("ا", 10, 20), Glyph("ل", 10, 20)
    ]  # fmt: skip
    cells, rtl = bidi.cells([word], lambda _: glyphs, True)
    assert (cells, rtl) == (("ב\u05bcجلا",), True)
