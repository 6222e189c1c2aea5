"""Index folders seen from outside, for whoever looks whether they fit what MongoDB holds. Runs in threads.

Looking changes nothing, and may happen beside a server; what changes something says when it may.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantik.index import recovery
from semantik.index.files import manifest, tombstones
from semantik.index.files.durable import Damaged, remove
from semantik.index.registry import DROPPED
from semantik.index.segments import ranges
from semantik.index.segments.ranges import Ranges
from semantik.index.segments.segment import Segment


@dataclass(frozen=True)
class IndexFolder:
    """The index of a generation of a collection; `bytes` on the disk."""

    collection_id: str
    generation: int
    home: Path
    bytes: int


@dataclass(frozen=True)
class StoredVectors:
    """What an index has on the disk: the seqs (int64, rising) of the vectors that can be found.

    All up to `last_seq` were added; newer ones may be in a server's memory.
    """

    dimension: int
    last_seq: int
    seqs: NDArray[np.int64]


def folders(directory: Path) -> list[IndexFolder]:
    """All index folders below the server's `directory`; none when that is not there."""
    return list(_folders(directory)) if directory.is_dir() else []


def _folders(directory: Path) -> Iterator[IndexFolder]:
    for collection in sorted(directory.iterdir()):
        if collection.is_dir() and not collection.name.startswith(DROPPED):
            for home in sorted(collection.iterdir()):
                if home.is_dir() and home.name.isdecimal():
                    yield IndexFolder(collection.name, int(home.name), home, _bytes(home))


def _bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except FileNotFoundError:
            continue  # a merge has just replaced it
    return total


def stored_vectors(home: Path) -> StoredVectors | None:
    """What the index holds; None while it has nothing, and where it is damaged: it mends itself when it is opened."""
    try:
        named = manifest.load(home)
        if named is None:
            return None
        buried, _ = tombstones.read(home / named.tombstones, named.tombstone_records)
        segments = [Segment(home, record, named.dimension) for record in named.segments]
    except (Damaged, OSError):
        return None
    for segment in segments:
        segment.rows.bury(buried)
    live = [segment.rows.seqs[segment.rows.live] for segment in segments]
    seqs = np.concatenate(live) if live else np.empty(0, np.int64)
    return StoredVectors(named.dimension, named.last_seq, seqs.astype(np.int64))


def delete_vectors(home: Path, dimension: int, spans: Ranges) -> None:
    """Let no search find these seqs. Only while no server runs on the folder. Raises OSError."""
    recovery.load(home, dimension).bury(ranges.normal(spans))


def discard(home: Path) -> None:
    """Remove an index; a server on the folder must not need it. Raises OSError.

    It is moved away first, so that a crash leaves nothing half; what is left then, the next server removes.
    """
    aside = home.parent.parent / f"{DROPPED}{secrets.token_hex(8)}"
    home.rename(aside)
    remove(aside)
    if not any(home.parent.iterdir()):
        home.parent.rmdir()


def spans_of(seqs: NDArray[np.int64]) -> Ranges:
    """Exactly these rising seqs, as half-open ranges (n, 2)."""
    return ranges.covering(seqs)


def within(seqs: NDArray[np.int64], spans: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the rising seqs lie in the half-open ranges (n, 2)."""
    inside = np.zeros(len(seqs), np.bool_)
    inside[ranges.rows_within(seqs, ranges.union(spans))] = True
    return inside
