"""The candidates of a search: chunks of one collection with their scores by meaning and by words. Plain values."""

from __future__ import annotations

from dataclasses import dataclass

from semantik.core.errors import SemantikError
from semantik.core.models import Collection


@dataclass(frozen=True, slots=True)
class Side:
    """The scores of all candidates by one retriever.

    `best` is the highest score of any chunk, and no chunk outside of the candidates scores above `bound`: None when the
    retriever has no other chunks.
    """

    scores: dict[int, float]
    best: float
    bound: float | None


@dataclass(frozen=True, slots=True)
class Background:
    """What the query scores by meaning against chunks that were picked at random: mean and standard deviation."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class Retrieved:
    """The candidates of one collection: the seqs that have all scores which there are.

    `meaning` or `words` is None when it was not asked for, or `failure` says why there is none. `considered` is the
    number of chunks that were compared.
    """

    collection: Collection
    meaning: Side | None = None
    words: Side | None = None
    background: Background | None = None
    considered: int = 0
    failure: SemantikError | None = None

    @property
    def seqs(self) -> set[int]:
        sides = [side.scores.keys() for side in (self.meaning, self.words) if side is not None]
        return set.intersection(*map(set, sides)) if sides else set()

    @property
    def exhausted(self) -> bool:
        """Whether there are no other chunks."""
        return all(side is None or side.bound is None for side in (self.meaning, self.words))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk and its scores; see `semantik.search.hits.Scores`."""

    seq: int
    collection: Collection
    meaning: float | None
    words: float | None
    fused: float
