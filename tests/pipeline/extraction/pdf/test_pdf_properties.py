"""Titles, authors, dates and page labels of PDF documents."""

from __future__ import annotations

import pytest
from support.pdf_files import pdf, stream, text

from pipeline.extraction import formats
from pipeline.extraction.content import Content
from pipeline.extraction.readers.pdf import PdfReader


def read(data: bytes) -> Content:
    return PdfReader().read(data, formats.detect(data, ".pdf"))


def test_the_labels_of_pages_are_kept() -> None:
    labels = "/PageLabels << /Nums [0 << /S /r >> 2 << /S /D >>] >>"
    content = read(pdf([text(60, 700, f"Sheet {at}") for at in range(4)], catalog=labels))
    assert content.page_labels == {1: "i", 2: "ii", 3: "1", 4: "2"}


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Microsoft Word - Rules of the rowing club.docx", "Rules of the rowing club"),
        ("Microsoft PowerPoint - rowing_2.ppt", None),
        ("PowerPoint Presentation", None),
        ("rowing-rules.indd", None),
        ("Document1", None),
        ("Rowing in 12 lessons, vol. 2", "Rowing in 12 lessons, vol. 2"),
        ("Node.js", "Node.js"),
    ],
)
def test_names_of_files_and_programs_are_no_titles(written: str, title: str | None) -> None:
    assert read(pdf([text(60, 700, "Oars")], info=f"/Title ({written})")).title == title


def test_title_author_and_date_are_those_of_the_document() -> None:
    info = "/Title (Eels of the delta) /Author (Mirjam Vos) /CreationDate (D:20240229101500+01'00')"
    content = read(pdf([text(60, 700, "Text")], info=info))
    assert (content.title, content.author, content.date) == (
        "Eels of the delta", "Mirjam Vos", "2024-02-29T10:15:00+01:00"
    )  # fmt: skip
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<r:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><r:Alt><r:li>Pike</r:li></r:Alt>'
        "</dc:title></r:Description></r:RDF></x:xmpmeta>"
    )
    assert read(pdf([text(60, 700, "Text")], objects=[stream(packet)])).title == "Pike"
