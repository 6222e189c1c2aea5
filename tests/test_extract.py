"""Real files of every kind: what text comes out, and what is said of those that give none."""

from __future__ import annotations

import base64
import gzip
import io
import os
import random
import socket
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pypdf
import pytest
from conftest import SAMPLES

from pipeline import extract as extracting
from pipeline.extract import Extracted, ExtractError, Places

LIMIT = 1 << 20
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NOISE = random.Random(7).randbytes(20_000)


def extract(path: str, size_limit: int) -> Extracted:
    return extracting.extract(path, extracting.read(path, size_limit, Places(("/",), ())), size_limit)


def _file(folder: Path, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


def _sample(name: str) -> Extracted:
    return extract(str(SAMPLES / name), LIMIT)


def _pages(found: Extracted) -> dict[int, str]:
    ends = [start for _, start in found.pages[1:]] + [len(found.text)]
    return {number: found.text[start:end] for (number, start), end in zip(found.pages, ends, strict=True)}


def _encrypted(password: str, owner: str | None = None) -> bytes:
    writer = pypdf.PdfWriter(clone_from=str(SAMPLES / "power-and-heating.pdf"))
    writer.encrypt(password, owner, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _zip(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "mime", "title", "passage"),
    [
        ("welcome.md", "text/markdown", "Welcome to Kestrel Ridge", "two litres a minute"),
        ("night-log.txt", "text/plain", None, "a spider's thread in front of the guide camera"),
        (
            "visitor-rules.html",
            "text/html",
            "Rules for visitors – Kestrel Ridge Observatory",
            "## Animals\n\nDogs",
        ),
        (
            "power-and-heating.pdf",
            "application/pdf",
            "Power and Heating",
            "A red lamp marked OIL means low oil",
        ),
        ("telescope-procedures.docx", "wordprocessingml", "Telescope Procedures", "140 turns close the slit"),
        ("visitor-night.pptx", "presentationml", "A Night for Visitors", "the old brass telescope of 1911"),
        ("stores.xlsx", "spreadsheetml", "Stores of the station", "| Glow plug GP-8 | generators | 12 |"),
        ("kitchen-recipes.epub", "application/epub+zip", "The Kitchen of Kestrel Ridge", "600 g red lentils"),
        ("storm-report.eml", "message/rfc822", "After the storm: what broke, and what we change", "178 km/h"),
    ],
)
def test_samples_give_their_text_and_title(name: str, mime: str, title: str | None, passage: str) -> None:
    found = _sample(name)
    assert mime in found.mime
    assert found.title == title
    assert passage in found.text


def test_pages_are_true_pages_without_their_running_footers() -> None:
    pages = _pages(_sample("power-and-heating.pdf"))
    assert list(pages) == [1, 2, 3]
    assert "3. When the generator fails" in pages[2]
    assert "6. Frozen pipes" in pages[3]
    assert all("Observatory - Power and heating - page" not in text for text in pages.values())
    slides = _pages(_sample("visitor-night.pptx"))
    assert list(slides) == [1, 2, 3, 4, 5]
    assert slides[4].startswith("## If it is cloudy")


def test_texts_come_exactly_as_they_are(tmp_path: Path) -> None:
    text = "<b>&amp; ünï → 日本 🙂</b>\r\n\tx = a_b * 2  \\# kept\r\n"
    for name in ("a.txt", "a.py", "a.md", "a.rst", "a.log", "a", "a.unknown", "a.doc", "Makefile"):
        found = extract(_file(tmp_path, name, text.encode()), LIMIT)
        assert found.text == text, name
        assert found.markdown == (name == "a.md")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "latin-1", "cp1251"])
def test_encodings_are_told_apart(tmp_path: Path, encoding: str) -> None:
    german = "Die Kälte kam über Nacht, und die Rohre in der Küche waren größtenteils eingefroren. " * 5
    russian = "Ночью пришёл мороз, и трубы на кухне замёрзли, потому что генератор остановился. " * 5
    text = russian if encoding == "cp1251" else german
    data = text.encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    assert extract(_file(tmp_path, "a.txt", data), LIMIT).text == text


@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    text = "# Kälte\n\nЗимой 冬 🙂\n" * 3
    marked = ("\ufeff" + text).encode(encoding)
    for name in ("a.md", "a.txt", "a"):
        assert extract(_file(tmp_path, name, marked), LIMIT).text == text
    cut_off = extract(_file(tmp_path, "cut.txt", marked[:-1]), LIMIT).text
    assert cut_off == text[:-1] + "\ufffd"


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff"])
def test_what_only_begins_like_utf_16_or_32_is_corrupt(tmp_path: Path, mark: bytes) -> None:
    for rest in (NOISE, bytes(999), b"plain text " * 50 if len(mark) == 4 else NOISE[:1001]):
        with pytest.raises(ExtractError, match="begins like a text in UTF-") as refused:
            extract(_file(tmp_path, "a.txt", mark + rest), LIMIT)
        assert refused.value.category == "corrupt"
        assert not refused.value.skipped


