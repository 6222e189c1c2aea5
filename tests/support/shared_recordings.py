"""The recordings of models are the same for every test server: what one has made, those after it start with."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_FOLDER = "models"
_kept: list[Path] = []


def keep_in(folder: Path) -> None:
    """Where they are kept, from now on."""
    _kept[:] = [folder]


def lend(data: Path) -> None:
    """Put the recordings that are kept into a server's data folder, before it starts."""
    for folder in _kept:
        _link(folder, data / _FOLDER)


def take(data: Path) -> None:
    """Keep what a server has made of its own accord."""
    for folder in _kept:
        _link(data / _FOLDER, folder)


def _link(found: Path, folder: Path) -> None:
    """A server writes none in place, so all may have the same file."""
    recordings = list(found.glob("*.pt"))
    if recordings:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in recordings:
        with suppress(FileExistsError, FileNotFoundError):
            os.link(path, folder / path.name)
