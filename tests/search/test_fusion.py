"""The order of the candidates of all collections, and how many of them are in the order that all chunks would have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from semantik.core.errors import Unavailable
from semantik.core.models import Collection, Generation, now
from semantik.search.candidates import Background, Retrieved, Side
from semantik.search.fusion import Candidate, fuse, standing_out

_READABLE = Background(0.0, 0.1, 1000)


def _collection(key: str) -> Collection:
    generation = Generation(key, 1, "m", "auto", 200, 20, dimension=16)
    return Collection(key, "owner", "Docs", "", 1, (generation,), 0, None, now(), now())


def _side(bound: float | None = None, **scores: float) -> Side:
    """`_side(s3=0.5)`: the chunk of seq 3 scores 0.5."""
    by_seq = {int(name[1:]): score for name, score in scores.items()}
    return Side(by_seq, max(by_seq.values(), default=0.0), bound)


def _retrieved(key: str, meaning: Side | None, words: Side | None, **more: Any) -> Retrieved:
    return Retrieved(_collection(key), meaning, words, **more)


def _order(ranking: Sequence[Candidate]) -> list[tuple[str, int]]:
    return [(each.collection.id, each.seq) for each in ranking]


def test_meaning_is_ordered_by_score_then_collection_then_seq() -> None:
    lists = [
        _retrieved("b", _side(s4=0.9, s1=0.5, s2=0.5), None),
        _retrieved("a", _side(s7=0.5, s3=0.1), None),
        _retrieved("c", None, None),
    ]
    assert _order(fuse(lists, "meaning", 4)) == [("b", 4), ("a", 7), ("b", 1), ("b", 2)]


def test_mode_meaning_ignores_words_and_background() -> None:
    one = _retrieved("a", _side(s1=0.5, s2=0.4), _side(s1=0.0, s2=9.0), background=_READABLE)
    assert [each.fused for each in fuse([one], "meaning", 2)] == [0.5, 0.4]


def test_a_chunk_that_both_sides_rank_high_comes_before_the_best_of_one() -> None:
    one = _retrieved(
        "a", _side(s1=0.7, s2=0.65, s3=0.1), _side(s1=0.0, s2=16.0, s3=17.0), background=_READABLE
    )
    assert _order(fuse([one], "hybrid", 3)) == [("a", 2), ("a", 3), ("a", 1)]


def test_one_common_word_of_a_question_counts_less_than_its_meaning() -> None:
    meaning = _side(s1=0.6, s2=0.3)
    few, many = (
        _retrieved("a", meaning, _side(s1=0.0, s2=best), background=_READABLE) for best in (1.5, 15.0)
    )
    assert _order(fuse([few], "hybrid", 2)) == [("a", 1), ("a", 2)]
    assert _order(fuse([many], "hybrid", 2)) == [("a", 2), ("a", 1)]


def test_a_small_collection_does_not_lower_the_words_of_another() -> None:
    small = _retrieved("a", _side(s1=0.3), _side(s1=1.2), words_scale=1 / 1.2, background=_READABLE)
    large = _retrieved(
        "b", _side(s1=0.6, s2=0.3), _side(s1=0.0, s2=24.0), words_scale=1 / 24, background=_READABLE
    )
    both = fuse([small, large], "hybrid", 3)
    alone = fuse([large], "hybrid", 3)
    scores = {(each.collection.id, each.seq): each.fused for each in both}
    assert [scores["b", each.seq] for each in alone] == pytest.approx([each.fused for each in alone])


def test_meaning_weighs_less_where_the_model_cannot_read_the_query() -> None:
    meaning, words = _side(s1=0.75, s2=0.45), _side(s1=5.5, s2=9.0)
    readable = _retrieved("a", meaning, words, background=_READABLE)
    chance = _retrieved("a", meaning, words, background=Background(0.4, 0.15, 1000))
    assert _order(fuse([readable], "hybrid", 2)) == [("a", 1), ("a", 2)]
    assert _order(fuse([chance], "hybrid", 2)) == [("a", 2), ("a", 1)]


def test_standing_out_is_one_for_the_best_of_random_numbers() -> None:
    background = Background(0.1, 0.05, 100_000)
    assert standing_out(0.1 + 0.05 * math.sqrt(2 * math.log(100_000)), background) == pytest.approx(1)


def test_candidates_without_the_score_of_a_side_are_left_out() -> None:
    excluded = _retrieved("a", _side(s1=0.9, s2=0.5), _side(s2=1.0))
    assert _order(fuse([excluded], "hybrid", 5)) == [("a", 2)]


def test_words_of_collections_are_compared_on_their_common_scale() -> None:
    rare = _retrieved("a", None, _side(s1=4.0), words_scale=0.5)
    common = _retrieved("b", None, _side(s1=3.0), words_scale=1.0)
    assert _order(fuse([rare, common], "words", 2)) == [("b", 1), ("a", 1)]
    assert [each.fused for each in fuse([rare, common], "words", 2)] == pytest.approx([1, 2 / 3])


def test_a_collection_without_one_side_is_ordered_by_the_other_alone() -> None:
    failure = Unavailable("The model is loading.", 5)
    lists = [
        _retrieved("a", _side(s1=0.9), _side(s1=2.0), background=_READABLE),
        _retrieved("b", None, _side(s1=1.0), failure=failure),
        _retrieved("c", _side(s1=0.3), None, background=_READABLE),
    ]
    assert _order(fuse(lists, "hybrid", 3)) == [("a", 1), ("b", 1), ("c", 1)]
