"""Files that give no text: the category and message of the error; none blocks, and no temporary file remains."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pypdf
import pytest
from support.extracted import DOCX, LIMIT, NOISE, PDF, PNG, encrypted, extract, file, zipped
from support.server import SAMPLES

from pipeline.extraction import extract as extracting
from pipeline.extraction.extract import ExtractError, Places
from pipeline.extraction.file_access import read_open


@pytest.mark.parametrize(
    ("name", "data", "category", "words"),
    [
        ("empty.txt", b"", "empty", "is empty"),
        ("empty.pdf", b"", "empty", "is empty"),
        ("blank.txt", b" \n\t\n", "empty", "no text"),
        ("truncated.pdf", PDF[: len(PDF) // 2], "corrupt", "damaged"),
        ("noise.pdf", b"%PDF-1.7\n" + NOISE, "corrupt", "damaged"),
        ("encrypted.pdf", encrypted("secret"), "corrupt", "encrypted"),
        ("picture.pdf", PNG, "empty", "a PNG image"),
        ("text.pdf", b"Only some words.", "corrupt", "not a PDF document"),
        ("picture.png", PNG, "empty", "a PNG image"),
        ("binary.txt", NOISE, "unsupported", "binary data"),
        ("zeros.log", bytes(5000), "unsupported", "binary data"),
        ("late.txt", b"text " * 20_000 + NOISE, "unsupported", "binary data"),
        ("truncated.docx", DOCX[: len(DOCX) // 2], "corrupt", "Word document"),
        ("noise.docx", b"PK\x03\x04" + NOISE, "corrupt", "Word document"),
        ("hollow.docx", zipped(word__document_xml="<nonsense>"), "corrupt", "XML that is damaged"),
        ("archive.zip", zipped(a="text"), "unsupported", "ZIP archive"),
        (
            "talk.odp",
            zipped(mimetype="application/vnd.oasis.opendocument.presentation"),
            "corrupt",
            "content.xml",
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
def test_a_file_without_text_raises_an_error_with_the_reason(
    tmp_path: Path, name: str, data: bytes, category: str, words: str
) -> None:
    with pytest.raises(ExtractError) as refused:
        extract(file(tmp_path, name, data), LIMIT)
    assert refused.value.category in category.split("|")
    assert any(word in refused.value.message for word in words.split("|")), refused.value.message
    assert refused.value.message.endswith(".")
    assert refused.value.skipped == (refused.value.category == "empty")


def test_a_pdf_without_text_is_skipped(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(tmp_path / "scan.pdf")
    with pytest.raises(ExtractError, match="no text") as refused:
        extract(str(tmp_path / "scan.pdf"), LIMIT)
    assert refused.value.skipped


def test_only_regular_files_are_read_and_others_do_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path in (tmp_path / "fifo", tmp_path / "socket", Path("/dev/zero"), tmp_path):
            with pytest.raises(ExtractError, match="not a regular file") as refused:
                extract(str(path), LIMIT)
            assert refused.value.category == "unsupported"


def test_a_deleted_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match="no longer there") as refused:
        extract(str(tmp_path / "gone.txt"), LIMIT)
    assert (refused.value.category, refused.value.skipped) == ("unreadable", False)


def test_a_file_that_exceeds_the_limit_while_it_is_read_is_too_large() -> None:
    # stat gives 0 as its size, but reading gives more
    with Path("/proc/cpuinfo").open("rb") as file, pytest.raises(ExtractError) as refused:
        read_open(file, 100)
    assert refused.value.category == "too_large"


def test_extraction_leaves_no_file_in_the_working_folder_or_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for sample in SAMPLES.iterdir():
        extract(str(sample), LIMIT)
    assert list(tmp_path.iterdir()) == []


def test_a_symlink_that_replaced_the_file_is_not_followed_out_of_the_roots(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
    (outside / "secret.txt").write_text("Nobody may read this.")
    (inside / "note.txt").symlink_to(outside / "secret.txt")
    for places in (Places((str(inside),), ()), Places(("/",), (str(outside),))):
        with pytest.raises(ExtractError, match="leads out") as refused:
            extracting.read(str(inside / "note.txt"), 1000, places)
        assert refused.value.category == "unreadable"
