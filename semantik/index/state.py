"""What an index holds: segments, a mem table, tombstones; and the changes from one state to the next.

All changes run in one thread, one after the other, so nothing is locked. Searches, in other threads, read
`snapshot`, which every change replaces as a whole.
"""

from __future__ import annotations

import logging
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import Unavailable
from semantik.index import ranges
from semantik.index.files import tombstones
from semantik.index.files.durable import Damaged, failpoint
from semantik.index.ranges import Ranges
from semantik.index.retriever import IndexStats, ScoredSeq
from semantik.index.segments import manifest
from semantik.index.segments.manifest import Manifest, SegmentRecord
from semantik.index.segments.search import search_rows
from semantik.index.segments.segment import Segment, new_segment_name, write_segment
from semantik.index.vectors.checks import checked_seqs, has_unit_length
from semantik.index.vectors.mem_table import MemTable
from semantik.index.vectors.rows import Rows
from semantik.index.vectors.scoring import score_seqs, top_k

log = logging.getLogger(__name__)

# The limit of the mem table while the disk accepts no writes.
_MEM_TABLE_BYTES = 256 << 20


@dataclass(frozen=True)
class IndexSnapshot:
    """Everything that can be found at one moment. `unflushed` are the rows of the mem table."""

    segments: tuple[Segment, ...]
    unflushed: Rows

    @property
    def parts(self) -> list[Rows]:
        return [*(segment.rows for segment in self.segments), self.unflushed]


