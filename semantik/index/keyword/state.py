"""What one keyword index holds, and its changes. All changes run one after the other; searches read `snapshot`.

Chunks are added to a tantivy writer, and can be found after a commit. Deletions are appended to a log of tombstones at
once, and reach tantivy's files with the next commit.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tantivy
from numpy.typing import NDArray

from semantik.core.errors import Invalid
from semantik.index import ranges
from semantik.index.files import tombstones
from semantik.index.files.durable import Damaged, failpoint
from semantik.index.keyword import filters, folder
from semantik.index.keyword.folder import TOMBSTONES, tantivy_errors
from semantik.index.keyword.schema import make_document
from semantik.index.keyword.searching import KeywordSnapshot
from semantik.index.keyword.texts import Fields
from semantik.index.ranges import Ranges

log = logging.getLogger(__name__)

# What the writer's thread may hold before it starts another segment: in fewer segments a word is looked up faster.
_HEAP_BYTES = 50_000_000
# A search leaves out so many deleted chunks; if there are more, they are committed before it.
_MAX_DEAD = 500


class KeywordState:
    """One index; made by `load_state`."""

    def __init__(
        self, directory: Path, index: tantivy.Index, deleted: Ranges, tombstone_records: int
    ) -> None:
        """Raises Damaged or OSError."""
        self.directory = directory
        self._index: tantivy.Index | None = index
        self._writer: tantivy.IndexWriter | None = None
        self._deleted = deleted
        self._tombstone_records = tombstone_records
        self._added: list[NDArray[np.int64]] = []
        self._dirty_since: float | None = None
        self.used = time.monotonic()
        with tantivy_errors(directory):
            searcher = index.searcher()
            last_seq = folder.last_seq(searcher)
            self._last_seq = last_seq
            self._snapshot: KeywordSnapshot | None = KeywordSnapshot(searcher, last_seq, deleted)
            self._committed_count = int(searcher.num_docs)
            self._dead_count = self._snapshot.count(deleted)

    @property
    def last_seq(self) -> int:
        return self._last_seq

    @property
    def size(self) -> int:
        """How many chunks can be found."""
        return self._committed_count - self._dead_count + sum(map(len, self._added))

    @property
    def dirty_s(self) -> float:
        """For how long there have been changes that are not committed."""
        return time.monotonic() - self._dirty_since if self._dirty_since is not None else 0.0

    @property
    def unsaved(self) -> int:
        """How many chunks are in memory only."""
        return sum(map(len, self._added))

    @property
    def idle_s(self) -> float:
        """For how long nothing was added or searched."""
        return time.monotonic() - self.used

    @property
    def has_writer(self) -> bool:
        return self._writer is not None

    @property
    def ready_snapshot(self) -> KeywordSnapshot | None:
        """What can be found, if nothing has to be committed or opened first."""
        return None if self._added or self._dead_count > _MAX_DEAD else self._snapshot

    def add(self, seqs: NDArray[np.int64], fields: Sequence[Fields]) -> None:
        """Add the chunks above `last_seq` that are not deleted.

        Raises Damaged or OSError: the index has to be opened again then.
        """
        new = int(np.searchsorted(seqs, self._last_seq, side="right"))
        if new == len(seqs):
            return
        live = new + np.flatnonzero(~ranges.is_within(seqs[new:], self._deleted))
        if len(live):
            writer = self._open_writer()
            with tantivy_errors(self.directory):
                for row in live.tolist():
                    writer.add_document(make_document(int(seqs[row]), fields[row]))
            self._added.append(seqs[live])
            self._mark_dirty()
        self._last_seq = int(seqs[-1])

    def delete(self, seqs: Sequence[tuple[int, int]] | Ranges) -> None:
        """Let the seqs of the ranges not be found from now on.

        Raises Invalid for bad ranges, OSError when the log cannot be written: the deletion then lasts until a restart.
        """
        given = ranges.normalize(seqs)
        added = ranges.difference(given, self._deleted) if len(given) else given
        if not len(added):
            return
        snapshot = self.open_snapshot()
        with tantivy_errors(self.directory):
            self._dead_count += snapshot.count(added)
        self._added = [left for each in self._added if len(left := each[~ranges.is_within(each, added)])]
        self._deleted = ranges.union(self._deleted, added)
        self._snapshot = KeywordSnapshot(snapshot.searcher, snapshot.last_seq, self._deleted)
        self._mark_dirty()
        self._tombstone_records = tombstones.append(
            self.directory / TOMBSTONES, self._tombstone_records, added
        )
        failpoint("tombstones-synced")

    def commit(self) -> None:
        """Let all that was added be found, and take what was deleted out of tantivy's files. Raises Damaged or OSError.

        The tombstones of what it has taken out are dropped; those of seqs that may be added later stay.
        """
        self.used = time.monotonic()
        if self._dirty_since is None:
            return
        needs_deletion = self._dead_count > 0 or len(self._added)
        if needs_deletion:
            writer = self._open_writer()
            with tantivy_errors(self.directory):
                for query in filters.exactly(ranges.intersection(self._deleted, self._held)):
                    writer.delete_documents_by_query(query)
                failpoint("keyword-commit")
                writer.commit()
                failpoint("keyword-committed")
        self._reload()
        self._added = []
        self._drop_tombstones()
        self._dirty_since = None

    def close_writer(self) -> None:
        """Commit, and wait for the merges: the writer has threads and memory. Raises Damaged or OSError."""
        self.commit()
        writer, self._writer = self._writer, None
        if writer is not None:
            with tantivy_errors(self.directory):
                writer.wait_merging_threads()
            del writer
            self._reload()

    def open_snapshot(self) -> KeywordSnapshot:
        """What can be found of what was committed; opens the files when they were closed. Raises Damaged or OSError."""
        self.used = time.monotonic()
        if self._snapshot is None:
            self._index = folder.open_index(self.directory)
            self._reload()
        assert self._snapshot is not None
        return self._snapshot

    def searchable(self) -> KeywordSnapshot:
        """What can be found, after a commit where that is needed. Raises Damaged or OSError."""
        if self.ready_snapshot is None and (self._added or self._dead_count > _MAX_DEAD):
            self.commit()
        return self.open_snapshot()

    def close_files(self) -> None:
        """Close what is not in use; searches that run go on. Raises Damaged or OSError."""
        self.close_writer()
        self._index = self._snapshot = None

    def release(self) -> None:
        """Drop everything without a commit."""
        self._writer = self._index = self._snapshot = None

    @property
    def _held(self) -> Ranges:
        return np.array([[0, self._last_seq + 1]], np.int64)

    def _open_writer(self) -> tantivy.IndexWriter:
        self.used = time.monotonic()
        if self._writer is None:
            if self._index is None:
                self._index = folder.open_index(self.directory)
            with tantivy_errors(self.directory):
                self._writer = self._index.writer(_HEAP_BYTES, 1)
        return self._writer

    def _mark_dirty(self) -> None:
        if self._dirty_since is None:
            self._dirty_since = time.monotonic()

    def _reload(self) -> None:
        assert self._index is not None
        with tantivy_errors(self.directory):
            self._index.reload()
            searcher = self._index.searcher()
            committed = KeywordSnapshot(searcher, folder.last_seq(searcher), self._deleted)
            self._committed_count = int(searcher.num_docs)
            self._dead_count = committed.count(ranges.intersection(self._deleted, committed.all_seqs))
        self._snapshot = committed

    def _drop_tombstones(self) -> None:
        """Keep those of seqs that may be added later, also after a crash: above the last seq in the files."""
        assert self._snapshot is not None
        needed = ranges.above(self._deleted, self._snapshot.last_seq)
        if ranges.count(needed) == ranges.count(self._deleted):
            return
        new = self.directory / f"{TOMBSTONES}.new"
        tombstones.create(new, needed)
        failpoint("tombstones-created")
        new.replace(self.directory / TOMBSTONES)
        self._deleted, self._tombstone_records = needed, len(needed)
        self._snapshot = KeywordSnapshot(self._snapshot.searcher, self._snapshot.last_seq, needed)


def load_state(directory: Path, faults: list[Damaged]) -> KeywordState:
    """The index in the folder, made anew when it is missing or damaged. Raises OSError when it cannot be used."""
    index, deleted, records = folder.load(directory, faults)
    try:
        return KeywordState(directory, index, deleted, records)
    except Damaged as damage:
        return KeywordState(directory, *folder.load(directory, [damage]))


def checked(seqs: NDArray[np.int64], texts: Sequence[object]) -> NDArray[np.int64]:
    """The seqs (n) as int64. Raises Invalid unless they are ascending, not negative, and as many as the texts."""
    given = np.asarray(seqs)
    if given.shape != (len(texts),) or given.dtype.kind not in "iu":
        raise Invalid("There must be one seq, a whole number, for each text.")
    given = given.astype(np.int64)
    if len(given) and (given[0] < 0 or (np.diff(given) <= 0).any()):
        raise Invalid("Seqs must be ascending and not negative.")
    return given
