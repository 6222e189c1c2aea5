"""Fuse, the second step of a search: the ranked lists of all collections become one. Pure functions.

Each collection has one list today, the vectors', whose scores are cosines and comparable over all collections. A
second retriever has scores on a scale of its own: combine the lists of a collection here first, for example as a
normalised weighted sum, into one score for each seq.
"""

from __future__ import annotations

from collections.abc import Sequence

from semantik.core.models import Collection
from semantik.index import ScoredSeq
from semantik.search.retrieval import Retrieved

Candidate = tuple[ScoredSeq, Collection]


def fuse(retrieved: Sequence[Retrieved], depth: int) -> list[Candidate]:
    """The `depth` best chunks of all lists: best first, equal scores by collection id, then by seq."""
    candidates = (
        (scored, each.collection) for each in retrieved for ranked in each.lists for scored in ranked
    )
    return sorted(candidates, key=lambda pair: (-pair[0].score, pair[1].id, pair[0].seq))[:depth]
