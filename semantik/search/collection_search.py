"""A search in one collection: both retrievers propose chunks, and each scores what only the other has proposed.

Runs on the loop. The words are looked up in a thread while the query is being embedded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from semantik.analysis import is_name
from semantik.core.errors import Busy, EngineAway, Invalid, SemantikError, Unavailable
from semantik.core.models import Collection
from semantik.index import RetrievalQuery, Retriever, ScoredSeq, VectorRetriever
from semantik.index.keyword import KeywordIndex
from semantik.index.ranges import Ranges
from semantik.search.backgrounds import Backgrounds, Embed
from semantik.search.candidates import Proposed, Retrieved, Side
from semantik.search.fusion import InReach, in_reach
from semantik.search.query import Mode

_NO_MODEL = (Unavailable, Busy, Invalid)  # too slow, too many queries, or no such model


@dataclass(frozen=True)
class Opened:
    """The retrievers of a generation; `words` is None while it is being built."""

    vectors: VectorRetriever
    words: KeywordIndex | None

    @staticmethod
    def of(retrievers: Sequence[Retriever[Any]]) -> Opened | None:
        """None without a vector index: the generation has no chunks."""
        words = next((each for each in retrievers if isinstance(each, KeywordIndex)), None)
        vectors = next((each for each in retrievers if each is not words), None)
        return None if vectors is None else Opened(cast(VectorRetriever, vectors), words)


@dataclass(frozen=True)
class CollectionSearch:
    """`depth` chunks are asked of each retriever; `embed` embeds other texts with the collection's model; the other
    fields are those of `Retriever.search`. With `wanted`, where no other collection is searched, chunks that cannot be
    among so many best may be left out; `words_depth` chunks are asked of the keyword index then. What is known from an
    `earlier` search for the same with other depths is not looked up again."""

    collection: Collection
    opened: Opened
    request: RetrievalQuery
    allowed: Ranges | None
    threshold: float | None
    depth: int
    embed: Embed
    wanted: int | None = None
    words_depth: int = 0
    earlier: Retrieved | None = None

    async def run(self, mode: Mode, considered: int, backgrounds: Backgrounds) -> Retrieved:
        """The candidates. Raises Unavailable where neither retriever can answer."""
        words = self.opened.words
        if words is None:
            if mode == "words":
                raise Unavailable("The index of words is being built; please ask again shortly.", 5)
            near = await self._near()
            side = Side(_scores(near), _best(near), self._bound(near))
            return await self._retrieved(side, None, considered, backgrounds)
        if mode == "words":
            found = await self._found(words)
            return Retrieved(self.collection, None, self._words_side(found), None, considered)
        if mode == "meaning" and not self._restricts:
            near = await self._near()
            side = Side(_scores(near), _best(near), self._bound(near))
            return await self._retrieved(side, None, considered, backgrounds)
        return await self._both(words, mode, considered, backgrounds)

    async def _both(
        self, words: Retriever[Any], mode: Mode, considered: int, backgrounds: Backgrounds
    ) -> Retrieved:
        looking_up = asyncio.create_task(self._found(words))
        try:
            await self.request.embed()
        except _NO_MODEL as failure:
            return await self._by_words_alone(looking_up, mode, considered, failure)
        except BaseException:
            looking_up.cancel()
            raise
        try:
            near, found = await asyncio.gather(self._near(), looking_up)
            return await self._fused(near, found, words, considered, backgrounds)
        except EngineAway as failure:  # it may also go between two answers
            return await self._by_words_alone(looking_up, mode, considered, failure)

    async def _by_words_alone(
        self,
        looking_up: asyncio.Task[Sequence[ScoredSeq]],
        mode: Mode,
        considered: int,
        failure: SemantikError,
    ) -> Retrieved:
        """What is found without the vectors. Raises the failure where they were asked for."""
        if mode == "meaning" or self.threshold is not None:
            looking_up.cancel()
            raise failure
        side = self._words_side(await looking_up)
        return Retrieved(self.collection, None, side, None, considered, failure)

    async def _fused(
        self,
        near: Sequence[ScoredSeq],
        found: Sequence[ScoredSeq],
        words: Retriever[Any],
        considered: int,
        backgrounds: Backgrounds,
    ) -> Retrieved:
        """What both have found, with the scores of each for what only the other has."""
        if self.completes and self.wanted is not None:
            return await self._in_reach(near, found, words, self.wanted, considered, backgrounds)
        # All chunks that may be found are candidates when either of these has no more.
        complete = not self._is_full(near) or (self._requires and not self._is_full(found))
        both = await self._retrieved(
            Side(_scores(near), _best(near), None if complete else near[-1].score),
            Side(_scores(found), _best(found), None if complete else self._bound(found) or 0.0),
            considered,
            backgrounds,
        )
        everything = InReach(
            [each.seq for each in near if each.seq not in both.words_scores],
            [each.seq for each in found if each.seq not in both.cosines],
            complete=True,
        )
        return await self._completed(both, words, everything)

    async def _in_reach(
        self,
        near: Sequence[ScoredSeq],
        found: Sequence[ScoredSeq],
        words: Retriever[Any],
        wanted: int,
        considered: int,
        backgrounds: Backgrounds,
    ) -> Retrieved:
        """The candidates, where those that cannot be among the `wanted` best may be left out."""
        complete = not self._is_full(near)
        bound = found[-1].score if len(found) >= self._found_depth else 0.0
        known = self.earlier or Retrieved(self.collection)
        both = await self._retrieved(
            Side(_scores(near) | known.cosines, _best(near), None if complete else near[-1].score),
            Side(_scores(found) | known.words_scores, _best(found), None if complete else bound),
            considered,
            backgrounds,
        )
        completed = await self._completed(both, words, in_reach(both, wanted))
        return replace(completed, proposed=Proposed(near, self.depth, found, self._found_depth))

    async def _completed(self, both: Retrieved, words: Retriever[Any], reach: InReach) -> Retrieved:
        """With the other scores of the chunks in reach."""
        cosines, word_scores = both.cosines, both.words_scores
        has_more_words = self._restricts or len(word_scores) >= self._found_depth
        found, found_words = await asyncio.gather(
            _scores_of(self.opened.vectors, self.request, reach.without_cosine),
            _scores_of(words, self.request, reach.without_words if has_more_words else ()),
        )
        lowest = -2.0 if self.threshold is None else self.threshold
        cosines |= {seq: score for seq, score in found.items() if score >= lowest}
        word_scores |= found_words
        if not self._restricts:  # who is not found has none of the words, or is not in that index yet
            word_scores |= {seq: 0.0 for seq in reach.without_words if seq not in word_scores}
        return replace(both, complete=reach.complete)

    async def _retrieved(
        self, meaning: Side, words: Side | None, considered: int, backgrounds: Backgrounds
    ) -> Retrieved:
        background = await backgrounds.of(self.opened.vectors, await self.request.embed(), self.embed)
        named = is_name(self.request.text)
        return Retrieved(self.collection, meaning, words, background, considered, is_name=named)

    def _words_side(self, found: Sequence[ScoredSeq]) -> Side:
        bound = found[-1].score if found and len(found) >= self._found_depth else None
        return Side(_scores(found), _best(found), bound)

    async def _near(self) -> Sequence[ScoredSeq]:
        known = self.earlier and self.earlier.proposed
        if known and known.near_depth == self.depth:
            return known.near
        return await self.opened.vectors.search(self.request, self.depth, self.allowed, self.threshold)

    async def _found(self, words: Retriever[Any]) -> Sequence[ScoredSeq]:
        known = self.earlier and self.earlier.proposed
        if known and known.found_depth == self._found_depth:
            return known.found
        return await words.search(self.request, self._found_depth, self.allowed)

    @property
    def completes(self) -> bool:
        """Whether chunks out of reach are left out."""
        return self.wanted is not None and not self._restricts and self.threshold is None

    @property
    def _found_depth(self) -> int:
        return max(self.depth, self.words_depth) if self.completes else self.depth

    @property
    def _requires(self) -> bool:
        return self.request.parsed is not None and bool(self.request.parsed.required)

    @property
    def _restricts(self) -> bool:
        parsed = self.request.parsed
        return parsed is not None and bool(parsed.required or parsed.excluded)

    def _is_full(self, ranked: Sequence[ScoredSeq]) -> bool:
        return len(ranked) >= self.depth

    def _bound(self, ranked: Sequence[ScoredSeq]) -> float | None:
        return ranked[-1].score if self._is_full(ranked) else None


async def _scores_of(
    retriever: Retriever[Any], request: RetrievalQuery, seqs: Sequence[int]
) -> dict[int, float]:
    return await retriever.scores(request, seqs) if seqs else {}


def _scores(ranked: Sequence[ScoredSeq]) -> dict[int, float]:
    return dict(ranked)


def _best(ranked: Sequence[ScoredSeq]) -> float:
    return ranked[0].score if ranked else 0.0
