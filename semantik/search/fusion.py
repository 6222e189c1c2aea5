"""Fuse, the second step of a search: the candidates of all collections in one order. Pure functions.

A weighted sum of two scores, each on a scale that has the same meaning for every collection:
docs/explanation/ranking.md says where the numbers come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest

from semantik.core.models import Collection
from semantik.search.candidates import Background, Retrieved
from semantik.search.query import Mode

# The weight of meaning: the smaller where the best chunk stands out from a sample of the collection no more than the
# best of as many random numbers would, the larger where it stands out as in the language of the model.
_LEAST_WEIGHT, _MOST_WEIGHT = 0.4, 0.6
_CHANCE, _CLEAR = 0.8, 1.1
# A model whose cosines to a sample have a mean of 0.5 and less uses the scale; from 0.7 on they all lie close to 1.
_WIDE, _NARROW = 0.5, 0.7
_MANY = 64  # times as many as are wanted: to sort them all takes longer than to pick the best
_NAME_WEIGHT = 0.25  # a name or a number is a matter of words
# A BM25 score of two or three rare words. Where the best chunk has less, such as one word of a question in a small
# collection, words say less, and count less beside meaning.
_FULL_WORDS = 12.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk and its scores; see `semantik.search.hits.Scores`."""

    seq: int
    collection: Collection
    meaning: float | None
    words: float | None
    fused: float


def fuse(retrieved: Sequence[Retrieved], mode: Mode, wanted: int) -> tuple[Candidate, ...]:
    """The `wanted` best candidates: best first, equal scores by collection id, then by seq."""
    scales = _scales(retrieved, mode)
    scored = [row for scale in scales for row in scale.scored()]
    best = nsmallest(wanted, scored) if wanted < len(scored) // _MANY else sorted(scored)[:wanted]
    return tuple(
        Candidate(seq, collection, meaning, words, -negated)
        for negated, _, seq, collection, meaning, words in best
    )


@dataclass(frozen=True)
class InReach:
    """Chunks with one score, whose other score may bring them among the best: those without a score by words, and those
    without a cosine. `complete`: no others have one score only."""

    without_words: list[int]
    without_cosine: list[int]
    complete: bool


def in_reach(retrieved: Retrieved, wanted: int) -> InReach:
    """Which of the chunks that one side of a single collection has proposed may be among the `wanted` best."""
    meaning, words = retrieved.meaning, retrieved.words
    assert meaning is not None and words is not None
    (scale,) = _scales([retrieved], "hybrid")
    fused, cosines, word_scores = scale.fused, meaning.scores, words.scores
    least = [fused(score, word_scores.get(seq, 0.0)) for seq, score in cosines.items()]
    needed = nlargest(wanted, least)[-1] if len(least) >= wanted else -math.inf
    most_meaning = meaning.best if meaning.bound is None else meaning.bound
    # A score that grows with one side's, where the other is the same: the first that is too low ends the search.
    lone_cosines = [(score, seq) for seq, score in cosines.items() if seq not in word_scores]
    lone_words = [(score, seq) for seq, score in word_scores.items() if seq not in cosines]
    without_words = _first_in_reach(lone_cosines, lambda score: fused(score, words.bound), needed)
    without_cosine = _first_in_reach(lone_words, lambda score: fused(most_meaning, score), needed)
    complete = len(without_words) + len(without_cosine) == len(lone_cosines) + len(lone_words)
    return InReach(without_words, without_cosine, complete)


def _first_in_reach(
    scored: list[tuple[float, int]], most: Callable[[float], float], needed: float
) -> list[int]:
    """The seqs whose `most` is at least what is `needed`."""
    scored.sort(reverse=True)
    end = next((at for at, (score, _) in enumerate(scored) if most(score) < needed), len(scored))
    return [seq for _, seq in scored[:end]]


def _scales(retrieved: Sequence[Retrieved], mode: Mode) -> list[_Scale]:
    by_words = [(each.words.best, each.words_scale) for each in retrieved if each.words]
    best_words = max((best * scale for best, scale in by_words), default=0.0)
    full_words = max(best_words, _FULL_WORDS * min((scale for _, scale in by_words), default=0.0))
    clear = max(map(_clearness, retrieved), default=1.0)
    weight = _LEAST_WEIGHT + (_MOST_WEIGHT - _LEAST_WEIGHT) * clear
    if any(each.is_name for each in retrieved):
        weight = _NAME_WEIGHT
    return [_Scale(each, mode, weight, full_words if each.meaning else best_words) for each in retrieved]


def standing_out(best: float, background: Background) -> float:
    """How far the best cosine stands out from a sample, where 1 is what the best of as many random numbers would."""
    expected = math.sqrt(2 * math.log(max(background.size, 2)))
    return (best - background.mean) / (background.deviation * expected)


def clearness(best: float, background: Background, clear: float = _CLEAR) -> float:
    """How well the model reads the query and the collection: from 0, as if it could not, to 1.

    It is 1 where the best cosine stands out by `clear`.
    """
    return min(max((standing_out(best, background) - _CHANCE) / (clear - _CHANCE), 0.0), 1.0)


def _clearness(retrieved: Retrieved) -> float:
    if retrieved.meaning is None or not retrieved.meaning.scores:
        return 0.0
    return clearness(retrieved.meaning.best, retrieved.background) if retrieved.background else 1.0


_Scored = tuple[float, str, int, Collection, float | None, float | None]


class _Scale:
    """Puts the scores of one collection on the query's common scale."""

    def __init__(self, retrieved: Retrieved, mode: Mode, weight: float, most_words: float) -> None:
        self.retrieved = retrieved
        self.collection = retrieved.collection
        meaning, words = retrieved.meaning, retrieved.words
        self._words_factor = retrieved.words_scale / most_words if most_words > 0 else 0.0
        if mode == "meaning" and meaning:
            self._mean, self._factor, self._words_factor = 0.0, 1.0, 0.0  # the order is that of the cosines
            return
        self._mean = retrieved.background.mean if retrieved.background else 0.0
        # Cosines that lie close together are spread, as far as they say something.
        narrow = min(max((self._mean - _WIDE) / (_NARROW - _WIDE), 0.0), 1.0) * _clearness(retrieved)
        self._factor = 1 + narrow * (1 / max(1 - self._mean, 1e-3) - 1)
        if meaning is None:
            self._factor = 0.0
        elif words is not None:
            self._factor *= weight
            self._words_factor *= 1 - weight

    def fused(self, meaning: float | None, words: float | None) -> float:
        return self._factor * ((meaning or 0.0) - self._mean) + self._words_factor * (words or 0.0)

    def scored(self) -> list[_Scored]:
        """The candidates, in no order, so that they sort by score, best first, then by collection id and seq."""
        mean, factor, words_factor = self._mean, self._factor, self._words_factor
        collection, key = self.collection, self.collection.id
        return [
            (
                -(factor * ((meaning or 0.0) - mean) + words_factor * (words or 0.0)),
                key,
                seq,
                collection,
                meaning,
                words,
            )
            for seq, meaning, words in self.retrieved.scored()
        ]
