"""Slides with notes and e-mails with attachments: what lies within comes out with it, once."""

from __future__ import annotations

import gzip
import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from support.extracted import DOCX, LIMIT, NOISE, PDF, PNG, by_page, encrypted, extract, file, sample
from support.server import SAMPLES


def _changed(sample: str, **changes: tuple[str, str]) -> bytes:
    """A sample with `old` replaced by `new` in each of the parts that are named by the ends of their paths."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(SAMPLES / sample) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for path in old.namelist():
            content = old.read(path)
            for end, (before, after) in changes.items():
                if path.endswith(f"/{end}.xml") or path.endswith(f"/{end}.xml.rels"):
                    content = content.replace(before.encode(), after.encode())
            new.writestr(path, content)
    return buffer.getvalue()


def test_speakers_notes_are_on_their_slides_page(tmp_path: Path) -> None:
    pages = by_page(sample("visitor-night.pptx"))
    assert pages[3].rstrip().endswith("Speaker notes: Answer the question about UFOs with a smile.")
    assert sum("Speaker notes" in text for text in pages.values()) == 1
    two = "</a:t></a:r><a:br/><a:r><a:t># Two</a:t></a:r></a:p><a:p><a:r><a:t>Three</a:t>"
    lines = _changed("visitor-night.pptx", notesSlide1=("</a:t>", two))
    found = extract(file(tmp_path, "lines.pptx", lines), LIMIT)
    assert "with a smile.\n\\# Two\n\nThree" in by_page(found)[3]


def test_slides_are_numbered_as_they_are_shown(tmp_path: Path) -> None:
    order = ('<p:sldId id="256" r:id="rId7"/>', "")
    moved = _changed("visitor-night.pptx", presentation=order)
    moved_pages = by_page(extract(file(tmp_path, "a.pptx", moved), LIMIT))
    assert list(moved_pages) == [1, 2, 3, 4, 5]
    assert "with a smile" in moved_pages[2]
    assert moved_pages[1].startswith("## Before they arrive")
    assert moved_pages[5].startswith("## A Night for Visitors")


@pytest.mark.parametrize(
    "change",
    [
        {"notesSlide1": ("<p:cSld>", "<p:cSld")},
        {"notesSlide1": ("<p:cSld>", "<!---->" * 800_000 + "<p:cSld>")},
        {"slide3": ("../notesSlides/notesSlide1.xml", "../notesSlides/gone.xml")},
    ],
)
def test_notes_that_cannot_be_read_cost_no_slide(tmp_path: Path, change: dict[str, tuple[str, str]]) -> None:
    found = extract(file(tmp_path, "a.pptx", _changed("visitor-night.pptx", **change)), LIMIT)
    assert list(by_page(found)) == [1, 2, 3, 4, 5]
    assert "Have you seen a UFO" in found.text
    assert "smile" not in found.text


def _letter(*attachments: tuple[str, bytes]) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["Subject"] = "ilse@kestrel-ridge.example", "What you asked for"
    letter.set_content("The papers are attached.")
    for name, data in attachments:
        letter.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return letter


def test_attachments_of_an_e_mail_are_read_below_their_names(tmp_path: Path) -> None:
    letter = _letter(
        ("procedures.docx", DOCX),
        ("power.pdf", PDF),
        ("Grüße ☃.txt", "# nothing\nViele Grüße".encode("latin-1", "replace")),
        ("notes.md", b"# Mine\n\n```\n# code\n```\n"),
    )
    found = extract(file(tmp_path, "a.eml", bytes(letter)), LIMIT)
    assert found.title == "What you asked for"
    assert "The papers are attached." in found.text
    assert "\n\n# Attachment: procedures.docx\n\n## Telescope Procedures\n\n" in found.text
    assert "140 turns close the slit" in found.text
    assert "\n\n# Attachment: power.pdf\n\n" in found.text
    assert "A red lamp marked OIL means low oil" in found.text
    assert "\n\n# Attachment: Grüße ☃.txt\n\n\\# nothing\nViele Grüße\n\n" in found.text
    assert found.text.endswith("# Attachment: notes.md\n\n## Mine\n\n```\n# code\n```")


def test_attachments_that_give_no_text_are_named(tmp_path: Path) -> None:
    names = ["broken.docx", "locked.pdf", "noise.bin", "photo.png", "empty.txt", "talk.txt.gz"]
    contents = [DOCX[:900], encrypted("secret"), NOISE, PNG, b"", gzip.compress(b"text")]
    letter = _letter(*zip(names, contents, strict=True))
    letter.add_attachment(b"pgp", maintype="application", subtype="pgp-signature", filename="signature.asc")
    letter.add_attachment(
        PNG, maintype="image", subtype="png", filename="logo.png", cid="<1>", disposition="inline"
    )
    found = extract(file(tmp_path, "a.eml", bytes(letter)), LIMIT)
    body, *rest = found.text.split("\n\n# Attachment: ")
    assert body.endswith("The papers are attached.")
    assert rest == names


def test_an_attached_e_mail_is_read_once_and_what_came_with_it_is_not(tmp_path: Path) -> None:
    letter = _letter()
    letter.add_attachment(_letter(("deep.txt", b"Below the surface.")))
    letter.add_attachment(
        bytes(_letter(("deep.txt", b"Below the surface."))),
        maintype="application",
        subtype="octet-stream",
        filename="saved.eml",
    )
    found = extract(file(tmp_path, "a.eml", bytes(letter)), LIMIT)
    assert found.text.count("The papers are attached.") == 3
    assert "# Attachment: What you asked for\n\n# Attachment: saved.eml\n\n**Subject**" in found.text
    assert "Below the surface" not in found.text


def test_an_e_mail_with_a_thousand_attachments_names_them_and_reads_some(tmp_path: Path) -> None:
    letter = _letter(*((f"note-{number}.txt", b"The same words.") for number in range(1000)))
    found = extract(file(tmp_path, "a.eml", bytes(letter)), LIMIT)
    assert found.text.count("# Attachment: note-") == 1000
    assert found.text.count("The same words.") == 50


def test_an_e_mail_that_the_parser_cannot_take_apart_keeps_its_text(tmp_path: Path) -> None:
    nested = "".join(
        f'Content-Type: multipart/mixed; boundary="b{depth}"\n\n--b{depth}\n' for depth in range(3000)
    )
    data = f"Subject: Deep\nMIME-Version: 1.0\n{nested}\n\nWords.\n"
    assert "Deep" in extract(file(tmp_path, "a.eml", data.encode()), LIMIT).text
