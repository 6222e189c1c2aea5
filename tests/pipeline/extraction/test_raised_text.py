"""Raised and lowered text: powers, indices and marks of references, in word processor files and slides."""

from __future__ import annotations

import struct

import pytest
from support.old_word import OldWord
from support.openxml import element, package
from support.word_files import docx, odt, text_of

from pipeline.extraction.formats import Format
from pipeline.extraction.raised_text import marked, resolved
from pipeline.extraction.readers.presentation import PresentationReader

_PRESENTATION = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["10", ("6", 1), " cells, 10", ("−3", 1)], "10⁶ cells, 10⁻³"),
        (["H", ("2", -1), "O and x", ("i", -1)], "H₂O and xi"),
        (["3 km", ("2", 1), ", 4 mm", ("3", 1), ", x", ("n+1", 1)], "3 km², 4 mm³, xⁿ⁺¹"),
        (["the 1", ("st", 1), " of May, Brand", ("TM", 1)], "the 1st of May, BrandTM"),
        (["treatment", ("12", 1), " was"], "treatment[12] was"),
        (["treatment", ("1", 1), (",", 1), ("4–6", 1), " was"], "treatment[1,4–6] was"),
        (["It ended.", ("3 ", 1), "Then"], "It ended.[3] Then"),
        (["Ana Lee", ("1", 1), ", Bob Müller", ("1,2", 1)], "Ana Lee[1], Bob Müller[1,2]"),
        (
            ["Ropes", ("a", 1), ", cells", ("a,b", 1), ", Smith", ("1,*", 1)],
            "Ropes[a], cells[a,b], Smith[1,*]",
        ),
        ([("3", 1), "And he said, “", ("4", 1), "Let", " ", ("14", 1), "C"], "³ And he said, “⁴ Let ¹⁴C"),
        (["9 miles", ("2", 1), ", cosh", ("2", 1), " x, boats", ("2", 1)], "9 miles², cosh² x, boats[2]"),
        (["M", ("a", 1), ", XXIII", ("e", 1), ", deuxi", ("ème", 1)], "Ma, XXIIIe, deuxième"),
        (["x", ("a/2", 1), " ", ("[^1]", 1), ("", 1)], "x^a/2 [^1]"),
        (["e\x01open"], "eopen"),
    ],
)  # fmt: skip
def test_pieces_of_a_paragraph(pieces: list[str | tuple[str, int]], shown: str) -> None:
    assert resolved("".join(each if isinstance(each, str) else marked(*each) for each in pieces)) == shown


def test_word_documents() -> None:
    runs = "".join(
        f'<w:r><w:rPr><w:vertAlign w:val="{align}"/></w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'
        for text, align in (
            ("Müller", "baseline"),
            ("1", "superscript"),
            (", CO", "baseline"),
            ("2", "subscript"),
        )
    )
    assert text_of(docx(f"<w:p>{runs}</w:p>")) == "Müller[1], CO₂"


def test_rich_text() -> None:
    source = rb"{\rtf1\ansi Ana M\'fcller{\super 1}, 10{\super 6} CO\sub 2\nosupersub  and\up6 3\up0  x\par}"
    assert text_of(source, ".rtf") == "Ana Müller[1], 10⁶ CO₂ and³ x"


def test_a_raised_mark_of_ones_own_before_a_note() -> None:
    source = rb"{\rtf1\ansi oars{\super 1}{\footnote{\super 1} Of ash.} float\par}"
    assert text_of(source, ".rtf") == "oars[1] float\n¹ Of ash."


def test_old_word_documents() -> None:
    raised, lowered = (struct.pack("<HB", 0x2A48, value) for value in (1, 2))
    data = OldWord("106 CO2\r", runs=[(2, 3, raised), (6, 7, lowered)]).bytes()
    assert text_of(data, ".doc") == "10⁶ CO₂"


def test_open_document_texts() -> None:
    styles = "".join(
        f'<style:style style:name="{name}" style:family="text"><style:text-properties style:text-position="{at}"/>'
        "</style:style>"
        for name, at in (("U", "super 58%"), ("V", "33% 58%"), ("D", "-33% 58%"), ("N", "0% 100%"))
    )
    spans = "".join(f'<text:span text:style-name="{name}">2</text:span>' for name in "UVDN")
    assert text_of(odt(f"<text:p>x{spans}</text:p>", automatic=styles), ".odt") == "x²²₂2"


def test_slides_and_their_formulas() -> None:
    runs = "".join(
        f'<a:r><a:rPr baseline="{at}"/><a:t>{text}</a:t></a:r>'
        for text, at in (("10", "0"), ("6", "30000"), (" CO", "0"), ("2", "-25000"))
    )
    math = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    formula = (
        f'<a14:m xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main"><m:oMathPara xmlns:m="{math}">'
        "<m:oMath><m:f><m:num><m:r><m:t>x</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath>"
        "</m:oMathPara></a14:m>"
    )
    shape = f"<p:sp><p:txBody><a:p>{runs}</a:p><a:p>{formula}</a:p></p:txBody></p:sp>"
    slide = element("p:sld", f"<p:cSld><p:spTree>{shape}</p:spTree></p:cSld>")
    main = element("p:presentation", '<p:sldIdLst><p:sldId id="256" r:id="s1"/></p:sldIdLst>')
    data = package(
        "ppt/p.xml", {"ppt/p.xml": main, "ppt/s.xml": slide}, {"ppt/p.xml": [("s1", "slide", "ppt/s.xml")]}
    )
    text = PresentationReader().read(data, Format(_PRESENTATION, "a presentation")).text
    assert "10⁶ CO₂" in text
    assert "x/2" in text
