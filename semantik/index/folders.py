"""The folders of indexes: `<collection>/<generation>` below that of a kind of indexes. Runs in threads."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from semantik.core.errors import Invalid
from semantik.index.files.durable import remove

log = logging.getLogger(__name__)

DROPPED_PREFIX = "dropped."
CLOSED = "The server is stopping; please ask again."  # of a registry
SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")


def collection_folder(directory: Path, collection_id: str) -> Path:
    """Raises Invalid for an id that cannot name a folder."""
    if not SAFE_NAME.fullmatch(collection_id):
        raise Invalid(f"{collection_id!r} cannot name an index: only letters, digits, - and _ can.")
    return directory / collection_id


def move(source: Path, target: Path) -> None:
    """Move a folder that may be missing. Raises OSError."""
    if os.path.lexists(source):
        source.rename(target)


def remove_dropped(directory: Path) -> None:
    """Finish removals that a crash interrupted."""
    for path in directory.glob(f"{DROPPED_PREFIX}*"):
        try_remove(path)


def try_remove(dropped: Path) -> None:
    """Nobody needs it any more: a file that cannot be removed may stay until the next start."""
    try:
        remove(dropped)
    except OSError as error:
        log.warning("%s cannot be removed: %s", dropped, error)
