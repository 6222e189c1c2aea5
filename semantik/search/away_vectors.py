"""What stands for the vectors of a generation while their engine is away: every call says so. Runs on the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import EngineAway
from semantik.index import IndexStats, RetrievalQuery, ScoredSeq
from semantik.index.ranges import Ranges


class AwayVectors:
    """A `VectorRetriever` that raises `reason`, so that a search can be answered by words. `size` is theirs."""

    def __init__(self, reason: EngineAway, dimension: int, size: int) -> None:
        self._reason = reason
        self.dimension, self.size = dimension, size
        self.closed, self.last_seq = False, -1

    async def add(self, seqs: NDArray[np.int64], vectors: NDArray[np.float16], /) -> NoReturn:
        raise self._reason

    async def delete(self, seqs: Sequence[tuple[int, int]] | Ranges, /) -> NoReturn:
        raise self._reason

    async def search(
        self,
        query: RetrievalQuery,
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None = None,
        threshold: float | None = None,
    ) -> list[ScoredSeq]:
        raise self._reason

    async def nearest(
        self,
        vector: NDArray[np.float32],
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None = None,
        threshold: float | None = None,
    ) -> list[ScoredSeq]:
        raise self._reason

    async def scores(self, query: RetrievalQuery, seqs: Sequence[int], /) -> dict[int, float]:
        raise self._reason

    async def sample(self, count: int) -> NDArray[np.float32]:
        raise self._reason

    async def count(self) -> int:
        raise self._reason

    def stats(self) -> IndexStats:
        return IndexStats(0, 0, 0, 0, 0, "milvus", None, None)
