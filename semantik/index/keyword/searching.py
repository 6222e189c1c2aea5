"""The best chunks for a query, exactly those that a filter allows and that are not deleted. Runs in threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import Query

from semantik.index import ranges
from semantik.index.keyword import filters
from semantik.index.keyword.queries import KeywordQuery, combine, restrict
from semantik.index.keyword.schema import SEQ
from semantik.index.ranges import Ranges
from semantik.index.retriever import ScoredSeq

_FEW_RANGES = 8
_FEW_SEQS = 2048
# A filter that lets through this share of all chunks is applied to the chunks found, not while they are looked for.
_LARGE_SHARE = 0.25
# Fetched at a time at most: making Python objects of a hundred thousand would stop all threads for a tenth of a second.
_MOST_FETCHED = 10_000
_SPARE = 50
_KEPT_FREQUENCIES = 20_000


@dataclass(frozen=True)
class KeywordSnapshot:
    """What can be found at one moment: the searcher's chunks, up to `last_seq`, without those of `dead`.

    `dead` are sorted disjoint ranges.
    """

    searcher: tantivy.Searcher
    last_seq: int
    dead: Ranges
    _frequencies: dict[tuple[str, str], int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def all_seqs(self) -> Ranges:
        return np.array([[0, self.last_seq + 1]], np.int64)

    def frequency(self, field: str, term: str) -> int:
        """How many chunks have the term in the field. Those of the last searches are kept."""
        known = self._frequencies
        found = known.get((field, term))
        if found is None:
            found = self.searcher.doc_freq(field, term)
            if len(known) >= _KEPT_FREQUENCIES:
                known.clear()
            known[field, term] = found
        return found

    def count(self, seqs: Ranges) -> int:
        """How many chunks of the searcher lie in sorted disjoint ranges."""
        found: list[Any] = [self.searcher.search(each, 1, count=True) for each in filters.exactly(seqs)]
        return sum(each.count for each in found)


@dataclass(frozen=True)
class Found:
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
        wanted = k + max(k // 2, _SPARE)
        found = _best(snapshot, query, query.rare, wanted, allowed)
        if len(found.seqs) >= k:
            best = _first(found, wanted)
            return _ranked(_with_common(snapshot.searcher, query, best), k, threshold)
    return _ranked(_best(snapshot, query, query.scored, k, allowed), k, threshold)


def score(snapshot: KeywordSnapshot, query: KeywordQuery, seqs: NDArray[np.int64]) -> dict[int, float]:
    """The scores of those of the seqs that can be found and meet the query's conditions; 0 where no word matches."""
    live = seqs[(seqs >= 0) & ~ranges.is_within(seqs, snapshot.dead)]
    found = _score(snapshot.searcher, query, live)
    return dict(zip(found.seqs.tolist(), found.scores.tolist(), strict=True))


def _score(searcher: tantivy.Searcher, query: KeywordQuery, seqs: NDArray[np.int64]) -> Found:
    pieces = [seqs[at : at + _MOST_FETCHED] for at in range(0, len(seqs), _MOST_FETCHED)] or [seqs]
    found = [
        fetch(
            searcher,
            combine(query, query.scored, [filters.one_of(each.tolist())], optional=True),
            len(each) + 1,
        )
        for each in pieces
    ]
    return _joined(found)


def _with_common(searcher: tantivy.Searcher, query: KeywordQuery, found: Found) -> Found:
    """The same chunks with the scores of the common words added."""
    order = np.argsort(found.seqs)
    scores = found.scores[order]
    for at in range(0, len(order), _MOST_FETCHED):
        seqs = found.seqs[order[at : at + _MOST_FETCHED]]
        chosen = restrict(query.common, filters.one_of(seqs.tolist()))
        more = fetch(searcher, chosen, len(seqs) + 1)
        scores[at + np.searchsorted(seqs, more.seqs)] += more.scores
    return Found(found.seqs[order], scores, found.complete)


