"""The best chunks for a query, exactly those that a filter allows and that are not deleted. Runs in threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import Query

from semantik.index import ranges
from semantik.index.keyword import filters
from semantik.index.keyword.queries import KeywordQuery, combine
from semantik.index.keyword.schema import SEQ
from semantik.index.ranges import Ranges
from semantik.index.retriever import ScoredSeq

_FEW_RANGES = 8
_FEW_SEQS = 4096
# A filter that lets through this share of all chunks is applied to the chunks found, not while they are looked for.
_LARGE_SHARE = 0.25
# Fetched at a time at most: making Python objects of a hundred thousand would stop all threads for a tenth of a second.
_MOST_FETCHED = 10_000
_RESCORED = 100


@dataclass(frozen=True)
class KeywordSnapshot:
    """What can be found at one moment: the searcher's chunks, up to `last_seq`, without those of `dead`.

    `dead` are sorted disjoint ranges.
    """

    searcher: tantivy.Searcher
    last_seq: int
    dead: Ranges

    @property
    def all_seqs(self) -> Ranges:
        return np.array([[0, self.last_seq + 1]], np.int64)

    def frequency(self, field: str, term: str) -> int:
        return self.searcher.doc_freq(field, term)

    def count(self, seqs: Ranges) -> int:
        """How many chunks of the searcher lie in sorted disjoint ranges."""
        found: list[Any] = [self.searcher.search(each, 1, count=True) for each in filters.exactly(seqs)]
        return sum(each.count for each in found)


@dataclass(frozen=True)
class _Found:
    """Chunks in the order of tantivy: by score; `complete` when there are no more."""

    seqs: NDArray[np.int64]
    scores: NDArray[np.float64]
    complete: bool


def search(
    snapshot: KeywordSnapshot, query: KeywordQuery, k: int, allowed: Ranges | None, threshold: float | None
) -> list[ScoredSeq]:
    """The k best, best first, equal scores by lower seq; none below the threshold."""
    if query.is_empty:
        return []
    if query.rare and query.common:
        # Common words cost the most and say the least: they only order the best of what the rare ones find.
        found = _best(snapshot, query, query.rare, max(2 * k, _RESCORED), allowed)
        if len(found.seqs) >= k:
            found = _score(snapshot.searcher, query, found.seqs)
            return _ranked(found, k, threshold)
    return _ranked(_best(snapshot, query, query.scored, k, allowed), k, threshold)


def score(snapshot: KeywordSnapshot, query: KeywordQuery, seqs: NDArray[np.int64]) -> dict[int, float]:
    """The scores of those of the seqs that can be found and meet the query's conditions; 0 where no word matches."""
    live = seqs[(seqs >= 0) & ~ranges.is_within(seqs, snapshot.dead)]
    found = _score(snapshot.searcher, query, live)
    return dict(zip(found.seqs.tolist(), found.scores.tolist(), strict=True))


def _score(searcher: tantivy.Searcher, query: KeywordQuery, seqs: NDArray[np.int64]) -> _Found:
    pieces = [seqs[at : at + _MOST_FETCHED] for at in range(0, len(seqs), _MOST_FETCHED)] or [seqs]
    found = [
        _fetch(
            searcher,
            combine(query, query.scored, [filters.one_of(each.tolist())], optional=True),
            len(each) + 1,
        )
        for each in pieces
    ]
    return _joined(found)


def _best(
    snapshot: KeywordSnapshot, query: KeywordQuery, scored: Sequence[Query], k: int, allowed: Ranges | None
) -> _Found:
    """The k best by the `scored` terms, and perhaps more."""
    if allowed is None:
        found = _grow(snapshot, combine(query, scored), k, None, 1.0)
        return found or _by_parts(snapshot, query, scored, k, snapshot.all_seqs)
    allowed = ranges.intersection(allowed, snapshot.all_seqs)
    wanted = ranges.count(allowed)
    if not wanted:
        return _joined([])
    if len(allowed) <= _FEW_RANGES:
        found = _grow(snapshot, combine(query, scored, [filters.within(allowed)]), k, None, 1.0)
    elif wanted <= _FEW_SEQS:
        found = _grow(snapshot, combine(query, scored, filters.exactly(allowed)), k, None, 1.0)
    elif (share := wanted / snapshot.all_seqs[-1, 1]) >= _LARGE_SHARE:
        found = _grow(snapshot, combine(query, scored), k, allowed, share)
    else:
        found = _grow(snapshot, combine(query, scored, [filters.near(allowed)]), k, allowed, 0.5)
    return found or _by_parts(snapshot, query, scored, k, allowed)


def _grow(
    snapshot: KeywordSnapshot, query: Query, k: int, allowed: Ranges | None, share: float
) -> _Found | None:
    """Fetch more and more, until there are k that may be found; None when these are too few of those fetched.

    `share` is the expected share of those that `allowed` lets through.
    """
    most = max(_MOST_FETCHED, 2 * k)
    limit = min(most, int((k + k // 4) / share) + 8)
    while True:
        found = _fetch(snapshot.searcher, query, limit)
        kept = ~ranges.is_within(found.seqs, snapshot.dead)
        if allowed is not None:
            kept &= ranges.is_within(found.seqs, allowed)
        chosen = _Found(found.seqs[kept], found.scores[kept], found.complete)
        if found.complete:
            return chosen
        # Which of several equal scores come first is decided by seq: all of those equal to the last are needed.
        if len(chosen.seqs) >= k and (chosen.scores[k - 1] > found.scores[-1] or limit == most):
            return chosen
        if limit == most:
            return None
        limit = min(most, 4 * limit)


def _by_parts(
    snapshot: KeywordSnapshot, query: KeywordQuery, scored: Sequence[Query], k: int, allowed: Ranges
) -> _Found:
    """Where most of the best are not allowed: the k best of some seqs after the other, each looked up exactly."""
    parts = []
    for part in filters.exactly(ranges.difference(allowed, snapshot.dead)):
        found = _grow(replace(snapshot, dead=ranges.EMPTY), combine(query, scored, [part]), k, None, 1.0)
        if found is not None:
            parts.append(found)
    return _joined(parts)


def _fetch(searcher: tantivy.Searcher, query: Query, limit: int) -> _Found:
    hits = searcher.search(query, limit, count=False).hits
    seqs = searcher.fast_field_values(SEQ, [address for _, address in hits])
    scores = np.array([score for score, _ in hits], np.float64)
    return _Found(np.array(seqs, np.int64), scores, len(hits) < limit)


def _joined(parts: Sequence[_Found]) -> _Found:
    if len(parts) == 1:
        return parts[0]
    seqs = np.concatenate([np.empty(0, np.int64), *(part.seqs for part in parts)])
    scores = np.concatenate([np.empty(0), *(part.scores for part in parts)])
    return _Found(seqs, scores, True)


def _ranked(found: _Found, k: int, threshold: float | None) -> list[ScoredSeq]:
    order = np.lexsort((found.seqs, -found.scores))[:k]
    ranked = map(ScoredSeq, found.seqs[order].tolist(), found.scores[order].tolist())
    return [each for each in ranked if threshold is None or each.score >= threshold]