def test_what_has_no_letter_or_digit_is_empty(tmp_path: Path) -> None:
    for text in ("\u200b\ufeff\n", "-----\n* * *\n|---|\n", "🎉 → ✓", "\ufeff"):
        with pytest.raises(ExtractError, match="no text in this file") as refused:
            extract(_file(tmp_path, "a.md", text.encode()), LIMIT)
        assert refused.value.skipped


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
    pages = _pages(_sample("visitor-night.pptx"))
    assert pages[3].rstrip().endswith("Speaker notes: Answer the question about UFOs with a smile.")
    assert sum("Speaker notes" in text for text in pages.values()) == 1
    two = "</a:t></a:r><a:br/><a:r><a:t># Two</a:t></a:r></a:p><a:p><a:r><a:t>Three</a:t>"
    lines = _changed("visitor-night.pptx", notesSlide1=("</a:t>", two))
    found = extract(_file(tmp_path, "lines.pptx", lines), LIMIT)
    assert "with a smile.\n\\# Two\n\nThree" in _pages(found)[3]


def test_slides_are_numbered_as_they_are_shown(tmp_path: Path) -> None:
    order = ('<p:sldId id="256" r:id="rId7"/>', "")
    moved = _changed("visitor-night.pptx", presentation=order)
    moved_pages = _pages(extract(_file(tmp_path, "a.pptx", moved), LIMIT))
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
    found = extract(_file(tmp_path, "a.pptx", _changed("visitor-night.pptx", **change)), LIMIT)
    assert list(_pages(found)) == [1, 2, 3, 4, 5]
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
        ("procedures.docx", _DOCX),
        ("power.pdf", _PDF),
        ("Grüße ☃.txt", "# nothing\nViele Grüße".encode("latin-1", "replace")),
        ("notes.md", b"# Mine\n\n```\n# code\n```\n"),
    )
    found = extract(_file(tmp_path, "a.eml", bytes(letter)), LIMIT)
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
    contents = [_DOCX[:900], _encrypted("secret"), NOISE, PNG, b"", gzip.compress(b"text")]
    letter = _letter(*zip(names, contents, strict=True))
    letter.add_attachment(b"pgp", maintype="application", subtype="pgp-signature", filename="signature.asc")
    letter.add_attachment(
        PNG, maintype="image", subtype="png", filename="logo.png", cid="<1>", disposition="inline"
    )
    found = extract(_file(tmp_path, "a.eml", bytes(letter)), LIMIT)
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
    found = extract(_file(tmp_path, "a.eml", bytes(letter)), LIMIT)
    assert found.text.count("The papers are attached.") == 3
    assert "# Attachment: What you asked for\n\n# Attachment: saved.eml\n\n**Subject**" in found.text
    assert "Below the surface" not in found.text


def test_an_e_mail_with_a_thousand_attachments_names_them_and_reads_some(tmp_path: Path) -> None:
    letter = _letter(*((f"note-{number}.txt", b"The same words.") for number in range(1000)))
    found = extract(_file(tmp_path, "a.eml", bytes(letter)), LIMIT)
    assert found.text.count("# Attachment: note-") == 1000
    assert found.text.count("The same words.") == 50


def test_an_e_mail_that_the_parser_cannot_take_apart_keeps_its_text(tmp_path: Path) -> None:
    nested = "".join(
        f'Content-Type: multipart/mixed; boundary="b{depth}"\n\n--b{depth}\n' for depth in range(3000)
    )
    data = f"Subject: Deep\nMIME-Version: 1.0\n{nested}\n\nWords.\n"
    assert "Deep" in extract(_file(tmp_path, "a.eml", data.encode()), LIMIT).text


def test_a_damaged_byte_does_not_spoil_a_whole_text(tmp_path: Path) -> None:
    text = "Ein Müßiggänger fährt über die Brücke. " * 20
    found = extract(_file(tmp_path, "a.log", text.encode() + b"\xff\n"), LIMIT)
    assert found.text == text + "\ufffd\n"


def test_html_is_read_in_the_encoding_that_it_declares_and_freed_of_its_links(tmp_path: Path) -> None:
    page = (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2">'
        "<title>Żółw &#8212; x</title></head><body><nav><a href='/'>Home</a></nav><h1>Żółw<a href='#x'>&para;</a></h1>"
        "<p>See <a href='x_(y).html'>the <b>turtle</b></a> &amp; a_b* <img src='i.png' alt='no'>.</p>"
        "<pre>a[0](x) \\_ `y`</pre></body></html>"
    )
    for name in ("a.html", "a"):
        found = extract(_file(tmp_path, name, page.encode("iso-8859-2")), LIMIT)
        assert found.title == "Żółw — x"
        assert found.text.startswith("# Żółw\n\nSee the **turtle** & a_b*")
        assert "a[0](x) \\_ `y`" in found.text
        assert "Home" not in found.text


