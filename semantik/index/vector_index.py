"""One collection's vectors behind one small interface: add, delete, search.

Runs on the loop, and has the work done elsewhere: changes in the writing thread, searches in the reading threads,
merges in the pool.
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
from semantik.index.files.checksums import step
from semantik.index.files.durable import Damaged
from semantik.index.files.manifest import SegmentRecord
from semantik.index.segments import merge_policy
from semantik.index.segments.merge import merge_segments
from semantik.index.segments.ranges import Ranges
from semantik.index.segments.rows import Scored
from semantik.index.segments.segment import Segment, name_segment
from semantik.index.state import IndexState, IndexStats

log = logging.getLogger(__name__)

T = TypeVar("T")

Run = Callable[..., Awaitable[Any]]
"""`await run(function, *args, timeout_s=…)` is the result of an importable pure function, from the pool."""

# A merge that takes longer hangs: measured are 6 000 rows a second with Annoy and its calibration, the slowest engine.
_MERGE_TIMEOUT_S = 300.0
_MERGE_ROWS_PER_S = 200.0


@dataclass(frozen=True)
class IndexContext:
    """What every index works with; `retry_s` is the first pause after a failure in the background."""

    settings: IndexSettings
    run: Run
    writer: Executor
    readers: Executor
    checker: Executor
    retry_s: float


class VectorIndex:
    """Made by `Indexes.open`. After `close` or `Indexes.drop` every call raises Unavailable.

    So it does when its files turn out to be damaged: opened again it has what is sound, and a lower `last_seq`.
    """

    def __init__(self, contents: IndexState, means: IndexContext) -> None:
        self._contents = contents
        self._means = means
        self._closed = False
        self._freezing = BackgroundTask(
            f"index {contents.home}: saving new vectors", self._freeze, means.retry_s
        )
        self._merging = BackgroundTask(f"index {contents.home}: merging segments", self._tend, means.retry_s)
        self._merging.wake()

    @property
    def dimension(self) -> int:
        return self._contents.dimension

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def last_seq(self) -> int:
        """The highest seq that was added, or -1. Chunks above it are to be fetched from MongoDB and added."""
        return self._contents.last_seq

    async def add(self, seqs: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        """Make vectors (n, dimension), of length 1, searchable under their ascending seqs (n).

        Seqs up to `last_seq` are passed over: so after a failed call, go on from `last_seq`, not beyond it.
        Calls take effect in the order in which they were made. A vector that is not finite or not of length 1
        is never found, and warned of. Raises Invalid for wrong shapes, types or seqs; Unavailable while 256 MiB
        of vectors wait in memory for a disk that takes nothing.
        """
        if seqs.dtype != np.int64 or vectors.dtype != np.float16:
            raise Invalid("An index takes seqs as int64 and vectors as float16.")
        if vectors.ndim != 2 or seqs.shape != vectors.shape[:1] or vectors.shape[1] != self.dimension:
            raise Invalid(
                f"{seqs.shape} seqs and {vectors.shape} vectors do not make rows of {self.dimension} numbers."
            )
        await self._change(self._contents.append, seqs, vectors)
        if len(self._contents.state.tail) > self._means.settings.tail_rows:
            self._freezing.wake()

    async def delete(self, seqs: Sequence[tuple[int, int]] | Ranges) -> None:
        """Let the seqs of half-open ranges not be found from now on, also if they are added only later.

        Raises Invalid for bad ranges; Unavailable when the disk did not take it: delete again then.
        """
        try:
            await self._change(self._contents.bury, seqs)
        except OSError as error:
            raise Unavailable(f"The deletion could not be saved in the index: {error.strerror}.") from error
        self._merging.wake()

    async def search(
        self,
        query: NDArray[np.float32],
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None = None,
        threshold: float | None = None,
    ) -> list[Scored]:
        """The k nearest vectors to the query (dimension), best first, equal scores by lower seq.

        None scores below `threshold`. With `allowed`, half-open seq ranges, only those are looked at: exactly where
        they are few, else with the recall that the index was calibrated to.
        Raises Invalid for a query that has another shape, no direction, or numbers that are none.
        """
        unit = np.asarray(query, np.float64)
        length = float(np.linalg.norm(unit))
        if unit.shape != (self.dimension,) or not (0 < length < np.inf):
            raise Invalid(f"A query must be a vector of {self.dimension} finite numbers, not all zero.")
        if k < 1:
            raise Invalid("A search must ask for at least one result.")
        search = self._contents.search
        return await self._submit(self._means.readers, search, unit / length, k, allowed, threshold)

    @property
    def size(self) -> int:
        """How many vectors can be found."""
        return self._contents.size

    def stats(self) -> IndexStats:
        return self._contents.stats()

    async def close(self) -> None:
        """Stop the background work and save the tail; what the disk does not take is to be added again."""
        if self._closed:
            return
        saving = self._submit(self._means.writer, self._contents.freeze)
        self.stop()
        await self.stopped()
        try:
            await asyncio.shield(saving)
        except (OSError, Damaged) as error:
            log.warning("index %s: the newest vectors cannot be saved: %s", self._contents.home, error)

    def stop(self) -> None:
        """Refuse every later call and end the background work, saving nothing."""
        self._closed = True
        self._freezing.stop()
        self._merging.stop()

    async def stopped(self) -> None:
        await self._freezing.stopped()
        await self._merging.stopped()

    def let_go(self) -> None:
        """Prepare for the removal of its files, after a stop. In the writing thread."""
        self._contents.let_go()

    async def _freeze(self) -> bool:
        await self._change(self._contents.freeze)
        self._merging.wake()
        return False

    async def _tend(self) -> bool:
        for segment in self._contents.state.segments:
            if segment.unequipped:
                try:
                    await self._equip(segment)
                except Damaged as damage:
                    log.warning("index %s: %s; it will be built again", self._contents.home, damage)
                    await self._change(self._contents.strip, segment)
        return await self._merge()

    async def _equip(self, segment: Segment) -> None:
        steps = segment.equip()
        while await step(steps, self._means.checker):
            pass

    async def _merge(self) -> bool:
        contents, means = self._contents, self._means
        segments = contents.state.segments
        candidates = [
            merge_policy.MergeCandidate(len(segment.rows), segment.rows.alive, segment.record.engine)
            for segment in segments
        ]
        chosen = merge_policy.choose(candidates, means.settings)
        if chosen is None:
            return False
        old = segments[chosen.start : chosen.stop]
        records = [segment.record for segment in old]
        name = name_segment(records[0].first, records[-1].last)
        timeout_s = _MERGE_TIMEOUT_S + sum(record.rows for record in records) / _MERGE_ROWS_PER_S
        try:
            record = await means.run(
                merge_segments,
                contents.home,
                name,
                records,
                contents.buried,
                self.dimension,
                means.settings,
                timeout_s=timeout_s,
            )
        except Damaged as damage:
            means.writer.submit(contents.discard, name)
            log.warning("index %s: %s; the index will be opened anew", contents.home, damage)
            self.stop()
            return False
        except BaseException:
            means.writer.submit(contents.discard, name)
            raise
        await self._exchange(old, record)
        return True

    async def _exchange(self, old: Sequence[Segment], record: SegmentRecord) -> None:
        """Search the merged segment from now on, and by its engine at once."""
        contents, means = self._contents, self._means
        try:
            merged = await self._submit(means.checker, contents.opened, record)
            for segment in merged:
                if segment.unequipped:
                    await self._equip(segment)
        except BaseException:
            means.writer.submit(contents.discard, record.name)
            raise
        await self._change(contents.exchange, old, record.name, merged)

    async def _change(self, function: Callable[..., None], *args: Any) -> None:
        """Run in the writing thread, after all that came before, also when the caller is cancelled."""
        await asyncio.shield(self._submit(self._means.writer, function, *args))

    def _submit(self, executor: Executor, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        if self._closed:
            raise Unavailable("The index was closed; please ask again.")
        return asyncio.get_running_loop().run_in_executor(executor, function, *args)
