"""What a standing query has to find in a collection to match strongly, kept while the collection is about as it was.

Runs on the loop. A search measures the same each time: its background, the best cosine, and what its words are worth.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import Unavailable
from semantik.core.models import Collection, Filters
from semantik.index import ranges
from semantik.query import merged
from semantik.search.candidates import Background, Chance, Retrieved
from semantik.search.collection_search import Opened
from semantik.search.matching import QueryMatcher, WordWorth
from semantik.search.percolation import StandingQuery
from semantik.search.prepared import PreparedQuery, frequencies, prepare
from semantik.search.prepared import worth as worth_of
from semantik.search.relevance import Score, evidence_of
from semantik.search.retrieval import RetrievalStep

_GROWTH = 1.02  # after which a collection is measured again
_MAX_KNOWN = 4000  # some 10 kB each
_NO_WORDS = "The index of words is being built."


@dataclass(frozen=True)
class PreparedStanding:
    """A standing query made ready; `filters` include those that were typed."""

    query: StandingQuery
    prepared: PreparedQuery
    filters: Filters

    @property
    def restricts(self) -> bool:
        """Whether it has words or phrases that a chunk must or must not have."""
        parsed = self.prepared.parsed
        return bool(parsed.required or parsed.excluded)

    @property
    def uses_words(self) -> bool:
        """Whether the words in a chunk count, as they do in a search for it."""
        return self.query.mode != "meaning" or self.restricts


@dataclass
class Calibration:
    """Of one query in one generation of `size` chunks: what each of its words is worth, and how near the nearest is.

    `vector` is None where the query needs none; `best` is the best cosine so far.
    """

    standing: PreparedStanding
    vector: NDArray[np.float32] | None
    background: Background | None
    best: float
    worth: WordWorth
    size: int
    chance: Chance | None

    def matcher(self) -> QueryMatcher:
        """A new one: it remembers what it has read."""
        return QueryMatcher(self.standing.prepared.words, self.worth)

    @cached_property
    def counts_words(self) -> bool:
        return self.standing.uses_words and bool(self.matcher().looked_for)

    @property
    def can_match(self) -> bool:
        """A query without vector and words has no relevance."""
        return self.vector is not None or self.counts_words

    def evidence(self, meaning: Score | None, found_share: Score) -> Score:
        """See `relevance.evidence_of`; of a query that `can_match`."""
        return evidence_of(meaning, self.best, self.background, found_share if self.counts_words else None)

    def weights(self) -> list[float]:
        """The share of each of the query's words in what all are worth that are looked for."""
        matcher = self.matcher()
        looked_for, total = set(matcher.looked_for), matcher.total_worth
        return [
            value / total if total > 0 and number in looked_for else 0.0
            for number, value in enumerate(matcher.worth)
        ]


@lru_cache(maxsize=4096)
def prepare_standing(query: StandingQuery) -> PreparedStanding:
    prepared = prepare(query.text)
    return PreparedStanding(query, prepared, merged(query.filters, prepared.parsed.filters))


class Calibrations:
    """Keeps those that were used last."""

    def __init__(self, retrieval: RetrievalStep) -> None:
        self._retrieval = retrieval
        self._known: OrderedDict[tuple[StandingQuery, str, int], Calibration] = OrderedDict()

    async def of(self, standing: PreparedStanding, collection: Collection, opened: Opened) -> Calibration:
        """Raises Unavailable, Busy or Invalid while the query cannot be answered in its mode."""
        if standing.uses_words and opened.words is None:
            raise Unavailable(_NO_WORDS, 5)
        key = (standing.query, collection.id, collection.generation)
        known = self._known.get(key)
        if known is None or self._is_stale(known, opened):
            vector = None if known is None else known.vector
            known = self._known[key] = await self._measure(standing, collection, opened, vector)
            while len(self._known) > _MAX_KNOWN:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return known

    def _is_stale(self, known: Calibration, opened: Opened) -> bool:
        size = opened.vectors.size
        if not known.size / _GROWTH <= size <= known.size * _GROWTH:
            return True
        return known.vector is not None and known.chance != self._retrieval.backgrounds.chance(opened.vectors)

    async def _measure(
        self,
        standing: PreparedStanding,
        collection: Collection,
        opened: Opened,
        vector: NDArray[np.float32] | None,
    ) -> Calibration:
        generation, vectors = collection.current, opened.vectors
        background, best = None, 0.0
        if standing.query.mode != "words":
            embed = partial(self._retrieval.embed, generation, None)
            if vector is None:
                vector = await embed(standing.prepared.parsed.plain)
            background = await self._retrieval.backgrounds.of(vectors, vector, embed)
            allowed = await self._allowed(standing, collection)
            nearest = await vectors.nearest(vector, 1, allowed)
            best = nearest[0].score if nearest else 0.0
        worth = await _worth(standing, collection, opened)
        chance = self._retrieval.backgrounds.chance(vectors)
        return Calibration(standing, vector, background, best, worth, vectors.size, chance)

    async def _allowed(self, standing: PreparedStanding, collection: Collection) -> ranges.Ranges | None:
        if not standing.filters.any:
            return None
        return ranges.union(await self._retrieval.catalog.spans(collection, standing.filters))


async def _worth(standing: PreparedStanding, collection: Collection, opened: Opened) -> WordWorth:
    words = standing.prepared.words
    counts = None if opened.words is None else await frequencies(words, opened.words)
    await asyncio.sleep(0)  # the frequencies of many queries must not hold the loop
    return worth_of(words, [Retrieved(collection, size=opened.vectors.size, frequencies=counts)])
