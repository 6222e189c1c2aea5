"""What a query scores by meaning against chunks that have nothing to do with it. Runs on the loop.

A sample of each vector index stays in memory. How far the best chunk stands out from it says whether the model can
read the query, and the language of the collection, at all: see docs/explanation/ranking.md.
"""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from semantik.index import VectorIndex
from semantik.search.candidates import Background

_SAMPLE = 256
_FEW = 8  # so few vectors have no background: each may be what the query is about
_GROWTH = 1.5  # after which a new sample is taken


class Backgrounds:
    def __init__(self) -> None:
        self._samples: WeakKeyDictionary[VectorIndex, tuple[int, NDArray[np.float32]]] = WeakKeyDictionary()

    async def of(self, index: VectorIndex, vector: NDArray[np.float32]) -> Background | None:
        """The background of a query's unit vector (dimension,); None where the index holds too few vectors."""
        size = index.size
        known = self._samples.get(index)
        if known is None or not known[0] / _GROWTH <= size <= known[0] * _GROWTH:
            known = self._samples[index] = (size, await index.sample(_SAMPLE))
        sample = known[1]
        if len(sample) < _FEW:
            return None
        # Not np.dot: BLAS would start threads.
        cosines = np.vecdot(sample, vector)
        mean = float(cosines.mean())
        deviation = math.sqrt(max(float(np.square(cosines - mean).mean()), 1e-8))
        return Background(mean, deviation, size)
