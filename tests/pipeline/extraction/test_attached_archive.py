"""Archives that are attached to messages."""

from __future__ import annotations

import gzip
import io
import tarfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from support.archives import zip_bytes
from support.extracted import LIMIT, extract, file

from pipeline.extraction import attached_archive
from pipeline.extraction.extract import Extracted


def _tar(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _read(folder: Path, **archives: bytes) -> Extracted:
    message = EmailMessage()
    message["Subject"] = "The archive of the harbour"
    message.set_content("All papers are attached.")
    for name, data in archives.items():
        message.add_attachment(
            data, maintype="application", subtype="octet-stream", filename=name.replace("_", ".")
        )
    return extract(file(folder, "letter.eml", message.as_bytes()), LIMIT)


def test_the_files_of_an_attached_archive_are_read(tmp_path: Path) -> None:
    inner = zip_bytes({"c/deep.md": b"# Buoys\n\nSeven of them."})
    members = {"a/berths.txt": b"Berth nine is free.", "__MACOSX/._a": b"\0\5\x16\7", "inner.zip": inner}
    extracted = _read(
        tmp_path,
        papers_zip=zip_bytes(members),
        tides_tar_gz=_tar("b/tides.csv", b"day;high\nMonday;3\n"),
        log_gz=gzip.compress(b"The fog horn was tested."),
    )
    assert not extracted.warnings
    assert extracted.text.partition("All papers are attached.")[2].split("\n\n") == [
        "",
        "# Attachment: papers.zip",
        "## Attachment: a/berths.txt",
        "Berth nine is free.",
        "## Attachment: inner.zip",
        "### Attachment: c/deep.md",
        "#### Buoys",
        "Seven of them.",
        "# Attachment: tides.tar.gz",
        "## Attachment: b/tides.csv",
        "| day | high |\n|-|-|\n| Monday | 3 |",
        "# Attachment: log.gz",
        "The fog horn was tested.",
    ]


def test_a_bad_file_of_an_attached_archive_costs_itself(tmp_path: Path) -> None:
    encrypted = bytearray(zip_bytes({"secret.txt": b"hidden", "open.txt": b"Berth nine is free."}))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.index(signature) + flags] |= 1
    extracted = _read(tmp_path, papers_zip=bytes(encrypted))
    assert extracted.text.endswith(
        "## Attachment: secret.txt\n\n## Attachment: open.txt\n\nBerth nine is free."
    )
    assert extracted.warnings == (
        "secret.txt: The inner file is encrypted and cannot be read without its password.",
    )


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    extracted = _read(tmp_path, papers_zip=zip_bytes({"a.txt": b"x" * 900, "b.txt": b"y"})[:120])
    assert extracted.text.endswith("# Attachment: papers.zip")
    assert len(extracted.warnings) == 1


def test_an_archive_that_holds_too_much_is_read_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attached_archive, "_MAX_BYTES", 100)
    extracted = _read(tmp_path, papers_zip=zip_bytes({"a.txt": b"Berth nine.", "b.txt": b"x" * 100}))
    assert "Berth nine." in extracted.text
    assert extracted.warnings == ("Some attachments cannot be read: An attached archive holds too much.",)
