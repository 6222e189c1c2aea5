"""`semantik-extract` as a process: text, chunks and JSON of files, and a reason where one cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.patience import patience
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


def test_a_file_that_cannot_be_read_costs_itself_only(files: list[str]) -> None:
    status, out, err = _extract(files[1], "/nowhere/at/all.txt", files[0])
    assert status == 1
    assert out.count("not read: ") == 2 and "It sails from the east pier." in out
    assert "The file is no longer there." in err and "Traceback" not in err


@pytest.mark.real_model
def test_chunks_and_quality_are_printed_as_json(files: list[str]) -> None:
    status, out, _ = _extract("--json", "--chunks", files[0])
    [read] = json.loads(out)
    assert status == 0
    assert [chunk["heading"] for chunk in read["chunks"]] == ["Ferry", "Ferry › Winter"]
    assert read["quality"]["characters"] == len(read["text"])
