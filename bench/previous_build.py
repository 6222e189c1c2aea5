"""An earlier build of Semantik, for comparison: cloned into build/bench/ and set up by its own `make setup`, once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from bench.server_process import ROOT

PREVIOUS_COMMIT = "c36cab6"


def resolved(revision: str) -> str | None:
    """The short name of a revision's commit; None if this repository has none of that name."""
    command = (
        "git",
        "-C",
        str(ROOT),
        "rev-parse",
        "--quiet",
        "--verify",
        "--short=7",
        f"{revision}^{{commit}}",
    )
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else None


def previous_build(commit: str) -> Path:
    """The folder with the build of a commit of this repository. Raises SystemExit if it cannot be built."""
    folder = ROOT / "build" / "bench" / f"build-{commit}"
    if (folder / ".venv" / "bin" / "python").exists():
        return folder
    print(f"Building {folder}; this takes some minutes.", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    for command in (
        ("git", "clone", "--quiet", "--no-checkout", str(ROOT), str(folder)),
        ("git", "-C", str(folder), "checkout", "--quiet", commit),
        ("make", "-C", str(folder), "setup"),
    ):
        if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise SystemExit(f"The build of {commit} failed in: {' '.join(command)}")
    return folder