class IndexState:
    """One index. All seqs up to `flushed_seq` were put into segments; those above are in the mem table."""

    def __init__(
        self,
        directory: Path,
        dimension: int,
        segments: Sequence[Segment] = (),
        flushed_seq: int = -1,
        deleted: Ranges = ranges.EMPTY,
        tombstone_log: tuple[str, int] | None = None,
    ) -> None:
        """`tombstone_log` is the name and the number of records of the log.

        Without one, a new log and manifest are written. Raises OSError when that fails.
        """
        self.directory = directory
        self.dimension = dimension
        self._flushed_seq = flushed_seq
        self._deleted = ranges.union(deleted)
        self._tombstone_log, self._tombstone_records = tombstone_log or ("", 0)
        self._mem_table = MemTable(dimension)
        self.snapshot = IndexSnapshot(tuple(segments), self._mem_table.rows)
        for segment in segments:
            segment.rows.mark_deleted(self._deleted)
        if tombstone_log is None:
            self._save(self.snapshot.segments, flushed_seq, self._deleted)

    @property
    def last_seq(self) -> int:
        rows = self.snapshot.unflushed
        return int(rows.seqs[-1]) if len(rows) else self._flushed_seq

    @property
    def deleted(self) -> Ranges:
        """The deleted seqs that a segment, the mem table or a later `append` may hold."""
        return self._deleted

    def append(self, seqs: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        """Put the rows above `last_seq` into the mem table. Raises Invalid for seqs that are not ascending or negative.

        A vector that is not finite or not of length 1 counts as deleted: if it were refused, none of those that
        follow could be added. Raises Unavailable when the mem table is full and cannot be flushed.
        """
        checked_seqs(seqs)
        used = self.snapshot.unflushed.vectors.nbytes
        if used and used + vectors.nbytes > _MEM_TABLE_BYTES:
            self._flush_for_room()
        new = int(np.searchsorted(seqs, self.last_seq, side="right"))
        if new == len(seqs):
            return
        added = Rows(seqs[new:], vectors[new:], has_unit_length(vectors[new:]))
        if added.live_count < len(added):
            bad = added.seqs[~added.live]
            log.warning(
                "index %s: %d vectors, the first of seq %d, are not finite or not of length 1: "
                "no search will find them",
                self.directory,
                len(bad),
                bad[0],
            )
        added.mark_deleted(self._deleted)
        self._mem_table.append(added)
        self.snapshot = replace(self.snapshot, unflushed=self._mem_table.rows)

    def delete(self, seqs: Sequence[tuple[int, int]] | Ranges) -> None:
        """Let the seqs of the ranges not be found from now on, and append them to the tombstone log.

        Raises Invalid for bad ranges, OSError when the log cannot be written: the deletion then lasts until a restart.
        """
        added = ranges.normalize(seqs)
        if not len(added):
            return
        for rows in self.snapshot.parts:
            rows.mark_deleted(added)
        self._deleted = ranges.union(self._deleted, added)
        self._tombstone_records = tombstones.append(
            self.directory / self._tombstone_log, self._tombstone_records, added
        )
        failpoint("tombstones-synced")

    def flush(self) -> None:
        """Write the mem table as a segment. Raises OSError; then the mem table stays as it is."""
        rows = self.snapshot.unflushed
        if not len(rows):
            return
        segments = self.snapshot.segments
        first, last = int(rows.seqs[0]), int(rows.seqs[-1])
        name = new_segment_name(first, last)
        try:
            if rows.live_count:
                live = (rows.seqs[rows.live], rows.vectors[rows.live])
                record = write_segment(self.directory, name, (first, last), [live])
                segments = (*segments, Segment(self.directory, record, self.dimension))
            self._save(segments, last)
        except (OSError, Damaged):
            self.discard(name)
            raise
        self._flushed_seq = last
        self._mem_table = MemTable(self.dimension)
        self.snapshot = IndexSnapshot(segments, self._mem_table.rows)

    def _flush_for_room(self) -> None:
        try:
            self.flush()
        except (OSError, Damaged) as error:
            raise Unavailable(f"The index cannot take more vectors: {error}.", 10) from error

    def open_segment(self, record: SegmentRecord) -> list[Segment]:
        """The segment that a merge wrote, which is not searched yet; none when it has no rows. Raises Damaged."""
        return [Segment(self.directory, record, self.dimension)] if record.rows else []

    def replace_segments(self, old: Sequence[Segment], name: str, merged: Sequence[Segment]) -> None:
        """Replace segments by the merged one of this name; by none where it has no rows.

        Tombstones that cover no row any more are dropped. Raises OSError; then the state does not change.
        """
        try:
            for segment in merged:
                segment.rows.mark_deleted(self._deleted)
            at = self.snapshot.segments.index(old[0])
            segments = (*self.snapshot.segments[:at], *merged, *self.snapshot.segments[at + len(old) :])
            dead = [ranges.from_seqs(segment.rows.seqs[~segment.rows.live]) for segment in segments]
            needed = ranges.union(*dead, ranges.above(self._deleted, self._flushed_seq))
            self._save(segments, self._flushed_seq, needed)
        except (OSError, Damaged):
            self.discard(name)
            raise
        self.snapshot = IndexSnapshot(segments, self.snapshot.unflushed)
        for segment in old:
            segment.release()
        for unused in [segment.record.name for segment in old] + ([] if merged else [name]):
            self.discard(unused)
            failpoint("merge-removed")

    def drop_engine(self, segment: Segment) -> None:
        """Drop the damaged file of a segment's engine, so that a merge builds it again. Raises OSError."""
        segment.drop_engine()
        self._save(self.snapshot.segments, self._flushed_seq)

    def discard(self, name: str) -> None:
        """Remove a segment's folder that no manifest names; what cannot be removed goes at the next start."""
        shutil.rmtree(self.directory / name, ignore_errors=True)

    def search(
        self,
        query: NDArray[np.float64],
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None,
        threshold: float | None,
    ) -> list[ScoredSeq]:
        """The k best for a unit query; see `VectorIndex.nearest`. Runs in any thread."""
        snapshot = self.snapshot
        within = None if allowed is None else ranges.normalize(allowed)
        return top_k(search_rows(snapshot.segments, snapshot.unflushed, query, k, within), k, threshold)

    def scores(self, query: NDArray[np.float64], seqs: NDArray[np.int64]) -> dict[int, float]:
        """The cosines of those of the ascending seqs that can be found. Runs in any thread."""
        found = score_seqs(self.snapshot.parts, query, seqs)
        return dict(zip(found.seqs.tolist(), found.scores.tolist(), strict=True))

    def sample(self, count: int) -> NDArray[np.float32]:
        """At most `count` vectors that can be found (n, dimension), evenly spread. Runs in any thread."""
        parts = [(rows, np.flatnonzero(rows.live)) for rows in self.snapshot.parts]
        total = sum(len(live) for _, live in parts)
        picked = np.arange(min(count, total)) * total // max(1, min(count, total))
        vectors = [np.empty((0, self.dimension), np.float32)]
        for rows, live in parts:
            inside = picked[(picked >= 0) & (picked < len(live))]
            vectors.append(rows.vectors[live[inside]].astype(np.float32))
            picked = picked - len(live)
        return np.concatenate(vectors)

    def release(self) -> None:
        """Prepare for the removal of all files; running searches complete."""
        for segment in self.snapshot.segments:
            segment.release()

    @property
    def size(self) -> int:
        return sum(rows.live_count for rows in self.snapshot.parts)

    def stats(self) -> IndexStats:
        segments, unflushed = self.snapshot.segments, self.snapshot.unflushed
        live = self.size
        with_engine = [segment.record for segment in segments if segment.record.effort]
        weight = sum(record.rows for record in with_engine)
        recall = sum((record.recall or 0.0) * record.rows for record in with_engine)
        return IndexStats(
            vectors=live,
            deleted=sum(len(rows) for rows in self.snapshot.parts) - live,
            unsaved=len(unflushed),
            segments=len(segments),
            bytes=sum(segment.bytes for segment in segments),
            engine=", ".join(sorted({record.engine for record in with_engine})) or "exact",
            measured_recall=recall / weight if weight else None,
            effort=max((record.effort for record in with_engine), default=None),
        )

    def _save(self, segments: Sequence[Segment], last_seq: int, deleted: Ranges | None = None) -> None:
        """Write the manifest of the next state, with `deleted` also a new tombstone log. Raises OSError."""
        name, count = self._tombstone_log, self._tombstone_records
        if deleted is not None:
            name, count = f"tombstones-{secrets.token_hex(4)}", len(deleted)
            tombstones.create(self.directory / name, deleted)
            failpoint("tombstones-created")
        records = tuple(segment.record for segment in segments)
        manifest.save(self.directory, Manifest(self.dimension, last_seq, records, name, count))
        if deleted is not None:
            if self._tombstone_log:
                (self.directory / self._tombstone_log).unlink(missing_ok=True)
            self._tombstone_log, self._tombstone_records, self._deleted = name, count, deleted
