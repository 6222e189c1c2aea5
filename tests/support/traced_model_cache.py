"""A folder of traced models that all test servers share: each model is traced once in a run of the tests."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_FOLDER = "models"
_cache: list[Path] = []


def use(folder: Path) -> None:
    """Set the folder."""
    _cache[:] = [folder]


def link_into(data: Path) -> None:
    """Put the cached traced models into a server's data folder, before it starts."""
    for folder in _cache:
        _link(folder, data / _FOLDER)


def collect_from(data: Path) -> None:
    """Add the traced models that a server has made."""
    for folder in _cache:
        _link(data / _FOLDER, folder)


def _link(source: Path, target: Path) -> None:
    """Hard links will do, because a server never writes to an existing file of a traced model."""
    paths = list(source.glob("*.pt"))
    if paths:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in paths:
        with suppress(FileExistsError, FileNotFoundError):
            os.link(path, target / path.name)
