"""`semantik-extract` as a process: text, chunks and JSON of files, and a reason where one cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.archives import write_zip, zip_bytes
from support.patience import patience
from support.scans import encoded, page
from support.server import ROOT


def _extract(*words: str) -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "semantik", "extract", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(60),
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "ferry.md").write_text("# Ferry\n\nIt sails from the east pier.\n\n## Winter\n\nIt rests.")
    (tmp_path / "blob.bin").write_bytes(bytes(range(32)) * 40)
    return [str(tmp_path / "ferry.md"), str(tmp_path / "blob.bin")]


def test_the_text_of_a_file_is_printed(files: list[str]) -> None:
    status, out, err = _extract(files[0])
    assert (status, err) == (0, "")
    assert out.splitlines()[:3] == [f"== {files[0]}", "format:    text/markdown", "title:     Ferry"]
    assert out.endswith("## Winter\n\nIt rests.\n\n")


def test_text_in_a_picture_is_recognised(tmp_path: Path) -> None:
    picture = tmp_path / "sign.png"
    picture.write_bytes(encoded(page(["The ferry rests in winter."]), "PNG"))
    status, out, err = _extract(str(picture))
    assert (status, err) == (0, "")
    assert "recognised: text of pages: 1" in out
    assert out.endswith("The ferry rests in winter.\n\n")


def test_a_file_that_cannot_be_read_costs_itself_only(files: list[str]) -> None:
    status, out, err = _extract(files[1], "/nowhere/at/all.txt", files[0])
    assert status == 1
    assert out.count("not read: ") == 2 and "It sails from the east pier." in out
    assert "There is no such file." in err and "Traceback" not in err


@pytest.mark.real_model
def test_chunks_and_quality_are_printed_as_json(files: list[str]) -> None:
    status, out, _ = _extract("--json", "--chunks", files[0])
    [read] = json.loads(out)
    assert status == 0
    assert [chunk["heading"] for chunk in read["chunks"]] == ["Ferry", "Ferry › Winter"]
    assert read["quality"]["characters"] == len(read["text"])


def test_the_documents_in_an_archive_are_read_one_by_one(tmp_path: Path) -> None:
    inner = zip_bytes({"deep.txt": "The buoy is green."})
    archive = write_zip(
        tmp_path / "log.zip", {"a.md": "# Tide\n\nIt falls.", "in.zip": inner, "b.bin": b"\0" * 99}
    )
    status, out, err = _extract(str(archive))
    assert status == 1 and f"{archive}#b.bin: " in err
    heads = [line.removeprefix(f"== {archive}") for line in out.splitlines() if line.startswith("== ")]
    assert heads == ["#a.md", "#in.zip#deep.txt", "#b.bin"]
    assert "title:     Tide" in out and "The buoy is green." in out
