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
from semantik.index.files import manifest, tombstones
from semantik.index.files.durable import Damaged, failpoint
from semantik.index.files.manifest import Manifest, SegmentRecord
from semantik.index.segments import ranges
from semantik.index.segments.ranges import Ranges
from semantik.index.segments.rows import MemTable, Rows, Scored, exact, ranked
from semantik.index.segments.segment import Segment, name_segment, write_segment

logger = logging.getLogger(__name__)

# How far a vector's length may be from 1: more than any rounding does.
_LENGTH_TOLERANCE = 0.01
_CHECK_ROWS = 8192
# What an index holds in memory while the disk takes nothing.
_TAIL_BYTES = 256 << 20


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
    tail: Rows

    @property
    def parts(self) -> list[Rows]:
        return [*(segment.rows for segment in self.segments), self.tail]


class IndexState:
    """One index. `frozen_seq`: all seqs up to it were put into segments; those above are in the tail."""

    def __init__(
        self,
        home: Path,
        dimension: int,
        segments: Sequence[Segment] = (),
        frozen_seq: int = -1,
        buried: Ranges = ranges.NONE,
        log: tuple[str, int] | None = None,
    ) -> None:
        """`log` is the name and length of the tombstones' log; without one all is saved anew, or OSError raised."""
        self.home = home
        self.dimension = dimension
        self._frozen_seq = frozen_seq
        self._buried = ranges.union(buried)
        self._log, self._logged = log or ("", 0)
        self._tail = MemTable(dimension)
        self.state = IndexSnapshot(tuple(segments), self._tail.rows)
        for segment in segments:
            segment.rows.bury(self._buried)
        if log is None:
            self._save(self.state.segments, frozen_seq, self._buried)

    @property
    def last_seq(self) -> int:
        tail = self.state.tail
        return int(tail.seqs[-1]) if len(tail) else self._frozen_seq

    @property
    def buried(self) -> Ranges:
        return self._buried

    def append(self, seqs: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        """Put the rows above `last_seq` into the tail. Raises Invalid for seqs that cannot be.

        A vector that is not finite or not of length 1 counts as deleted: refused, it would keep out all
        that follow. Raises Unavailable when the tail takes all the memory it may, and the disk does not take it.
        """
        if len(seqs) and (seqs[0] < 0 or (np.diff(seqs) <= 0).any()):
            raise Invalid("Seqs must be ascending and not negative.")
        tail = self.state.tail.vectors.nbytes
        if tail and tail + vectors.nbytes > _TAIL_BYTES:
            self._make_room()
        new = int(np.searchsorted(seqs, self.last_seq, side="right"))
        if new == len(seqs):
            return
        added = Rows(seqs[new:], vectors[new:], _of_unit_length(vectors[new:]))
        if added.alive < len(added):
            bad = added.seqs[~added.live]
            logger.warning(
                "index %s: %d vectors, the first of seq %d, are not finite or not of length 1: "
                "no search will find them",
                self.home,
                len(bad),
                bad[0],
            )
        added.bury(self._buried)
        self._tail.append(added)
        self.state = replace(self.state, tail=self._tail.rows)

    def bury(self, given: Sequence[tuple[int, int]] | Ranges) -> None:
        """Let the seqs of the ranges not be found from now on, and log that.

        Raises Invalid for bad ranges, OSError when the log cannot be written: they then hold until a restart.
        """
        added = ranges.normal(given)
        if not len(added):
            return
        for rows in self.state.parts:
            rows.bury(added)
        self._buried = ranges.union(self._buried, added)
        self._logged = tombstones.append(self.home / self._log, self._logged, added)
        failpoint("tombstones-synced")

    def freeze(self) -> None:
        """Make the tail a segment on disk. Raises OSError; then the tail stays as it is."""
        rows = self.state.tail
        if not len(rows):
            return
        segments = self.state.segments
        first, last = int(rows.seqs[0]), int(rows.seqs[-1])
        name = name_segment(first, last)
        try:
            if rows.alive:
                live = (rows.seqs[rows.live], rows.vectors[rows.live])
                record = write_segment(self.home, name, (first, last), [live])
                segments = (*segments, Segment(self.home, record, self.dimension))
            self._save(segments, last)
        except (OSError, Damaged):
            self.discard(name)
            raise
        self._frozen_seq = last
        self._tail = MemTable(self.dimension)
        self.state = IndexSnapshot(segments, self._tail.rows)

    def _make_room(self) -> None:
        try:
            self.freeze()
        except (OSError, Damaged) as error:
            raise Unavailable(f"The index cannot take more vectors: {error}.", 10) from error

    def opened(self, record: SegmentRecord) -> list[Segment]:
        """The segment that a merge wrote, not yet among those that are searched; none without rows. Raises Damaged."""
        return [Segment(self.home, record, self.dimension)] if record.rows else []

    def exchange(self, old: Sequence[Segment], name: str, merged: Sequence[Segment]) -> None:
        """Put the merged segment of this name, none where it has no rows, in the place of those it was made of.

        Tombstones that cover nothing any more are forgotten. Raises OSError; then all stays as it is.
        """
        try:
            for segment in merged:
                segment.rows.bury(self._buried)
            at = self.state.segments.index(old[0])
            segments = (*self.state.segments[:at], *merged, *self.state.segments[at + len(old) :])
            dead = [ranges.covering(segment.rows.seqs[~segment.rows.live]) for segment in segments]
            needed = ranges.union(*dead, ranges.beyond(self._buried, self._frozen_seq))
            self._save(segments, self._frozen_seq, needed)
        except (OSError, Damaged):
            self.discard(name)
            raise
        self.state = IndexSnapshot(segments, self.state.tail)
        for segment in old:
            segment.let_go()
        for gone in [segment.record.name for segment in old] + ([] if merged else [name]):
            self.discard(gone)
            failpoint("merge-removed")

    def strip(self, segment: Segment) -> None:
        """Forget the damaged file of a segment's engine, so that a merge builds it again. Raises OSError."""
        segment.strip()
        self._save(self.state.segments, self._frozen_seq)

    def discard(self, name: str) -> None:
        """Remove a segment's folder that no manifest names; what resists is removed at the next start."""
        shutil.rmtree(self.home / name, ignore_errors=True)

    def search(
        self,
        query: NDArray[np.float64],
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None,
        threshold: float | None,
    ) -> list[Scored]:
        """The k best for a unit query; see VectorIndex.search. Runs in any thread."""
        state = self.state
        within = None if allowed is None else ranges.normal(allowed)
        found = [segment.search(query, k, within) for segment in state.segments]
        return ranked([*found, exact(state.tail, query, k, state.tail.usable(within))], k, threshold)

    def let_go(self) -> None:
        """Prepare for the removal of all that is there; only searches under way go on."""
        for segment in self.state.segments:
            segment.let_go()

    @property
    def size(self) -> int:
        return sum(rows.alive for rows in self.state.parts)

    def stats(self) -> IndexStats:
        segments, tail = self.state.segments, self.state.tail
        alive = self.size
        equipped = [segment.record for segment in segments if segment.record.effort]
        weight = sum(record.rows for record in equipped)
        recall = sum((record.recall or 0.0) * record.rows for record in equipped)
        return IndexStats(
            vectors=alive,
            deleted=sum(len(rows) for rows in self.state.parts) - alive,
            unsaved=len(tail),
            segments=len(segments),
            bytes=sum(segment.bytes for segment in segments),
            engine=", ".join(sorted({record.engine for record in equipped})) or "exact",
            measured_recall=recall / weight if weight else None,
            effort=max((record.effort for record in equipped), default=None),
        )

    def _save(self, segments: Sequence[Segment], last_seq: int, buried: Ranges | None = None) -> None:
        """Write the manifest of the next state, with `buried` also a new tombstone log. Raises OSError."""
        log, logged = self._log, self._logged
        if buried is not None:
            log, logged = f"tombstones-{secrets.token_hex(4)}", len(buried)
            tombstones.create(self.home / log, buried)
            failpoint("tombstones-created")
        records = tuple(segment.record for segment in segments)
        manifest.save(self.home, Manifest(self.dimension, last_seq, records, log, logged))
        if buried is not None:
            if self._log:
                (self.home / self._log).unlink(missing_ok=True)
            self._log, self._logged, self._buried = log, logged, buried


def _of_unit_length(vectors: NDArray[np.float16]) -> NDArray[np.bool_]:
    sound = np.empty(len(vectors), np.bool_)
    for start in range(0, len(vectors), _CHECK_ROWS):
        block = vectors[start : start + _CHECK_ROWS].astype(np.float32)
        sound[start : start + _CHECK_ROWS] = np.abs(np.linalg.norm(block, axis=1) - 1) <= _LENGTH_TOLERANCE
    return sound
