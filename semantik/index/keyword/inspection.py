"""A keyword index seen from outside: the integrity checks compare it with MongoDB. Runs in threads.

Reading may happen beside a server. A function that changes something says when it may be called.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantik.index import ranges
from semantik.index.files import tombstones
from semantik.index.files.durable import Damaged
from semantik.index.keyword import filters, folder
from semantik.index.keyword.folder import MARKER, TOMBSTONES, tantivy_errors
from semantik.index.keyword.searching import fetch
from semantik.index.keyword.state import load_state
from semantik.index.ranges import Ranges

_BLOCK = 50_000


@dataclass(frozen=True)
class StoredWords:
    """What an index has on disk: the seqs (int64, ascending) of the chunks that can be found by their words.

    All seqs up to `last_seq` were added; newer ones may be in a server's memory.
    """

    last_seq: int
    seqs: NDArray[np.int64]


def stored_words(directory: Path) -> StoredWords | None:
    """What the index holds. None while it is empty, and where it is damaged: opening it repairs it."""
    try:
        if not (directory / MARKER).exists():
            return None
        # Before the index: what a server takes out of the one meanwhile is not in the other any more.
        deleted, _ = tombstones.read(directory / TOMBSTONES, 0)
        with tantivy_errors(directory):
            searcher = folder.open_index(directory).searcher()
            last_seq = folder.last_seq(searcher)
            blocks = [
                fetch(searcher, filters.within(np.array([[first, first + _BLOCK]])), _BLOCK + 1).seqs
                for first in range(0, last_seq + 1, _BLOCK)
            ]
    except (Damaged, OSError):
        return None
    seqs = np.sort(np.concatenate([np.empty(0, np.int64), *blocks]))
    return StoredWords(last_seq, seqs[~ranges.is_within(seqs, ranges.union(deleted))])


def delete_words(directory: Path, deleted: Ranges) -> None:
    """Let no search find these seqs. Only while no server runs on the folder. Raises OSError."""
    state = load_state(directory, [])
    try:
        state.delete(deleted)
    except Damaged as damage:
        raise OSError(str(damage)) from damage
    finally:
        state.release()
