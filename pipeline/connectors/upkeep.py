"""The folders of sources in the data folder: which there are, and their removal. Blocks: call it in a thread."""

from __future__ import annotations

import shutil
from pathlib import Path

from semantik.core.kept_files import SOURCES, kept_folder


def kept_sources(data: Path) -> set[str]:
    """The ids of the sources of which this server keeps files."""
    folder = data / SOURCES
    return {each.name for each in folder.iterdir()} if folder.is_dir() else set()


def remove_kept(data: Path, source_id: str) -> None:
    """Remove all that is kept of a source; after a crash in between, the next call goes on."""
    folder = kept_folder(data, source_id)
    if folder.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
