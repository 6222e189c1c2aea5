"""Where the files of sources that are no folders are kept: below the data folder, which is otherwise never read.

Each such source has a folder of its own there, and each of its documents one file in it, whose name is a hash of the
document's path: what a remote server calls its items never becomes a path on this disk. Pure.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

SOURCES = "sources"  # the folder in the data folder


def kept_folder(data: Path, source_id: str) -> Path:
    """The folder of a source in the data folder `data`."""
    return data / SOURCES / source_id


def kept_file(folder: str | Path, path: str) -> Path:
    """The file that holds the content of the document `path`, in the folder of its source."""
    name = hashlib.sha256(path.encode()).hexdigest()
    return Path(folder, "files", name[:2], name[2:])
