"""Whether a hit is better than what a query finds that has nothing to do with the collection. Pure functions.

docs/explanation/ranking.md says how the numbers were measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from semantik.search.candidates import SMALL_CHANCE, Background, Chance
from semantik.search.fusion import clearness
from semantik.search.hits import Hit, Relevance

# The share of a query's words, by what they are worth, in the best chunk that has nothing to do with it: the middle of
# unrelated queries, and what one in twenty exceeds.
_CHANCE_SHARE = Chance(0.25, 0.55)
_MEANING_WEIGHT = 0.65  # where the model reads query and collection well
_WEAK, STRONG = 0.6, 1.0
_ALL_WORDS = 0.95
_CLEAR = 1.3


Score = TypeVar("Score", float, NDArray[np.float32])
"""Of one chunk, or of n chunks at once."""


def relevance_of(
    meaning: float | None, best_meaning: float, background: Background | None, found_share: float | None
) -> Relevance:
    """From a chunk's cosine, the best cosine in its collection, and the share of the query's words that it has.

    Either may be None where it is not known.
    """
    evidence = evidence_of(meaning, best_meaning, background, found_share)
    if evidence < _WEAK:
        # A name or a number means nothing to the model, but who has all of the query is no chance find.
        return "fair" if (found_share or 0.0) >= _ALL_WORDS else "weak"
    return "strong" if evidence >= STRONG else "fair"


def evidence_of(
    meaning: Score | None, best_meaning: float, background: Background | None, found_share: Score | None
) -> Score:
    """How far chunks are beyond chance: 0 for what half of all unrelated queries find, 1 for what one in twenty does.

    The parameters are those of `relevance_of`; one of the two scores must be known.
    """
    if meaning is None:
        assert found_share is not None
        return _beyond(found_share, _CHANCE_SHARE)
    mean, chance = (background.mean, background.chance) if background else (0.0, SMALL_CHANCE)
    by_meaning = _beyond((meaning - mean) / max(1 - mean, 1e-3), chance)
    if found_share is None:
        return by_meaning
    weight = _MEANING_WEIGHT * (clearness(best_meaning, background, _CLEAR) if background else 1.0)
    return weight * by_meaning + (1 - weight) * _beyond(found_share, _CHANCE_SHARE)


def in_order(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits, best first, with none `weak` that the ranking has put before a `strong` one: they are `fair`."""
    last = max((index for index, hit in enumerate(hits) if hit.relevance == "strong"), default=0)
    return tuple(
        replace(hit, relevance="fair") if hit.relevance == "weak" and index < last else hit
        for index, hit in enumerate(hits)
    )


def _beyond(score: Score, chance: Chance) -> Score:
    return (score - chance.middle) / (chance.high - chance.middle)
