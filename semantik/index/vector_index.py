"""The vectors of one generation of a collection: a `Retriever` by the cosine of vectors.

Runs on the loop and submits the work: changes to the writing thread, searches to the reading threads, merges to the
pool.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from semantik.config.settings import IndexSettings
from semantik.core.errors import Invalid, Unavailable
from semantik.index.background_task import BackgroundTask
from semantik.index.files.checksums import run_step
from semantik.index.files.durable import Damaged
from semantik.index.ranges import Ranges
from semantik.index.retriever import IndexStats, RetrievalQuery, ScoredSeq
from semantik.index.segments import merge_policy
from semantik.index.segments.manifest import SegmentRecord
from semantik.index.segments.merge import merge_segments
from semantik.index.segments.segment import Segment, new_segment_name
from semantik.index.state import IndexState
from semantik.index.vectors.checks import checked_shapes, unit_vector

log = logging.getLogger(__name__)

T = TypeVar("T")

RunInPool = Callable[..., Awaitable[Any]]
"""`await run_in_pool(function, *args, timeout_s=…)` is the result of an importable pure function, run in the pool."""

# A merge that takes longer hangs: Annoy with its calibration, the slowest engine, was measured at 6 000 rows a second.
_MERGE_TIMEOUT_S = 300.0
_MERGE_ROWS_PER_S = 200.0
# A merged segment with more than so many times the rows of all others shares nothing with them.
_OWN_FROM = 4


@dataclass(frozen=True)
class IndexContext:
    """What all indexes share; `retry_s` is the first pause after a failure in the background."""

    settings: IndexSettings
    run_in_pool: RunInPool
    writer: Executor
    readers: Executor
    checker: Executor
    retry_s: float


class VectorIndex:
    """Made by `IndexRegistry.open`. After `close` or `IndexRegistry.drop` every call raises Unavailable.

    The same happens when its files turn out to be damaged. Opened again, it has the sound segments and a lower
    `last_seq`.
    """

    def __init__(self, state: IndexState, context: IndexContext) -> None:
        self._state = state
        self._context = context
        self._closed = False
        self._flushing = BackgroundTask(
            f"index {state.directory}: saving new vectors", self._flush, context.retry_s
        )
        self._merging = BackgroundTask(
            f"index {state.directory}: merging segments", self._maintain, context.retry_s
        )
        self._merging.wake()

    @property
    def dimension(self) -> int:
        return self._state.dimension

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def last_seq(self) -> int:
        """The highest seq that was added, or -1. The caller fetches chunks above it from MongoDB and adds them."""
        return self._state.last_seq

    async def add(self, seqs: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        """Make vectors (n, dimension), of length 1, searchable under their ascending seqs (n).

        Seqs up to `last_seq` are skipped: after a failed call, continue from `last_seq`, not beyond it.
        Calls take effect in the order in which they were made. A vector that is not finite or not of length 1
        is never found, and a warning is logged. Raises Invalid for wrong shapes, types or seqs; Unavailable while
        256 MiB of vectors wait in memory for a disk that accepts no writes.
        """
        checked_shapes(seqs, vectors, self.dimension)
        await self._write(self._state.append, seqs, vectors)
        if len(self._state.snapshot.unflushed) > self._context.settings.tail_rows:
            self._flushing.wake()

    async def delete(self, seqs: Sequence[tuple[int, int]] | Ranges) -> None:
        """Let the seqs of half-open ranges not be found from now on, also if they are added only later.

        Raises Invalid for bad ranges; Unavailable when the deletion could not be saved: delete again then.
        """
        try:
            await self._write(self._state.delete, seqs)
        except OSError as error:
            raise Unavailable(f"The deletion could not be saved in the index: {error.strerror}.") from error
        self._merging.wake()

    async def search(
        self,
        query: RetrievalQuery,
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None = None,
        threshold: float | None = None,
    ) -> list[ScoredSeq]:
        """The chunks whose vectors are nearest to the query's; see `nearest`."""
        return await self.nearest(await query.embed(), k, allowed, threshold)

    async def nearest(
        self,
        vector: NDArray[np.float32],
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None = None,
        threshold: float | None = None,
    ) -> list[ScoredSeq]:
        """The seqs of the k vectors nearest to `vector` (dimension,), best first, equal scores by lower seq.

        None scores below `threshold`. With `allowed`, half-open seq ranges, only those are compared: exactly where
        they are few, else with the recall that the index was calibrated to.
        Raises Invalid for a vector of another shape, of length 0, or with numbers that are not finite.
        """
        unit = unit_vector(vector, self.dimension)
        if k < 1:
            raise Invalid("A search must ask for at least one result.")
        search = self._state.search
        return await self._submit(self._context.readers, search, unit, k, allowed, threshold)

    async def scores(self, query: RetrievalQuery, seqs: Sequence[int]) -> dict[int, float]:
        """The true cosine of each of these chunks to the query; one that cannot be found is absent."""
        unit, wanted = unit_vector(await query.embed(), self.dimension), np.array(sorted(set(seqs)), np.int64)
        return await self._submit(self._context.readers, self._state.scores, unit, wanted)

    async def sample(self, count: int) -> NDArray[np.float32]:
        """At most `count` of the vectors that can be found, evenly spread over all of them: (n, dimension)."""
        return await self._submit(self._context.readers, self._state.sample, count)

    @property
    def size(self) -> int:
        """How many vectors can be found."""
        return self._state.size

    async def count(self) -> int:
        """The same: here it is always exact."""
        return self.size

    def stats(self) -> IndexStats:
        return self._state.stats()

    async def close(self) -> None:
        """Stop the background work and flush the mem table; what cannot be saved is added again later."""
        if self._closed:
            return
        flushing = self._submit(self._context.writer, self._state.flush)
        self.stop()
        await self.wait_stopped()
        try:
            await asyncio.shield(flushing)
        except (OSError, Damaged) as error:
            log.warning("index %s: the newest vectors cannot be saved: %s", self._state.directory, error)

    def stop(self) -> None:
        """Refuse every later call and end the background work without a flush."""
        self._closed = True
        self._flushing.stop()
        self._merging.stop()

    async def wait_stopped(self) -> None:
        await self._flushing.wait_stopped()
        await self._merging.wait_stopped()

    def release_files(self) -> None:
        """Prepare for the removal of the files, after `stop`. Runs in the writing thread."""
        self._state.release()

    async def _flush(self) -> bool:
        await self._write(self._state.flush)
        self._merging.wake()
        return False

    async def _maintain(self) -> bool:
        for segment in self._state.snapshot.segments:
            if segment.engine_pending:
                try:
                    await self._attach_engine(segment)
                except Damaged as damage:
                    log.warning("index %s: %s; it will be built again", self._state.directory, damage)
                    await self._write(self._state.drop_engine, segment)
        return await self._merge()

    async def _attach_engine(self, segment: Segment) -> None:
        steps = segment.attach_engine()
        while await run_step(steps, self._context.checker):
            pass

    async def _merge(self) -> bool:
        state, context = self._state, self._context
        segments = state.snapshot.segments
        candidates = [
            merge_policy.MergeCandidate(len(segment.rows), segment.rows.live_count, segment.record.engine)
            for segment in segments
        ]
        chosen = merge_policy.choose_merge(candidates, context.settings)
        if chosen is None:
            return False
        old = segments[chosen.start : chosen.stop]
        records = [segment.record for segment in old]
        name = new_segment_name(records[0].first, records[-1].last)
        timeout_s = _MERGE_TIMEOUT_S + sum(record.rows for record in records) / _MERGE_ROWS_PER_S
        try:
            record = await context.run_in_pool(
                merge_segments,
                state.directory,
                name,
                records,
                state.deleted,
                self.dimension,
                context.settings,
                _shared_by_most(segments, old, context.settings.engine),
                timeout_s=timeout_s,
            )
        except Damaged as damage:
            context.writer.submit(state.discard, name)
            log.warning("index %s: %s; the index will be opened again", state.directory, damage)
            self.stop()
            return False
        except BaseException:
            context.writer.submit(state.discard, name)
            raise
        await self._replace_segments(old, record)
        return True

    async def _replace_segments(self, old: Sequence[Segment], record: SegmentRecord) -> None:
        """Search the merged segment in place of the old ones, once its engine is ready."""
        state, context = self._state, self._context
        try:
            merged = await self._submit(context.checker, state.open_segment, record)
            for segment in merged:
                if segment.engine_pending:
                    await self._attach_engine(segment)
        except BaseException:
            context.writer.submit(state.discard, record.name)
            raise
        await self._write(state.replace_segments, old, record.name, merged)

    async def _write(self, function: Callable[..., None], *args: Any) -> None:
        """Run in the writing thread, after all earlier changes, also when the caller is cancelled."""
        await asyncio.shield(self._submit(self._context.writer, function, *args))

    def _submit(self, executor: Executor, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        if self._closed:
            raise Unavailable("The index was closed; please ask again.")
        return asyncio.get_running_loop().run_in_executor(executor, function, *args)


def _shared_by_most(
    segments: Sequence[Segment], old: Sequence[Segment], engine: str
) -> NDArray[np.float32] | None:
    """What a merge of the `old` ones is built with: that of the largest other segment.

    None where it will have most of all rows: those added from then on follow it.
    """
    others = [each for each in segments if each not in old and each.record.engine == engine and each.finder]
    if _OWN_FROM * sum(len(each.rows) for each in others) < sum(len(each.rows) for each in old):
        return None
    largest = max(others, key=lambda each: len(each.rows), default=None)
    return None if largest is None or largest.finder is None else largest.finder.shared
