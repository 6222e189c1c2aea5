"""Both retrievers propose candidates, each scores those of the other, and clauses of the query restrict both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from semantik.config.settings import IndexSettings
from semantik.core.errors import EngineAway, Unavailable
from semantik.core.models import Collection, Generation, now
from semantik.index import IndexRegistry, RetrievalQuery, ScoredSeq
from semantik.index.ranges import Ranges
from semantik.query import parse
from semantik.search.backgrounds import Backgrounds
from semantik.search.candidates import Retrieved
from semantik.search.collection_search import CollectionSearch, Opened
from semantik.search.query import Mode

pytestmark = pytest.mark.gen_test

_DIMENSION = 16
_COUNT = 40


class WordScores:
    """A retriever of words with given scores; chunks in `refused` fail the query's clauses."""

    last_seq, size = _COUNT - 1, _COUNT

    def __init__(self, scores: dict[int, float], refused: Sequence[int] = ()) -> None:
        self._scores = {seq: score for seq, score in scores.items() if seq not in refused}
        self._refused = refused

    async def add(self, seqs: NDArray[np.int64], contents: Sequence[str]) -> None:
        raise NotImplementedError

    async def delete(self, seqs: Sequence[tuple[int, int]] | Ranges) -> None:
        raise NotImplementedError

    async def search(
        self,
        query: RetrievalQuery,
        k: int,
        allowed: Sequence[tuple[int, int]] | Ranges | None = None,
        threshold: float | None = None,
    ) -> list[ScoredSeq]:
        ranked = sorted(self._scores.items(), key=lambda pair: (-pair[1], pair[0]))
        return [ScoredSeq(seq, score) for seq, score in ranked][:k]

    async def scores(self, query: RetrievalQuery, seqs: Sequence[int]) -> dict[int, float]:
        return {seq: self._scores.get(seq, 0.0) for seq in seqs if seq not in self._refused}


class _Leaving:
    """Vectors whose engine goes away before it has answered the call `away_at`."""

    def __init__(self, index: Any, away_at: str) -> None:
        self._index = index
        self._away_at = away_at

    def __getattr__(self, name: str) -> Any:
        return self._away if name == self._away_at else getattr(self._index, name)

    async def _away(self, *_: object) -> None:
        raise EngineAway("It is away.", 5)


def _vectors() -> NDArray[np.float16]:
    given = np.random.default_rng(1).standard_normal((_COUNT, _DIMENSION))
    unit: NDArray[np.float16] = (given / np.linalg.norm(given, axis=1, keepdims=True)).astype(np.float16)
    return unit


_VECTORS = _vectors()
_QUERY = _VECTORS[7].astype(np.float32) / np.linalg.norm(_VECTORS[7].astype(np.float32))
_RANKED = [int(seq) for seq in np.argsort(-(_VECTORS.astype(np.float64) @ _QUERY))]
Run = Callable[..., Any]


@asynccontextmanager
async def _index(tmp_path: Path) -> AsyncIterator[Run]:
    """`await run(words, mode, text, depth, threshold, embed)` searches."""

    async def unused(function: Any, *args: Any, timeout_s: float) -> Any:
        raise AssertionError("so few vectors need no merge")

    registry = IndexRegistry(tmp_path, IndexSettings(), unused)
    index = await registry.open("c", 1, _DIMENSION)
    await index.add(np.arange(_COUNT), _VECTORS)

    async def run(
        words: WordScores | None,
        mode: Mode = "hybrid",
        text: str = "words",
        depth: int = 5,
        threshold: float | None = None,
        embed: Any = None,
        wanted: int | None = None,
        earlier: Retrieved | None = None,
        away_at: str = "",
    ) -> Retrieved:
        request = RetrievalQuery(text, embed or _embed, parse(text))
        opened = Opened(_Leaving(index, away_at) if away_at else index, words)
        search = CollectionSearch(
            _COLLECTION, opened, request, None, threshold, depth, _other, wanted, 0, earlier
        )
        return await search.run(mode, _COUNT, Backgrounds())

    try:
        yield run
    finally:
        await registry.close()


async def _embed() -> NDArray[np.float32]:
    return _QUERY


async def _other(text: str) -> NDArray[np.float32]:
    raise AssertionError("so few chunks need no other text")


async def _no_model() -> NDArray[np.float32]:
    raise Unavailable("The model is still loading.", 5)


_COLLECTION = Collection(
    "c",
    "owner",
    "Docs",
    "",
    1,
    (Generation("c", 1, "m", "auto", 200, 20, dimension=_DIMENSION),),
    0,
    None,
    now(),
    now(),
)


