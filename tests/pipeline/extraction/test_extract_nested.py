"""Slides with speaker notes and e-mails with attachments: nested content is extracted once."""

from __future__ import annotations

import bz2
import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from support.extracted import DOCX, LIMIT, NOISE, PDF, PNG, by_page, encrypted, extract, file, sample
from support.server import SAMPLES


def _changed(sample: str, **changes: tuple[str, str]) -> bytes:
    """A copy of a sample; `changes` maps the end of a part's path to the text to replace and its replacement."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(SAMPLES / sample) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for path in source.namelist():
            content = source.read(path)
            for end, (before, after) in changes.items():
                if path.endswith(f"/{end}.xml") or path.endswith(f"/{end}.xml.rels"):
                    content = content.replace(before.encode(), after.encode())
            copy.writestr(path, content)
    return buffer.getvalue()


def test_speaker_notes_are_on_the_page_of_their_slide(tmp_path: Path) -> None:
    pages = by_page(sample("visitor-night.pptx"))
    assert pages[3].rstrip().endswith("Speaker notes: Answer the question about UFOs with a smile.")
    assert sum("Speaker notes" in text for text in pages.values()) == 1
    two = "</a:t></a:r><a:br/><a:r><a:t># Two</a:t></a:r></a:p><a:p><a:r><a:t>Three</a:t>"
    lines = _changed("visitor-night.pptx", notesSlide1=("</a:t>", two))
    extracted = extract(file(tmp_path, "lines.pptx", lines), LIMIT)
    assert "with a smile.\n\\# Two\n\nThree" in by_page(extracted)[3]


def test_slides_are_numbered_in_presentation_order(tmp_path: Path) -> None:
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
        {"notesSlide1": ("<p:cSld>", "<x>" * 1000 + "</x>" * 1000 + "<p:cSld>")},
        {"slide3": ("../notesSlides/notesSlide1.xml", "../notesSlides/gone.xml")},
    ],
)
def test_unreadable_notes_do_not_lose_a_slide(tmp_path: Path, change: dict[str, tuple[str, str]]) -> None:
    extracted = extract(file(tmp_path, "a.pptx", _changed("visitor-night.pptx", **change)), LIMIT)
    assert list(by_page(extracted)) == [1, 2, 3, 4, 5]
    assert "Have you seen a UFO" in extracted.text
    assert "smile" not in extracted.text


def _email(*attachments: tuple[str, bytes]) -> EmailMessage:
    email = EmailMessage()
    email["From"], email["Subject"] = "ilse@kestrel-ridge.example", "What you asked for"
    email.set_content("The papers are attached.")
    for name, data in attachments:
        email.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return email


def test_email_attachments_are_read_below_their_names(tmp_path: Path) -> None:
    email = _email(
        ("procedures.docx", DOCX),
        ("power.pdf", PDF),
        ("Grüße ☃.txt", "# nothing\nViele Grüße".encode("latin-1", "replace")),
        ("notes.md", b"# Mine\n\n```\n# code\n```\n"),
    )
    extracted = extract(file(tmp_path, "a.eml", bytes(email)), LIMIT)
    assert extracted.title == "What you asked for"
    assert "The papers are attached." in extracted.text
    assert "\n\n# Attachment: procedures.docx\n\n## Telescope Procedures\n\n" in extracted.text
    assert "140 turns close the slit" in extracted.text
    assert "\n\n# Attachment: power.pdf\n\n" in extracted.text
    assert "A red lamp marked OIL means low oil" in extracted.text
    assert "\n\n# Attachment: Grüße ☃.txt\n\n\\# nothing\nViele Grüße\n\n" in extracted.text
    assert extracted.text.endswith("# Attachment: notes.md\n\n## Mine\n\n```\n# code\n```")


def test_attachments_without_text_are_named(tmp_path: Path) -> None:
    names = ["broken.docx", "locked.pdf", "noise.bin", "photo.png", "empty.txt", "talk.txt.bz2"]
    contents = [DOCX[:900], encrypted("secret"), NOISE, PNG, b"", bz2.compress(b"text")]
    email = _email(*zip(names, contents, strict=True))
    email.add_attachment(b"pgp", maintype="application", subtype="pgp-signature", filename="signature.asc")
    email.add_attachment(
        PNG, maintype="image", subtype="png", filename="logo.png", cid="<1>", disposition="inline"
    )
    extracted = extract(file(tmp_path, "a.eml", bytes(email)), LIMIT)
    body, *rest = extracted.text.split("\n\n# Attachment: ")
    assert body.endswith("The papers are attached.")
    assert rest == names


def test_an_attached_email_is_read_with_its_own_attachments(tmp_path: Path) -> None:
    email = _email()
    email.add_attachment(_email(("deep.txt", b"Below the surface.")))
    email.add_attachment(
        bytes(_email(("deep.txt", b"Below the surface."))),
        maintype="application",
        subtype="octet-stream",
        filename="saved.eml",
    )
    extracted = extract(file(tmp_path, "a.eml", bytes(email)), LIMIT)
    assert extracted.text.count("The papers are attached.") == 3
    assert "\n\n# Attachment: What you asked for\n\nSubject" in extracted.text
    assert "\n\n# Attachment: saved.eml\n\nSubject" in extracted.text
    assert extracted.text.count("\n\n## Attachment: deep.txt\n\nBelow the surface.") == 2


def test_a_thousand_attachments_are_named_and_fifty_are_read(tmp_path: Path) -> None:
    email = _email(*((f"note-{number}.txt", b"The same words.") for number in range(1000)))
    extracted = extract(file(tmp_path, "a.eml", bytes(email)), LIMIT)
    assert extracted.text.count("# Attachment: note-") == 1000
    assert extracted.text.count("The same words.") == 50


def test_an_email_that_cannot_be_parsed_keeps_its_text(tmp_path: Path) -> None:
    nested = "".join(
        f'Content-Type: multipart/mixed; boundary="b{depth}"\n\n--b{depth}\n' for depth in range(3000)
    )
    data = f"Subject: Deep\nMIME-Version: 1.0\n{nested}\n\nWords.\n"
    assert "Deep" in extract(file(tmp_path, "a.eml", data.encode()), LIMIT).text