def test_gzip_is_unpacked_up_to_the_limit(tmp_path: Path) -> None:
    packed = gzip.compress(b"# Change log\n\nA fine release.\n")
    found = extract(_file(tmp_path, "changes.md.gz", packed), LIMIT)
    assert (found.title, found.markdown) == ("Change log", True)
    for name, data, category in [
        ("bomb.gz", gzip.compress(bytes(20 * LIMIT)), "too_large"),
        ("cut.gz", packed[:-12], "corrupt"),
        ("inner.gz", gzip.compress(packed), "unsupported"),
        ("nothing.gz", gzip.compress(b""), "empty"),
    ]:
        with pytest.raises(ExtractError) as refused:
            extract(_file(tmp_path, name, data), LIMIT)
        assert refused.value.category == category, name


def test_a_pdf_that_is_only_locked_against_changes_is_read(tmp_path: Path) -> None:
    found = extract(_file(tmp_path, "a.pdf", _encrypted("", "owner")), LIMIT)
    assert "3. When the generator fails" in found.text


_PDF = (SAMPLES / "power-and-heating.pdf").read_bytes()
_DOCX = (SAMPLES / "telescope-procedures.docx").read_bytes()


@pytest.mark.parametrize(
    ("name", "data", "category", "words"),
    [
        ("empty.txt", b"", "empty", "is empty"),
        ("empty.pdf", b"", "empty", "is empty"),
        ("blank.txt", b" \n\t\n", "empty", "no text"),
        ("truncated.pdf", _PDF[: len(_PDF) // 2], "corrupt", "damaged"),
        ("noise.pdf", b"%PDF-1.7\n" + NOISE, "corrupt", "damaged"),
        ("encrypted.pdf", _encrypted("secret"), "corrupt", "encrypted"),
        ("picture.pdf", PNG, "unsupported", "a PNG image, not a PDF document"),
        ("text.pdf", b"Only some words.", "corrupt", "not a PDF document"),
        ("picture.png", PNG, "empty", "a PNG image"),
        ("binary.txt", NOISE, "unsupported", "binary data"),
        ("zeros.log", bytes(5000), "unsupported", "binary data"),
        ("late.txt", b"text " * 20_000 + NOISE, "unsupported", "binary data"),
        ("truncated.docx", _DOCX[: len(_DOCX) // 2], "corrupt", "Word document"),
        ("noise.docx", b"PK\x03\x04" + NOISE, "corrupt", "Word document"),
        ("hollow.docx", _zip(word__document_xml="<nonsense>"), "corrupt|empty", "Word document|no text"),
        ("archive.zip", _zip(a="text"), "unsupported", "ZIP archive"),
        (
            "talk.odp",
            _zip(mimetype="application/vnd.oasis.opendocument.presentation"),
            "unsupported",
            "OpenDoc",
        ),
        ("program", b"\x7fELF" + NOISE, "unsupported", "a program"),
        ("sound.txt", b"ID3" + NOISE, "unsupported", "MP3"),
        ("large.txt", b"x" * (LIMIT + 1), "too_large", "1,048,576"),
        (
            "locked.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "corrupt",
            "encrypted",
        ),
    ],
)
def test_what_gives_no_text_says_why(
    tmp_path: Path, name: str, data: bytes, category: str, words: str
) -> None:
    with pytest.raises(ExtractError) as refused:
        extract(_file(tmp_path, name, data), LIMIT)
    assert refused.value.category in category.split("|")
    assert any(word in refused.value.message for word in words.split("|")), refused.value.message
    assert refused.value.message.endswith(".")
    assert refused.value.skipped == (refused.value.category == "empty")


def test_a_page_without_text_is_skipped(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(tmp_path / "scan.pdf")
    with pytest.raises(ExtractError, match="no text") as refused:
        extract(str(tmp_path / "scan.pdf"), LIMIT)
    assert refused.value.skipped


def test_what_is_no_regular_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path in (tmp_path / "fifo", tmp_path / "socket", Path("/dev/zero"), tmp_path):
            with pytest.raises(ExtractError, match="not a regular file") as refused:
                extract(str(path), LIMIT)
            assert refused.value.category == "unsupported"


def test_a_file_that_vanished_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match="no longer there") as refused:
        extract(str(tmp_path / "gone.txt"), LIMIT)
    assert (refused.value.category, refused.value.skipped) == ("unreadable", False)


def test_a_file_that_grows_past_the_limit_while_it_is_read_is_too_large() -> None:
    with pytest.raises(ExtractError) as refused:  # its size is told as 0, and its bytes never end
        extract("/proc/cpuinfo", 100)
    assert refused.value.category == "too_large"


def test_nothing_is_left_in_the_working_folder_or_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for sample in SAMPLES.iterdir():
        extract(str(sample), LIMIT)
    assert list(tmp_path.iterdir()) == []


def test_a_link_that_took_the_files_place_leads_nowhere(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
    (outside / "secret.txt").write_text("Nobody may read this.")
    (inside / "note.txt").symlink_to(outside / "secret.txt")
    for places in (Places((str(inside),), ()), Places(("/",), (str(outside),))):
        with pytest.raises(ExtractError, match="leads out") as refused:
            extracting.read(str(inside / "note.txt"), 1000, places)
        assert refused.value.category == "unreadable"
