"""Names that are no documents, and names that only look like them."""

from __future__ import annotations

import pytest

from semantik.core.passed_over import Verdict, is_passed_over, is_passed_over_folder, original, verdict


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store", "Thumbs.db", "ehthumbs.db", "desktop.ini", "Desktop.ini", ".directory", "Icon\r",
        "film.part", "paper.pdf.crdownload", "paper.pdf.tmp", "~WRL0001.tmp", "~DF1A2B.TMP", "Inbox.msf",
        ".letter.txt.swp", ".~lock.budget.ods#", ".#letter.txt", ".syncthing.letter.odt.tmp",
        "~syncthing~letter.odt.tmp", ".sync_0123456789ab.db", ".sync_0123456789ab.db-wal", "._sync_0123456789ab.db",
        ".owncloudsync.log", ".letter.odt.~1a2b3c", ".nfs00000000000a1b2c00000001", ".fuse_hidden0000001200000001",
        ".goutputstream-AB12CD",
    ],
)  # fmt: skip
def test_names_of_systems_and_programs_are_no_documents(name: str) -> None:
    assert verdict(name) is Verdict.NO_DOCUMENT
    assert is_passed_over(f"some/folder/{name}")


@pytest.mark.parametrize(
    "name",
    [
        "part", "tmp", "swp", "tmp.txt", "department.txt", "thumbs.db.md", "notes.partial.md", ".profile", ".txt",
        "~letter.txt", "#1 hit.txt", "C#", "lock.odt#", "~", "#", "##", "My desktop.ini.txt", "a.sync_1.db", "$x.docx",
    ],
)  # fmt: skip
def test_similar_names_are_documents(name: str) -> None:
    assert verdict(name) in (Verdict.DOCUMENT, Verdict.IF_COPY)
    assert not is_passed_over(name)


def test_some_names_do_not_tell_alone() -> None:
    assert verdict("._report.pdf") is Verdict.IF_APPLE_DOUBLE
    assert verdict("~$report.docx") is verdict("~$Table.XLSX") is verdict("~$x.odt") is Verdict.IF_SMALL
    assert verdict("~$not-office.txt") is Verdict.DOCUMENT
    assert verdict("letter.txt~") is verdict("#letter.txt#") is Verdict.IF_COPY
    assert (original("letter.txt~"), original("#letter.txt#"), original("letter.txt")) == (
        "letter.txt",
        "letter.txt",
        None,
    )


@pytest.mark.parametrize(
    "name",
    [
        "__MACOSX",
        "@eaDir",
        "$RECYCLE.BIN",
        ".Trash-1000",
        ".Trashes",
        "System Volume Information",
        "#recycle",
    ],
)
def test_folders_of_systems_are_not_entered(name: str) -> None:
    assert is_passed_over_folder(name) and is_passed_over(f"{name}/a.txt")


def test_other_folders_are_entered() -> None:
    assert not any(
        map(is_passed_over_folder, ("Trash", "Recycle", "MACOSX", "trash-1000", "docs.tmp", ".hidden"))
    )
