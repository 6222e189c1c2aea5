"""Measures of rankings, worked out by hand, and intervals."""

from __future__ import annotations

import math

import pytest

from semantik.evaluation.judged_set import JudgedQuery, Judgment, matches_path, relevances
from semantik.evaluation.measures import HIT_1, MRR, NDCG, RECALL_10, RECALL_100, interval, measured

_TWO = JudgedQuery("q", "", (Judgment("a", 2.0), Judgment("b", 1.0)))


def _measured(found: list[str]) -> dict[str, float]:
    return measured(_TWO, relevances(_TWO, found, str.__eq__))


def test_a_perfect_ranking_has_every_measure_at_one() -> None:
    assert set(_measured(["a", "b", "x"]).values()) == {1.0}


def test_a_ranking_without_the_documents_has_every_measure_at_zero() -> None:
    assert set(_measured(["x", "y"]).values()) == set(_measured([]).values()) == {0.0}


def test_later_ranks_count_less() -> None:
    found = _measured(["x", "b", "a"])
    ideal = 2 + 1 / math.log2(3)
    assert found[NDCG] == pytest.approx((1 / math.log2(3) + 2 / math.log2(4)) / ideal)
    assert (found[MRR], found[HIT_1], found[RECALL_10]) == (0.5, 0.0, 1.0)


def test_the_hundredth_rank_counts_for_recall_alone() -> None:
    found = _measured([*(f"x{number}" for number in range(99)), "a", "b"])
    assert (found[NDCG], found[MRR], found[RECALL_10], found[RECALL_100]) == (0.0, 0.0, 0.0, 0.5)


def test_a_document_counts_once() -> None:
    assert relevances(_TWO, ["b", "b", "a"], str.__eq__) == [1.0, 0.0, 2.0]


def test_a_glob_is_met_by_one_document() -> None:
    query = JudgedQuery("q", "", (Judgment("docs/*.md"),))
    assert relevances(query, ["/home/docs/a.md", "/home/docs/b.md"]) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("expected", "path", "met"),
    [
        ("ferry.txt", "/docs/ferry.txt", True),
        ("ferry", "/docs/ferry.txt", True),
        ("docs/ferry.txt", "/home/docs/ferry.txt", True),
        ("./docs/ferry.txt", "/home/docs/ferry.txt", True),
        ("/home/docs/ferry.txt", "/home/docs/ferry.txt", True),
        ("erry.txt", "/docs/ferry.txt", False),
        ("docs/ferry", "/docs/ferry.txt", False),
        ("*.txt", "/docs/ferry.txt", True),
        ("docs/*/f?rry.*", "/x/docs/2024/ferry.txt", True),
        ("Ferry.txt", "/docs/ferry.txt", False),
    ],
)
def test_a_path_is_met_by_its_end_or_by_a_glob(expected: str, path: str, met: bool) -> None:
    assert matches_path(expected, path) is met


def test_an_interval_holds_its_mean_and_narrows_with_more_queries() -> None:
    few, many = interval([0.0, 1.0] * 10), interval([0.0, 1.0] * 500)
    assert few.low < few.mean == many.mean == 0.5 < few.high
    assert many.high - many.low < (few.high - few.low) / 3
    assert interval([0.25] * 7) == interval([0.25] * 3)
