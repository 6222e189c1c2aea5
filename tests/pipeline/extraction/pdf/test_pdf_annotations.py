"""What is filled in, noted and attached in PDF documents."""

from __future__ import annotations

from support.pdf_files import pdf, stream, text

from pipeline.extraction import formats
from pipeline.extraction.content import Content
from pipeline.extraction.readers.pdf import PdfReader


def read(data: bytes) -> Content:
    return PdfReader().read(data, formats.detect(data, ".pdf"))


def field(kind: str, rect: str, entries: str) -> str:
    return f"<< /Type /Annot /Subtype /Widget /FT /{kind} /Rect [{rect}] /F 4 {entries} >>"


def form(fields: list[str], drawn: str = "") -> Content:
    numbers = " ".join(f"{10 + at} 0 R" for at in range(len(fields)))
    return read(pdf([drawn], annotations=fields, catalog=f"/AcroForm << /Fields [{numbers}] >>"))


def test_values_of_a_form_stand_beside_their_labels() -> None:
    drawn = text(50, 704, "Skipper") + text(50, 664, "Harbour") + text(50, 624, "Insured")
    on = "/AP << /N << /Yes 3 0 R /Off 3 0 R >> >>"
    content = form(
        [
            field("Tx", "150 700 300 720", "/T (a) /V (Olga Brandt)"),
            field("Ch", "150 660 300 680", "/T (b) /Ff 131072 /Opt [[(e) (Esbjerg)] [(s) (Skagen)]] /V (s)"),
            field("Btn", "150 620 160 630", f"/T (c) /V /Yes /AS /Yes {on}"),
            field("Btn", "150 580 160 590", f"/T (d) /V /Off /AS /Off {on}"),
        ],
        drawn,
    )
    assert content.text.split("\n") == ["Skipper Olga Brandt", "Harbour Skagen", "Insured Yes"]


def test_a_field_without_a_label_on_the_page_has_its_name() -> None:
    content = form(
        [
            field("Tx", "150 700 300 720", "/T (owner) /TU (Owner of the boat) /V (Per Lund)"),
            field("Tx", "150 500 300 520", "/T (code) /Ff 8192 /V (password)"),
        ]
    )
    assert content.text == "Owner of the boat: Per Lund"


def test_notes_are_given_with_their_authors() -> None:
    drawn = text(60, 700, "The weir opens at noon.")
    notes = [
        "<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (Ask the miller.) /T (Hauke) >>",
        "<< /Type /Annot /Subtype /FreeText /Rect [60 600 200 620] /Contents (Closed in May) /T (Wiebke) >>",
        "<< /Type /Annot /Subtype /Highlight /Rect [60 700 99 712] /Contents (The weir opens at noon.) >>",
        "<< /Type /Annot /Subtype /Highlight /Rect [60 700 99 712] /Contents (Is that so?) >>",
        "<< /Type /Annot /Subtype /Text /F 2 /Rect [10 10 30 30] /Contents (Nobody sees this.) >>",
    ]
    content = read(pdf([drawn], annotations=notes))
    assert content.text == (
        "The weir opens at noon.\nClosed in May (note by Wiebke)\n\nNote by Hauke: Ask the miller.\n\nNote: Is that so?"
    )


def test_files_of_the_document_and_of_its_notes_are_attachments() -> None:
    objects = [
        stream("The lock is shut on Sundays.", "/Type /EmbeddedFile"),
        "<< /Type /Filespec /F (lock.txt) /UF (lock.txt) /EF << /F 10 0 R >> >>",
        stream("A mole of granite.", "/Type /EmbeddedFile"),
        "<< /Type /Filespec /F (mole.txt) /UF (mole.txt) /EF << /F 12 0 R >> >>",
    ]
    catalog = "/Names << /EmbeddedFiles << /Names [(lock.txt) 11 0 R] >> >>"
    pin = "<< /Type /Annot /Subtype /FileAttachment /Rect [9 9 20 20] /FS 13 0 R >>"
    content = read(pdf([text(60, 700, "Plan")], annotations=[pin], catalog=catalog, objects=objects))
    assert [(each.name, each.data) for each in content.attachments] == [
        ("lock.txt", b"The lock is shut on Sundays."),
        ("mole.txt", b"A mole of granite."),
    ]