def _best(
    snapshot: KeywordSnapshot, query: KeywordQuery, scored: Sequence[Query], k: int, allowed: Ranges | None
) -> Found:
    """The k best by the `scored` terms, and perhaps more."""
    chosen: list[Query] = []
    share = 1.0
    if allowed is not None:
        allowed = ranges.intersection(allowed, snapshot.all_seqs)
        wanted = ranges.count(allowed)
        if not wanted:
            return _joined([])
        share = wanted / ranges.count(snapshot.all_seqs)
        if len(allowed) <= _FEW_RANGES:
            chosen, allowed, share = [filters.within(allowed)], None, 1.0
        elif wanted <= _FEW_SEQS:
            chosen, allowed, share = [filters.one_of(ranges.expand(allowed).tolist())], None, 1.0
        elif share < _LARGE_SHARE:
            chosen, share = [filters.near(allowed)], 0.5
    found = _grow(snapshot, combine(query, scored, chosen), k, allowed, share)
    return found or _by_parts(snapshot, query, scored, k, allowed, chosen, (0, snapshot.last_seq + 1))


def _grow(
    snapshot: KeywordSnapshot, query: Query, k: int, allowed: Ranges | None, share: float
) -> Found | None:
    """Fetch more and more, until it is known which k are the best of those that may be found; None for too many.

    `share` is the expected share of those that `allowed` lets through.
    """
    most = max(_MOST_FETCHED, 2 * k)
    limit = min(most, int((k + k // 4) / share) + 8)
    while True:
        found = fetch(snapshot.searcher, query, limit)
        chosen = found
        if len(snapshot.dead) or allowed is not None:
            kept = ~ranges.is_within(found.seqs, snapshot.dead)
            if allowed is not None:
                kept &= ranges.is_within(found.seqs, allowed)
            chosen = Found(found.seqs[kept], found.scores[kept], found.complete)
        if found.complete:
            return chosen
        # Which of several equal scores come first is decided by seq: all of those equal to the last are needed.
        if len(chosen.seqs) >= k and chosen.scores[k - 1] > found.scores[-1]:
            return chosen
        if limit == most:
            return None
        limit = min(most, 4 * limit)


def _by_parts(
    snapshot: KeywordSnapshot,
    query: KeywordQuery,
    scored: Sequence[Query],
    k: int,
    allowed: Ranges | None,
    chosen: Sequence[Query],
    seqs: tuple[int, int],
) -> Found:
    """Where too many have to be fetched: the best of each half of the seqs, and of its halves where that is needed."""
    middle = (seqs[0] + seqs[1]) // 2
    parts = []
    for half in ((seqs[0], middle), (middle, seqs[1])):
        part = combine(query, scored, [*chosen, filters.within(np.array([half]))])
        found = _grow(snapshot, part, k, allowed, 1.0)
        parts.append(found or _by_parts(snapshot, query, scored, k, allowed, chosen, half))
    return _first(_joined(parts), k)


def fetch(searcher: tantivy.Searcher, query: Query, limit: int) -> Found:
    """The best chunks for a query, at most `limit`."""
    hits = searcher.search(query, limit, count=False).hits
    seqs = searcher.fast_field_values(SEQ, [address for _, address in hits])
    scores = np.array([score for score, _ in hits], np.float64)
    return Found(np.array(seqs, np.int64), scores, len(hits) < limit)


def _joined(parts: Sequence[Found]) -> Found:
    if len(parts) == 1:
        return parts[0]
    seqs = np.concatenate([np.empty(0, np.int64), *(part.seqs for part in parts)])
    scores = np.concatenate([np.empty(0), *(part.scores for part in parts)])
    return Found(seqs, scores, True)


def _first(found: Found, k: int) -> Found:
    order = np.lexsort((found.seqs, -found.scores))[:k]
    return Found(found.seqs[order], found.scores[order], found.complete)


def _ranked(found: Found, k: int, threshold: float | None) -> list[ScoredSeq]:
    best = _first(found, k)
    ranked = list(map(ScoredSeq, best.seqs.tolist(), best.scores.tolist()))
    return ranked if threshold is None else [each for each in ranked if each.score >= threshold]
