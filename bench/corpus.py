"""Real texts to measure with, from Debian's packages: fetched once, unpacked below build/bench, never installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build" / "bench"
_GLOSSES = 117_659
_TOGETHER = 1000


def package(name: str) -> Path:
    """The folder with the files of a Debian package. Raises SystemExit with a sentence where there is none."""
    folder = HOME / "packages" / name
    if not folder.exists():
        fresh = folder.with_name(f"{name}.new")
        fresh.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "download", "-qq", name], fresh)
        file = next(fresh.glob("*.deb"))
        _run(["dpkg-deb", "-x", file.name, "."], fresh)
        file.unlink()
        fresh.rename(folder)
    return folder


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "") or error
        raise SystemExit(f"{' '.join(command)} failed, which the measurements need: {reason}") from error


def glosses() -> list[str]:
    """The 117 659 definitions of WordNet, one sentence or a few each, in the order of its files."""
    folder = package("wordnet-base") / "usr" / "share" / "wordnet"
    found = [
        line.partition(" | ")[2].strip()
        for part in ("noun", "verb", "adj", "adv")
        for line in (folder / f"data.{part}").read_text("utf-8", "replace").splitlines()
        if not line.startswith("  ")
    ]
    assert len(found) == _GLOSSES, len(found)
    return found


def small_files(count: int) -> Path:
    """A folder with so many text files of one definition each; 1 000 in a subfolder, all of different content."""
    folder = HOME / f"small-{count}"
    if not folder.exists():
        fresh = folder.with_name(f"{folder.name}.new")
        texts = glosses()
        for number in range(count):
            home = fresh / f"{number // _TOGETHER:04}"
            home.mkdir(parents=True, exist_ok=True)
            text = f"Entry {number}: {texts[number % len(texts)]}\n"
            (home / f"{number:06}.txt").write_text(text, "utf-8")
        fresh.rename(folder)
    return folder
