"""What a query scores by meaning against chunks that have nothing to do with it. Runs on the loop.

A sample of each vector index stays in memory. How far the best chunk stands out from it says whether the model can
read the query, and the language of the collection, at all. In a large collection something is always near: what
unrelated queries find there is measured once, in the background. See docs/explanation/ranking.md.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import SemantikError
from semantik.index import VectorRetriever
from semantik.search.candidates import SMALL_CHANCE, Background, Chance
from semantik.search.unrelated import QUERIES

_SAMPLE = 256
_FEW = 8  # so few vectors have no background: each may be what the query is about
_LARGE = 1000  # from so many on, chance is measured
_GROWTH = 1.5  # after which both are measured again

Vector = NDArray[np.float32]
Embed = Callable[[str], Awaitable[Vector]]
"""`await embed(text)` is the unit vector of a text by the index's model."""


@dataclass
class _Measured:
    """An index of `size` vectors: some of them (n, dimension), and its chance, once that is known."""

    size: int
    sample: Vector
    chance: Chance = SMALL_CHANCE


class Backgrounds:
    """`close` must be called before the indexes are closed."""

    def __init__(self) -> None:
        self._measured: WeakKeyDictionary[VectorRetriever, _Measured] = WeakKeyDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    async def of(self, index: VectorRetriever, vector: Vector, embed: Embed) -> Background | None:
        """The background of a query's unit vector (dimension,); None where the index holds too few vectors."""
        size = index.size
        known = self._measured.get(index)
        if known is None or not known.size / _GROWTH <= size <= known.size * _GROWTH:
            known = self._measured[index] = _Measured(size, await index.sample(_SAMPLE))
            if size >= _LARGE:
                task = asyncio.create_task(_measure_chance(index, known, embed), name="search-chance")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        if len(known.sample) < _FEW:
            return None
        mean, deviation = _moments(known.sample, vector)
        return Background(mean, deviation, size, known.chance)

    def chance(self, index: VectorRetriever) -> Chance | None:
        """What is known of it by now; None before the first `of`."""
        known = self._measured.get(index)
        return None if known is None else known.chance

    async def close(self) -> None:
        """Stop what is measured."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _measure_chance(index: VectorRetriever, measured: _Measured, embed: Embed) -> None:
    best = []
    try:
        for text in QUERIES:  # one after the other: the queries of users come first
            vector = await embed(text)
            mean, _ = _moments(measured.sample, vector)
            nearest = await index.nearest(vector, 1)
            if nearest:
                best.append((nearest[0].score - mean) / max(1 - mean, 1e-3))
    except SemantikError:  # the model or the index is gone; what is measured so far counts
        pass
    if best:
        # A few of the queries may be related after all, so the highest of them say nothing.
        middle = max(float(np.quantile(best, 0.5)), SMALL_CHANCE.middle)
        spread = max(float(np.quantile(best, 0.8)) - middle, 0.0) * 2
        measured.chance = Chance(
            middle, max(middle + spread, middle + SMALL_CHANCE.high - SMALL_CHANCE.middle)
        )


def _moments(sample: Vector, vector: Vector) -> tuple[float, float]:
    """Mean and standard deviation of the cosines."""
    cosines = np.vecdot(sample, vector)  # not np.dot: BLAS would start threads
    mean = float(cosines.mean())
    return mean, math.sqrt(max(float(np.square(cosines - mean).mean()), 1e-8))
