"""The parts of archives: names, encodings, damage, limits; and which files are archives at all."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib

import pytest
from support.archives import tar_bytes, zip_bytes
from support.extracted import DOCX, PDF

from pipeline.extraction.container_format import container_format
from pipeline.extraction.container_reader import CONTAINERS
from pipeline.extraction.content import ExtractError
from pipeline.extraction.part import ContainerLimits, Part, UniqueNames

LIMITS = ContainerLimits(10**6, 10**9)
TEXTS = {"notes/one.txt": "The first note.", "two.txt": "The second note."}
MIMES = {
    "application/zip": zip_bytes(TEXTS),
    "application/x-tar": tar_bytes(TEXTS),
    "application/x-compressed-tar": tar_bytes(TEXTS, "w:gz"),
}


def _parts(mime: str, data: bytes) -> list[Part]:
    return list(CONTAINERS[mime].parts(io.BytesIO(data), LIMITS))


def _mime(data: bytes, suffix: str = "") -> str | None:
    file = io.BytesIO(data)
    found = container_format(file, suffix)
    assert file.tell() == 0 or found is None
    return found.mime if found else None


@pytest.mark.parametrize(("mime", "data"), MIMES.items())
def test_parts_are_listed_and_read(mime: str, data: bytes) -> None:
    assert _mime(data) == mime
    reader, file = CONTAINERS[mime], io.BytesIO(data)
    parts = list(reader.parts(file, LIMITS))
    assert [(part.name, part.size) for part in parts] == [(name, len(text)) for name, text in TEXTS.items()]
    for part in reversed(parts):
        assert reader.read(file, part.locator, 100) == TEXTS[part.name].encode()
        with pytest.raises(ExtractError, match="max_file_bytes") as refused:
            reader.read(file, part.locator, part.size - 1)
        assert refused.value.category == "too_large"


@pytest.mark.parametrize("mime", MIMES)
def test_a_digest_changes_with_the_content_alone(mime: str) -> None:
    make = (
        zip_bytes if "zip" in mime else lambda each: tar_bytes(each, "w:gz" if "compressed" in mime else "w")
    )
    before = {part.name: part.digest for part in _parts(mime, make(TEXTS))}
    after = _parts(mime, make({"zero.txt": "New.", **TEXTS, "two.txt": "The SECOND note."}))
    assert [part.name for part in after if part.digest == before.get(part.name)] == ["notes/one.txt"]


def test_only_archives_are_containers() -> None:
    assert _mime(DOCX, ".docx") is _mime(PDF, ".pdf") is _mime(b"text", ".zip") is None
    assert _mime(zip_bytes({"A.class": b"\xca\xfe"}), ".jar") is None
    assert _mime(gzip.compress(b"one file"), ".gz") is _mime(b"PK\x03\x04 and no more", ".zip") is None
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:  # not compressed: a PDF begins near the start
        archive.writestr("a.pdf", PDF)
    assert _mime(stored.getvalue(), ".zip") == "application/zip"
    assert _mime(zip_bytes({}), ".zip") == "application/zip"
    assert _parts("application/zip", zip_bytes({})) == []


def test_names_lead_nowhere_and_are_unique() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in (
            "../../etc/passwd",
            "/etc/passwd",
            "a\\b.txt",
            "./a/./b.txt",
            "folder/",
            "..",
            "tab\there.txt",
        ):
            archive.writestr(zipfile.ZipInfo(name), name)
        link = zipfile.ZipInfo("link.txt")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    reader, file = CONTAINERS["application/zip"], io.BytesIO(buffer.getvalue())
    parts = list(reader.parts(file, LIMITS))
    assert [part.name for part in parts] == [
        "etc/passwd", "etc/passwd (2)", "a/b.txt", "a/b.txt (2)", "unnamed", "tab here.txt",
    ]  # fmt: skip
    assert reader.read(file, parts[1].locator, 99) == b"/etc/passwd"
    names = UniqueNames()
    assert [names.add(name) for name in ("x", "x (2)", "x", "x", "././x", "y" * 999)][2:-1] == [
        "x (3)", "x (4)", "x (5)",
    ]  # fmt: skip


def test_two_members_of_one_name_are_two_parts() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("same.txt", "The elder.")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("same.txt", "The younger.")
    reader, file = CONTAINERS["application/zip"], io.BytesIO(buffer.getvalue())
    assert [(part.name, reader.read(file, part.locator, 99)) for part in reader.parts(file, LIMITS)] == [
        ("same.txt", b"The elder."),
        ("same.txt (2)", b"The younger."),
    ]


@pytest.mark.parametrize(
    ("raw", "flags", "extra", "name"),
    [
        ("Grüße.txt".encode("cp437"), 0, b"", "Grüße.txt"),
        ("Résumé élève.txt".encode("cp850"), 0, b"", "Résumé élève.txt"),
        ("Журнал дежурств.txt".encode("cp866"), 0, b"", "Журнал дежурств.txt"),
        ("会议记录.txt".encode("gb18030"), 0, b"", "会议记录.txt"),
        ("ポンプの点検.txt".encode("cp932"), 0, b"", "ポンプの点検.txt"),
        ("Grüße.txt".encode(), 0x800, b"", "Grüße.txt"),
        ("Grüße.txt".encode(), 0, b"", "Grüße.txt"),  # as macOS writes it
        (b"Gr__e.txt", 0, b"Grueszi.txt", "Gr__e.txt"),  # ASCII needs no other name
        (b"\x93\xfa\x96{.txt", 0, "日本.txt".encode(), "日本.txt"),
    ],
)
def test_member_names_are_decoded(raw: bytes, flags: int, extra: bytes, name: str) -> None:
    data = zip_bytes({"x" * len(raw): "text"}).replace(b"x" * len(raw), raw)
    local, central = data.index(b"PK\x03\x04"), data.index(b"PK\x01\x02")
    changed = bytearray(data)
    struct.pack_into("<H", changed, local + 6, flags)
    struct.pack_into("<H", changed, central + 8, flags)
    if extra:
        field = struct.pack("<HHBL", 0x7075, 5 + len(extra), 1, zlib.crc32(raw)) + extra
        struct.pack_into("<H", changed, central + 30, len(field))
        at = central + 46 + len(raw)
        changed[at:at] = field
        end = changed.rindex(b"PK\x05\x06")
        struct.pack_into("<L", changed, end + 12, struct.unpack_from("<L", changed, end + 12)[0] + len(field))
    reader, file = CONTAINERS["application/zip"], io.BytesIO(bytes(changed))
    [part] = reader.parts(file, LIMITS)
    assert (part.name, reader.read(file, part.locator, 9)) == (name, b"text")


@pytest.mark.parametrize("mime", MIMES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_damaged_archive_is_refused(mime: str, share: float) -> None:
    data = MIMES[mime][: int(len(MIMES[mime]) * share)]
    reader, file = CONTAINERS[mime], io.BytesIO(data)
    try:
        for part in reader.parts(file, LIMITS):
            reader.read(file, part.locator, 100)
    except ExtractError as error:
        assert error.category in ("corrupt", "unreadable") and error.message.endswith(".")


def test_damaged_and_unknown_members_fail_alone() -> None:
    data = bytearray(zip_bytes({"a.txt": "a" * 500, "b.txt": "b" * 500}))
    at = data.index(b"a.txt") + 5
    data[at : at + 3] = b"\xff\xff\xff"
    central = data.rindex(b"PK\x01\x02")
    struct.pack_into("<H", data, central + 10, 99)
    struct.pack_into("<H", data, data.index(b"PK\x03\x04", 9) + 8, 99)
    reader, file = CONTAINERS["application/zip"], io.BytesIO(bytes(data))
    damaged, unknown = reader.parts(file, LIMITS)
    for part, category in ((damaged, "corrupt"), (unknown, "unsupported")):
        with pytest.raises(ExtractError) as refused:
            reader.read(file, part.locator, 9999)
        assert refused.value.category == category


def test_members_that_share_their_bytes_are_refused() -> None:
    data = bytearray(zip_bytes({"a.txt": bytes(100_000)}))
    central, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry = bytes(data[central:end])
    count = 20
    data[central:end] = entry * count
    end = data.index(b"PK\x05\x06")
    struct.pack_into("<HHL", data, end + 8, count, count, len(entry) * count)
    with pytest.raises(ExtractError, match="overlap"):
        _parts("application/zip", bytes(data))


def test_a_compressed_archive_is_unpacked_no_further_than_the_limit() -> None:
    bomb = tar_bytes({"zeros.bin": bytes(50 << 20)}, "w:gz")
    with pytest.raises(ExtractError):
        list(CONTAINERS["application/x-compressed-tar"].parts(io.BytesIO(bomb), ContainerLimits(9, 1 << 20)))
