"""Index folders seen from outside: the integrity checks compare them with MongoDB. Runs in threads.

Reading changes nothing and may happen beside a server. A function that changes something says when it may be called.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantik.index import ranges, recovery
from semantik.index.files import tombstones
from semantik.index.files.durable import Damaged, remove
from semantik.index.folders import DROPPED_PREFIX
from semantik.index.ranges import Ranges
from semantik.index.segments import manifest
from semantik.index.segments.segment import Segment


@dataclass(frozen=True)
class IndexFolder:
    """The index of one generation of a collection; `bytes` is its size on disk."""

    collection_id: str
    generation: int
    directory: Path
    bytes: int


@dataclass(frozen=True)
class StoredVectors:
    """What an index has on disk: the seqs (int64, ascending) of the vectors that can be found.

    All seqs up to `last_seq` were added; newer ones may be in a server's memory.
    """

    dimension: int
    last_seq: int
    seqs: NDArray[np.int64]


def find_index_folders(directory: Path) -> list[IndexFolder]:
    """All index folders below the server's `directory`; none when it does not exist."""
    return list(_folders(directory)) if directory.is_dir() else []


def _folders(directory: Path) -> Iterator[IndexFolder]:
    for collection in sorted(directory.iterdir()):
        if collection.is_dir() and not collection.name.startswith(DROPPED_PREFIX):
            for generation in sorted(collection.iterdir()):
                if generation.is_dir() and generation.name.isdecimal():
                    number = int(generation.name)
                    yield IndexFolder(collection.name, number, generation, _disk_bytes(generation))


def _disk_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except FileNotFoundError:
            continue  # a merge has just removed it
    return total


def stored_vectors(directory: Path) -> StoredVectors | None:
    """What the index holds. None while it is empty, and where it is damaged: opening it repairs it."""
    try:
        contents = manifest.load(directory)
        if contents is None:
            return None
        deleted, _ = tombstones.read(directory / contents.tombstones, contents.tombstone_records)
        segments = [Segment(directory, record, contents.dimension) for record in contents.segments]
    except (Damaged, OSError):
        return None
    for segment in segments:
        segment.rows.mark_deleted(deleted)
    live = [segment.rows.seqs[segment.rows.live] for segment in segments]
    seqs = np.concatenate(live) if live else np.empty(0, np.int64)
    return StoredVectors(contents.dimension, contents.last_seq, seqs.astype(np.int64))


def delete_vectors(directory: Path, deleted: Ranges) -> None:
    """Let no search find these seqs. Only while no server runs on the folder. Raises OSError."""
    if (stored := stored_vectors(directory)) is not None:
        recovery.load(directory, stored.dimension).delete(ranges.normalize(deleted))


def remove_index(directory: Path) -> None:
    """Remove an index that no running server needs. Raises OSError.

    It is renamed first, so that a crash leaves no partial index; the next server removes what is left.
    """
    collection = directory.parent
    dropped = collection.parent / f"{DROPPED_PREFIX}{secrets.token_hex(8)}"
    directory.rename(dropped)
    remove(dropped)
    if not any(collection.iterdir()):
        collection.rmdir()


def exact_ranges(seqs: NDArray[np.int64]) -> Ranges:
    """Exactly these ascending seqs, as half-open ranges (n, 2)."""
    return ranges.from_seqs(seqs)


def is_within(seqs: NDArray[np.int64], allowed: Ranges) -> NDArray[np.bool_]:
    """Which of the ascending seqs (m) lie in the half-open ranges (n, 2), in any order: a mask (m)."""
    inside = np.zeros(len(seqs), np.bool_)
    inside[ranges.rows_within(seqs, ranges.union(allowed))] = True
    return inside
