"""What an index holds: segments, the tail in memory, tombstones; and the steps from one state to the next.

Everything that changes it runs in one thread, one call after the other, so there is nothing to lock.
Searches, in other threads, read `state`, which is replaced as a whole.
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

from semantik.core.errors import Invalid, Unavailable
from semantik.index import ranges
from semantik.index.files import tombstones
from semantik.index.files.durable import Damaged, failpoint
from semantik.index.ranges import Ranges
from semantik.index.retriever import ScoredSeq
from semantik.index.segments import manifest
from semantik.index.segments.manifest import Manifest, SegmentRecord
from semantik.index.segments.segment import Segment, new_segment_name, write_segment
from semantik.index.vectors.mem_table import MemTable
from semantik.index.vectors.rows import Rows
from semantik.index.vectors.scoring import scan, top_k

logger = logging.getLogger(__name__)

# How far a vector's length may be from 1: more than any rounding does.
_LENGTH_TOLERANCE = 0.01
_CHECK_ROWS = 8192
# What an index holds in memory while the disk takes nothing.
_MEM_TABLE_BYTES = 256 << 20


@dataclass(frozen=True)
class IndexStats:
    """`vectors` can be found; `deleted` still take room; `unsaved` are in memory only; `bytes` are on disk.

    `engine` names those in use ("codes", "annoy"), or is "exact". `measured_recall` is the mean recall@10 over the
    vectors that an engine searches, `effort` the largest in use; both None where all is scanned exactly.
    """

    vectors: int
    deleted: int
    unsaved: int
    segments: int
    bytes: int
    engine: str
    measured_recall: float | None
    effort: int | None


@dataclass(frozen=True)
class IndexSnapshot:
    """All that can be found at one moment."""

    segments: tuple[Segment, ...]
    unflushed: Rows

    @property
    def parts(self) -> list[Rows]:
        return [*(segment.rows for segment in self.segments), self.unflushed]


class IndexState:
    """One index. `frozen_seq`: all seqs up to it were put into segments; those above are in the tail."""

    def __init__(
        self,
        directory: Path,
        dimension: int,
        segments: Sequence[Segment] = (),
        flushed_seq: int = -1,
        deleted: Ranges = ranges.EMPTY,
        tombstone_log: tuple[str, int] | None = None,
    ) -> None:
        """`log` is the name and length of the tombstones' log; without one all is saved anew, or OSError raised."""
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
        tail = self.snapshot.unflushed
        return int(tail.seqs[-1]) if len(tail) else self._flushed_seq

    @property
    def deleted(self) -> Ranges:
        return self._deleted

    def append(self, seqs: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        """Put the rows above `last_seq` into the tail. Raises Invalid for seqs that cannot be.

        A vector that is not finite or not of length 1 counts as deleted: refused, it would keep out all
        that follow. Raises Unavailable when the tail takes all the memory it may, and the disk does not take it.
        """
        if len(seqs) and (seqs[0] < 0 or (np.diff(seqs) <= 0).any()):
            raise Invalid("Seqs must be ascending and not negative.")
        tail = self.snapshot.unflushed.vectors.nbytes
        if tail and tail + vectors.nbytes > _MEM_TABLE_BYTES:
            self._flush_for_room()
        new = int(np.searchsorted(seqs, self.last_seq, side="right"))
        if new == len(seqs):
            return
        added = Rows(seqs[new:], vectors[new:], _has_unit_length(vectors[new:]))
        if added.live_count < len(added):
            bad = added.seqs[~added.live]
            logger.warning(
                "index %s: %d vectors, the first of seq %d, are not finite or not of length 1: "
                "no search will find them",
                self.directory,
                len(bad),
                bad[0],
            )
        added.mark_deleted(self._deleted)
        self._mem_table.append(added)
        self.snapshot = replace(self.snapshot, unflushed=self._mem_table.rows)

    def delete(self, given: Sequence[tuple[int, int]] | Ranges) -> None:
        """Let the seqs of the ranges not be found from now on, and log that.

        Raises Invalid for bad ranges, OSError when the log cannot be written: they then hold until a restart.
        """
        added = ranges.normalize(given)
        if not len(added):
            return
        for rows in self.snapshot.parts:
            rows.mark_deleted(added)
        self._deleted = ranges.union(self._deleted, added)
        self._tombstone_records = tombstones.append(self.directory / self._tombstone_log, self._tombstone_records, added)
        failpoint("tombstones-synced")

    def flush(self) -> None:
        """Make the tail a segment on disk. Raises OSError; then the tail stays as it is."""
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
        """The segment that a merge wrote, not yet among those that are searched; none without rows. Raises Damaged."""
        return [Segment(self.directory, record, self.dimension)] if record.rows else []

    def replace(self, old: Sequence[Segment], name: str, merged: Sequence[Segment]) -> None:
        """Put the merged segment of this name, none where it has no rows, in the place of those it was made of.

        Tombstones that cover nothing any more are forgotten. Raises OSError; then all stays as it is.
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
        for gone in [segment.record.name for segment in old] + ([] if merged else [name]):
            self.discard(gone)
            failpoint("merge-removed")

    def drop_ann(self, segment: Segment) -> None:
        """Forget the damaged file of a segment's engine, so that a merge builds it again. Raises OSError."""
        segment.drop_ann()
        self._save(self.snapshot.segments, self._flushed_seq)

    def discard(self, name: str) -> None:
        """Remove a segment's folder that no manifest names; what resists is removed at the next start."""
        shutil.rmtree(self.directory / name, ignore_errors=True)

    def search(
        self,
        query: NDArray[np.float64],
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None,
        threshold: float | None,
    ) -> list[ScoredSeq]:
        """The k best for a unit query; see VectorIndex.search. Runs in any thread."""
        state = self.snapshot
        within = None if allowed is None else ranges.normalize(allowed)
        found = [segment.search(query, k, within) for segment in state.segments]
        return top_k([*found, scan(state.unflushed, query, k, state.unflushed.usable(within))], k, threshold)

    def release(self) -> None:
        """Prepare for the removal of all that is there; only searches under way go on."""
        for segment in self.snapshot.segments:
            segment.release()

    @property
    def size(self) -> int:
        return sum(rows.live_count for rows in self.snapshot.parts)

    def stats(self) -> IndexStats:
        segments, tail = self.snapshot.segments, self.snapshot.unflushed
        alive = self.size
        equipped = [segment.record for segment in segments if segment.record.effort]
        weight = sum(record.rows for record in equipped)
        recall = sum((record.recall or 0.0) * record.rows for record in equipped)
        return IndexStats(
            vectors=alive,
            deleted=sum(len(rows) for rows in self.snapshot.parts) - alive,
            unsaved=len(tail),
            segments=len(segments),
            bytes=sum(segment.bytes for segment in segments),
            engine=", ".join(sorted({record.engine for record in equipped})) or "exact",
            measured_recall=recall / weight if weight else None,
            effort=max((record.effort for record in equipped), default=None),
        )

    def _save(self, segments: Sequence[Segment], last_seq: int, deleted: Ranges | None = None) -> None:
        """Write the manifest of the next state, with `buried` also a new tombstone log. Raises OSError."""
        log, logged = self._tombstone_log, self._tombstone_records
        if deleted is not None:
            log, logged = f"tombstones-{secrets.token_hex(4)}", len(deleted)
            tombstones.create(self.directory / log, deleted)
            failpoint("tombstones-created")
        records = tuple(segment.record for segment in segments)
        manifest.save(self.directory, Manifest(self.dimension, last_seq, records, log, logged))
        if deleted is not None:
            if self._tombstone_log:
                (self.directory / self._tombstone_log).unlink(missing_ok=True)
            self._tombstone_log, self._tombstone_records, self._deleted = log, logged, deleted


def _has_unit_length(vectors: NDArray[np.float16]) -> NDArray[np.bool_]:
    sound = np.empty(len(vectors), np.bool_)
    for start in range(0, len(vectors), _CHECK_ROWS):
        block = vectors[start : start + _CHECK_ROWS].astype(np.float32)
        sound[start : start + _CHECK_ROWS] = np.abs(np.linalg.norm(block, axis=1) - 1) <= _LENGTH_TOLERANCE
    return sound
