"""The vectors of one generation of a collection in Milvus: a `VectorRetriever`.

Runs on the loop. Several servers share what is in Milvus; adding and deleting can be repeated.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import EngineAway, Invalid, Unavailable
from semantik.index import ranges
from semantik.index.milvus import expressions
from semantik.index.milvus.collection import MOST_ROWS, Mark, MilvusCollection
from semantik.index.milvus.connection import CollectionGone
from semantik.index.ranges import Ranges
from semantik.index.retriever import IndexStats, RetrievalQuery, ScoredSeq
from semantik.index.vectors.checks import checked_rows, has_unit_length, unit_vector

log = logging.getLogger(__name__)

T = TypeVar("T")

_TIES = 16  # asked for beyond those wanted: of equal scores the lower seqs count
_LISTED = 2 * expressions.LIST_SEQS
"""A filter of so many seqs is given to Milvus; of more, those of its nearest that the filter has are taken first."""
_SPARE = 1.5  # by which that asks for more than would do if the filter were spread evenly
_LEAST_SHARE = 0.05  # of all chunks: a filter of fewer is always given to Milvus
_SAMPLED = 1024


class MilvusVectors:
    """Made by `MilvusRegistry.open`. After `stop` every call raises Unavailable.

    The same happens when its collection is gone from Milvus: opened again, it is made anew, with a lower `last_seq`.
    """

    def __init__(self, collection: MilvusCollection, dimension: int, mark: Mark, size: int) -> None:
        self._collection = collection
        self._dimension = dimension
        self._mark = mark
        self._size = size
        self._changing = asyncio.Lock()  # changes take effect in the order in which they were made
        self._closed = self._gone_there = False

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def last_seq(self) -> int:
        """The highest seq up to which this server knows that all were added, or -1; see `refresh`."""
        return self._mark.last_seq

    @property
    def size(self) -> int:
        """How many vectors can be found, as counted last, and those added since."""
        return self._size

    def stats(self) -> IndexStats:
        return IndexStats(self._size, 0, 0, 0, 0, "milvus", None, None)

    async def count(self) -> int:
        """How many vectors can be found, counted now."""
        self._size = await self._ask(self._collection.count())
        return self._size

    async def refresh(self) -> None:
        """Learn what other servers have added; it is found from now on."""
        async with self._changing:
            mark = await self._ask(self._collection.mark())
            if mark is None:
                raise await self._gone("it lacks its mark")
            if mark.last_seq > self._mark.last_seq:
                self._mark = Mark(mark.last_seq, ranges.union(mark.ahead, self._mark.ahead))
                await self.count()

    async def add(self, seqs: NDArray[np.int64], vectors: NDArray[np.float16]) -> None:
        """Make vectors (n, dimension), of length 1, searchable under their ascending seqs (n).

        Seqs up to `last_seq` are skipped. A vector that is not finite or not of length 1 is never found. Raises
        Invalid for wrong shapes, types or seqs; EngineAway when Milvus does not take them: add them again then.
        """
        checked_rows(seqs, vectors, self._dimension)
        async with self._changing:
            new = int(np.searchsorted(seqs, self.last_seq, side="right"))
            seqs, vectors = seqs[new:], vectors[new:]
            if not len(seqs):
                return
            live = has_unit_length(vectors) & ~ranges.is_within(seqs, self._mark.ahead)
            if not live.all():
                log.debug("milvus %s: %d of %d vectors are not added", self._collection.name, *_counts(live))
            await self._ask(self._collection.add(seqs[live], vectors[live]))
            last = int(seqs[-1])
            await self._save(Mark(last, ranges.above(self._mark.ahead, last)))
            self._size += int(live.sum())

    async def delete(self, seqs: Sequence[tuple[int, int]] | Ranges) -> None:
        """Let the seqs of half-open ranges not be found from now on, also if they are added only later."""
        deleted = ranges.normalize(seqs)
        if not len(deleted):
            return
        async with self._changing:
            await self._ask(self._collection.delete(deleted))
            ahead = ranges.above(deleted, self.last_seq)
            if len(ahead):
                await self._save(Mark(self.last_seq, ranges.union(self._mark.ahead, ahead)))
            await self.count()

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

        At most some sixteen thousand: Milvus gives no more. Raises as `VectorIndex.nearest`, and EngineAway.
        """
        unit = unit_vector(vector, self._dimension).astype(np.float32)
        if k < 1:
            raise Invalid("A search must ask for at least one result.")
        if allowed is None:
            found = await self._nearest(unit, k)
        else:
            found = await self._nearest_within(unit, k, ranges.normalize(allowed))
        return [each for each in found if threshold is None or each.score >= threshold]

    async def scores(self, query: RetrievalQuery, seqs: Sequence[int]) -> dict[int, float]:
        """The cosine of each of these chunks to the query; one that cannot be found is absent."""
        unit = unit_vector(await query.embed(), self._dimension).astype(np.float32)
        wanted = sorted({seq for seq in seqs if seq >= 0})
        found: dict[int, float] = {}
        for at in range(0, len(wanted), expressions.LIST_SEQS):
            part = wanted[at : at + expressions.LIST_SEQS]
            hits, _ = await self._ask(self._collection.nearest(unit, len(part), expressions.in_list(part)))
            found |= dict(hits)
        # Some indexes miss a few of those that a filter leaves.
        if missed := [seq for seq in wanted if seq not in found]:
            for seq, stored in (await self._ask(self._collection.present(missed))).items():
                found[seq] = round(float(np.vecdot(stored, unit) / np.linalg.norm(stored)), 6)
        return found

    async def sample(self, count: int) -> NDArray[np.float32]:
        """At most `count` of the vectors that can be found, spread over all of them: (n, dimension)."""
        seqs = await self._ask(self._collection.some_seqs())
        if (
            len(seqs) >= MOST_ROWS
        ):  # they may be neighbours; what lies between the first and the last one is known
            seqs = np.unique(
                np.linspace(seqs[0], max(int(seqs[-1]), self.last_seq), _SAMPLED).astype(np.int64)
            )
        picked = seqs[np.arange(min(count, len(seqs))) * len(seqs) // max(1, min(count, len(seqs)))]
        stored = await self._ask(self._collection.present(picked.tolist()))
        rows = [stored[seq] for seq in sorted(stored)]
        return np.stack(rows) if rows else np.empty((0, self._dimension), np.float32)

    def stop(self) -> None:
        """Refuse every later call."""
        self._closed = True

    async def _nearest_within(self, unit: NDArray[np.float32], k: int, allowed: Ranges) -> list[ScoredSeq]:
        within = expressions.clipped(allowed, self.last_seq)
        if not len(within):
            return []
        if len(within) == 1:
            start, end = within[0].tolist()
            return await self._nearest(unit, k, expressions.in_range(start, end))
        wanted = ranges.count(within)
        if wanted > _LISTED and (share := wanted / max(wanted, self._size)) >= _LEAST_SHARE:
            hits, more = await self._ask(self._collection.nearest(unit, int(k / share * _SPARE) + _TIES))
            inside = ranges.is_within(np.array([each.seq for each in hits], np.int64), within)
            found = [each for each, allows in zip(hits, inside, strict=True) if allows]
            if not more or len(found) >= k + _TIES:
                return _best(found, k)
        found = []
        for expression in expressions.lists(within):
            found += await self._nearest(unit, k, expression)
        return _best(found, k)

    async def _nearest(self, unit: NDArray[np.float32], k: int, expression: str = "") -> list[ScoredSeq]:
        limit = k + 1 + _TIES  # one more, since the mark may be among them
        while True:
            hits, more = await self._ask(self._collection.nearest(unit, limit, expression))
            if not more or limit >= MOST_ROWS or len(hits) <= k or hits[k - 1].score > hits[-1].score:
                return _best(hits, k)
            limit *= 4

    async def _save(self, mark: Mark) -> None:
        await self._ask(self._collection.save_mark(mark))
        self._mark = mark

    async def _ask(self, asked: Awaitable[T]) -> T:
        if self._closed:
            getattr(asked, "close", lambda: None)()
            if self._gone_there:
                raise self._being_made()
            raise Unavailable("The index was closed; please ask again.")
        try:
            return await asked
        except CollectionGone as error:
            raise await self._gone(str(error)) from error

    async def _gone(self, reason: str) -> EngineAway:
        log.warning("milvus %s: %s; it will be opened again", self._collection.name, reason)
        self.stop()
        self._gone_there = True
        return self._being_made()

    @staticmethod
    def _being_made() -> EngineAway:
        return EngineAway("The index in Milvus is being made anew; please ask again shortly.", 5)


def _best(found: list[ScoredSeq], k: int) -> list[ScoredSeq]:
    return sorted(found, key=lambda each: (-each.score, each.seq))[:k]


def _counts(live: NDArray[np.bool_]) -> tuple[int, int]:
    return int((~live).sum()), len(live)
