"""What the hits of a page get beside their scores: what is marked in them, and how relevant they are. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from semantik.search.candidates import Retrieved
from semantik.search.highlights import highlight
from semantik.search.hits import Hit, Relevance
from semantik.search.matching import QueryMatcher
from semantik.search.prepared import PreparedQuery, worth
from semantik.search.relevance import relevance_of

_ORDER: tuple[Relevance, ...] = ("strong", "fair", "weak")


class Annotator:
    """Annotates the hits of one search."""

    def __init__(self, prepared: PreparedQuery, retrieved: Sequence[Retrieved]) -> None:
        self._retrieved = {each.collection.id: each for each in retrieved}
        self._matcher = QueryMatcher(prepared.words, worth(prepared.words, retrieved))

    def annotate(self, hit: Hit) -> Hit:
        """The hit, and those in its `more`, with highlights and relevance."""
        marks = highlight(hit.chunk.text, self._matcher)
        return Hit(
            hit.chunk,
            hit.document,
            hit.collection,
            hit.scores,
            relevance=self._relevance(hit, marks.found_share),
            matched=marks.matched,
            highlights=marks.ranges,
            best_sentence=marks.best_sentence,
            also_in=hit.also_in,
            more=tuple([self.annotate(each) for each in hit.more]) if hit.more else (),
        )

    def _relevance(self, hit: Hit, found_share: float) -> Relevance | None:
        retrieved = self._retrieved[hit.collection.id]
        has_words = retrieved.words is not None and bool(self._matcher.looked_for)
        if hit.scores.meaning is None and not has_words:
            return None
        best = retrieved.meaning.best if retrieved.meaning else 0.0
        return relevance_of(
            hit.scores.meaning, best, retrieved.background, found_share if has_words else None
        )


def best_relevance(hits: Sequence[Hit]) -> Relevance | None:
    """The best of the hits' relevance; None where none has any."""
    return next((each for each in _ORDER if any(hit.relevance == each for hit in hits)), None)
