"""`bin/semantik-demo` as a user runs it: from any folder, on good folders and bad ones."""

from __future__ import annotations

import subprocess
from pathlib import Path

from conftest import ROOT, SAMPLES


def _demo(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "bin" / "semantik-demo"), "--once", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_the_demo_shows_the_main_job_and_ends(tmp_path: Path) -> None:
    done = _demo(str(SAMPLES), "--ask", "What do we do when the generator fails?", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Operation completed successfully" in done.stdout
    first = done.stdout.partition("generator fails?")[2].strip().splitlines()[0]
    assert "power-and-heating.pdf, page" in first
    assert 0 < float(first.split()[0]) <= 1


def test_an_empty_folder_is_no_error_and_a_missing_one_is_named(tmp_path: Path) -> None:
    done = _demo(str(tmp_path), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Nothing was found." in done.stdout
    done = _demo(str(tmp_path / "missing"), cwd=tmp_path)
    assert done.returncode == 2
    assert "missing" in done.stderr and "Traceback" not in done.stderr
