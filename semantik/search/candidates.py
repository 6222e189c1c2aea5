"""The candidates of a search: chunks of one collection with their scores by meaning and by words. Plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from semantik.core.errors import SemantikError
from semantik.core.models import Collection
from semantik.index import ScoredSeq


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
class Chance:
    """What the best chunk scores for queries that have nothing to do with the collection: the middle of them, and what
    one in twenty exceeds."""

    middle: float
    high: float


# Measured with the bundled model on collections of some hundred chunks. It is the least for any other.
SMALL_CHANCE = Chance(0.33, 0.48)


@dataclass(frozen=True, slots=True)
class Background:
    """What the query scores by meaning against a sample of a collection of `size` chunks: mean and standard deviation.

    `chance` is on the scale where 0 is that mean and 1 the highest cosine.
    """

    mean: float
    deviation: float
    size: int
    chance: Chance = SMALL_CHANCE


@dataclass(frozen=True, slots=True)
class Proposed:
    """What the retrievers have proposed, best first: so many by meaning (`near_depth`), and so many by words."""

    near: Sequence[ScoredSeq]
    near_depth: int
    found: Sequence[ScoredSeq]
    found_depth: int


@dataclass(frozen=True)
class Retrieved:
    """The candidates of one collection.

    `meaning` or `words` is None when it was not asked for, or `failure` says why there is none. A candidate has a score
    on every side that there is. `words_scale` makes the scores by words those of all collections alike. `considered` is
    the number of chunks that were compared, out of `size`. `frequencies` says in how many chunks each of the query's
    words is; None without an index of words. Unless `complete`, chunks that cannot be among those wanted were left
    out of those that were proposed. `is_name`: the query looks like one. `proposed` is set where the other scores of
    what one side alone has proposed were looked up as far as they are needed.
    """

    collection: Collection
    meaning: Side | None = None
    words: Side | None = None
    background: Background | None = None
    considered: int = 0
    failure: SemantikError | None = None
    words_scale: float = 1.0
    size: int = 0
    frequencies: tuple[int, ...] | None = None
    complete: bool = True
    is_name: bool = False
    proposed: Proposed | None = None

    def scored(self) -> Iterator[tuple[int, float | None, float | None]]:
        """(seq, score by meaning, score by words) of each candidate, in no order."""
        if self.meaning is None or self.words is None:
            for seq, score in (self.meaning or self.words or _NOTHING).scores.items():
                yield (seq, score, None) if self.meaning else (seq, None, score)
            return
        words = self.words.scores
        yield from [(seq, score, words[seq]) for seq, score in self.meaning.scores.items() if seq in words]

    @property
    def cosines(self) -> dict[int, float]:
        return self.meaning.scores if self.meaning else {}

    @property
    def words_scores(self) -> dict[int, float]:
        return self.words.scores if self.words else {}

    @property
    def exhausted(self) -> bool:
        """Whether all chunks that may be found are candidates."""
        return self.complete and all(
            side is None or side.bound is None for side in (self.meaning, self.words)
        )


_NOTHING = Side({}, 0.0, None)
