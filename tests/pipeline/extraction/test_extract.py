"""Real files of every format: the extracted text, title and pages."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from support.extracted import LIMIT, NOISE, by_page, encrypted, extract, file, sample

from pipeline.extraction.extract import ExtractError


@pytest.mark.parametrize(
    ("name", "mime", "title", "excerpt"),
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
def test_samples_give_their_text_and_title(name: str, mime: str, title: str | None, excerpt: str) -> None:
    extracted = sample(name)
    assert mime in extracted.mime
    assert extracted.title == title
    assert excerpt in extracted.text


def test_pages_and_slides_are_numbered_without_running_footers() -> None:
    pages = by_page(sample("power-and-heating.pdf"))
    assert list(pages) == [1, 2, 3]
    assert "3. When the generator fails" in pages[2]
    assert "6. Frozen pipes" in pages[3]
    assert all("Observatory - Power and heating - page" not in text for text in pages.values())
    slides = by_page(sample("visitor-night.pptx"))
    assert list(slides) == [1, 2, 3, 4, 5]
    assert slides[4].startswith("## If it is cloudy")


def test_plain_text_is_returned_unchanged(tmp_path: Path) -> None:
    text = "<b>&amp; ünï → 日本 🙂</b>\r\n\tx = a_b * 2  \\# kept\r\n"
    for name in ("a.txt", "a.py", "a.yaml", "a.log", "a", "a.unknown", "a.doc", "Makefile"):
        extracted = extract(file(tmp_path, name, text.encode()), LIMIT)
        assert extracted.text == text, name
        assert not extracted.markdown


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "latin-1", "cp1251"])
def test_encodings_are_detected(tmp_path: Path, encoding: str) -> None:
    german = "Die Kälte kam über Nacht, und die Rohre in der Küche waren größtenteils eingefroren. " * 5
    russian = "Ночью пришёл мороз, и трубы на кухне замёрзли, потому что генератор остановился. " * 5
    text = russian if encoding == "cp1251" else german
    data = text.encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    assert extract(file(tmp_path, "a.txt", data), LIMIT).text == text


@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_determines_the_encoding(tmp_path: Path, encoding: str) -> None:
    text = "# Kälte\n\nЗимой 冬 🙂\n" * 3
    marked = ("\ufeff" + text).encode(encoding)
    for name in ("a.md", "a.txt", "a"):
        assert extract(file(tmp_path, name, marked), LIMIT).text == text
    truncated = extract(file(tmp_path, "cut.txt", marked[:-1]), LIMIT).text
    assert truncated == text[:-1] + "\ufffd"


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff"])
def test_other_data_after_a_byte_order_mark_is_corrupt(tmp_path: Path, mark: bytes) -> None:
    for rest in (NOISE, bytes(999), b"plain text " * 50 if len(mark) == 4 else NOISE[:1001]):
        with pytest.raises(ExtractError, match="begins like a text in UTF-") as refused:
            extract(file(tmp_path, "a.txt", mark + rest), LIMIT)
        assert refused.value.category == "corrupt"
        assert not refused.value.skipped


def test_text_without_a_letter_or_digit_is_empty(tmp_path: Path) -> None:
    for text in ("\u200b\ufeff\n", "-----\n* * *\n|---|\n", "🎉 → ✓", "\ufeff"):
        with pytest.raises(ExtractError, match="no text in this file") as refused:
            extract(file(tmp_path, "a.md", text.encode()), LIMIT)
        assert refused.value.skipped


def test_a_damaged_byte_does_not_affect_the_rest_of_a_text(tmp_path: Path) -> None:
    text = "Ein Müßiggänger fährt über die Brücke. " * 20
    extracted = extract(file(tmp_path, "a.log", text.encode() + b"\xff\n"), LIMIT)
    assert extracted.text == text + "\ufffd\n"


def test_html_is_decoded_as_declared_and_links_are_removed(tmp_path: Path) -> None:
    page = (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2">'
        "<title>Żółw &#8212; x</title></head><body><nav><a href='/'>Home</a></nav><h1>Żółw<a href='#x'>&para;</a></h1>"
        "<p>See <a href='x_(y).html'>the <b>turtle</b></a> &amp; a_b* <img src='i.png' alt='no'>.</p>"
        "<pre>a[0](x) \\_ `y`</pre></body></html>"
    )
    for name in ("a.html", "a"):
        extracted = extract(file(tmp_path, name, page.encode("iso-8859-2")), LIMIT)
        assert extracted.title == "Żółw — x"
        assert extracted.text.startswith("# Żółw\n\nSee the turtle & a_b* no.\n")
        assert "a[0](x) \\_ `y`" in extracted.text
        assert "Home" not in extracted.text


def test_gzip_is_decompressed_up_to_the_size_limit(tmp_path: Path) -> None:
    packed = gzip.compress(b"# Change log\n\nA fine release.\n")
    extracted = extract(file(tmp_path, "changes.md.gz", packed), LIMIT)
    assert (extracted.title, extracted.markdown) == ("Change log", True)
    for name, data, category in [
        ("bomb.gz", gzip.compress(bytes(20 * LIMIT)), "too_large"),
        ("cut.gz", packed[:-12], "corrupt"),
        ("inner.gz", gzip.compress(packed), "unsupported"),
        ("nothing.gz", gzip.compress(b""), "empty"),
    ]:
        with pytest.raises(ExtractError) as refused:
            extract(file(tmp_path, name, data), LIMIT)
        assert refused.value.category == category, name


def test_a_pdf_with_only_an_owner_password_is_read(tmp_path: Path) -> None:
    extracted = extract(file(tmp_path, "a.pdf", encrypted("", "owner")), LIMIT)
    assert "3. When the generator fails" in extracted.text