async def test_each_side_scores_what_only_the_other_proposed(tmp_path: Path) -> None:
    last = _RANKED[-1]
    async with _index(tmp_path) as run:
        found = await run(WordScores({last: 3.0, _RANKED[0]: 2.0}))
    scored = {seq: (meaning, words) for seq, meaning, words in found.scored()}
    assert set(scored) == {*_RANKED[:5], last}
    assert scored[last][0] == pytest.approx(float(_VECTORS[last].astype(np.float64) @ _QUERY), abs=1e-3)
    assert scored[last][1] == 3.0 and scored[_RANKED[0]][1] == 2.0 and scored[_RANKED[1]][1] == 0.0
    assert not found.exhausted and found.background is not None


async def test_scores_are_asked_for_where_a_list_is_full(tmp_path: Path) -> None:
    words = WordScores({seq: 10.0 - rank for rank, seq in enumerate(reversed(_RANKED[:10]))})
    async with _index(tmp_path) as run:
        found = await run(words, depth=3)
        everything = await run(words, depth=_COUNT + 1)
    assert {seq: words for seq, _, words in found.scored()}[_RANKED[0]] == 1.0
    assert everything.exhausted and len(list(everything.scored())) == _COUNT


async def test_chunks_out_of_reach_are_candidates_when_more_are_wanted(tmp_path: Path) -> None:
    words = WordScores({_RANKED[0]: 9.0, _RANKED[-1]: 0.1, _RANKED[-2]: 0.05})
    async with _index(tmp_path) as run:
        few = await run(words, wanted=1)
        more = await run(words, wanted=7, earlier=few)
    assert not few.complete and not few.exhausted
    assert more.complete
    assert {seq for seq, _, _ in more.scored()} == {*_RANKED[:5], _RANKED[-1], _RANKED[-2]}


async def test_excluded_chunks_are_no_candidates_by_meaning(tmp_path: Path) -> None:
    words = WordScores({_RANKED[0]: 1.0, _RANKED[1]: 1.0}, refused=_RANKED[:2])
    async with _index(tmp_path) as run:
        found = await run(words, text="words -without")
        alone = await run(words, mode="meaning", text="words -without")
    assert {seq for seq, _, _ in found.scored()} == set(_RANKED[2:5])
    assert {seq for seq, _, _ in alone.scored()} == set(_RANKED[2:5])


async def test_nothing_else_can_be_found_where_all_that_match_a_phrase_are_known(tmp_path: Path) -> None:
    matching = _RANKED[20:23]
    refused = [seq for seq in range(_COUNT) if seq not in matching]
    async with _index(tmp_path) as run:
        found = await run(WordScores(dict.fromkeys(matching, 1.0), refused), text='"two words"')
    assert {seq for seq, _, _ in found.scored()} == set(matching)
    assert found.exhausted


async def test_threshold_bounds_the_cosine_of_what_words_propose(tmp_path: Path) -> None:
    async with _index(tmp_path) as run:
        found = await run(WordScores({_RANKED[-1]: 3.0, _RANKED[0]: 1.0}), threshold=0.3)
    assert all(meaning is not None and meaning >= 0.3 for _, meaning, _ in found.scored())
    assert _RANKED[0] in {seq for seq, _, _ in found.scored()}


async def test_words_answer_alone_without_the_model(tmp_path: Path) -> None:
    words = WordScores({3: 2.0, 5: 1.0})
    async with _index(tmp_path) as run:
        by_words = await run(words, mode="words", embed=_no_model)
        degraded = await run(words, embed=_no_model)
        for mode, threshold in (("meaning", None), ("hybrid", 0.1)):
            with pytest.raises(Unavailable, match="still loading"):
                await run(words, mode=mode, threshold=threshold, embed=_no_model)
    for found in (by_words, degraded):
        assert sorted(found.scored()) == [(3, None, 2.0), (5, None, 1.0)] and found.exhausted
    assert by_words.failure is None and str(degraded.failure) == "The model is still loading."


async def test_meaning_answers_alone_while_the_index_of_words_is_built(tmp_path: Path) -> None:
    async with _index(tmp_path) as run:
        found = await run(None)
        assert [seq for seq, _, words in found.scored() if words is None] == _RANKED[:5]
        with pytest.raises(Unavailable, match="being built"):
            await run(None, mode="words")


@pytest.mark.parametrize("call", ["search", "sample", "scores"])
async def test_words_answer_alone_when_the_engine_of_vectors_goes_away_between_two_answers(
    tmp_path: Path, call: str
) -> None:
    last, first = _RANKED[-1], _RANKED[0]
    words = WordScores({last: 3.0, first: 2.0})
    async with _index(tmp_path) as run:
        found = await run(words, away_at=call)
        assert sorted(found.scored()) == sorted([(last, None, 3.0), (first, None, 2.0)])
        assert str(found.failure) == "It is away."
        with pytest.raises(EngineAway):
            await run(words, away_at=call, threshold=-1.0)
