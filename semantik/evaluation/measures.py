"""Measures of a ranking, and bootstrap intervals of their means. Pure.

The gain of a document is its grade, and the discount at rank r is log2(r + 1), as in trec_eval and BEIR.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semantik.evaluation.judged_set import JudgedQuery

DEPTH = 100  # documents of a ranking that are looked at
NDCG, MRR, RECALL_10, RECALL_100, HIT_1 = "nDCG@10", "MRR@10", "recall@10", "recall@100", "hit@1"
MEASURES = (NDCG, MRR, RECALL_10, RECALL_100, HIT_1)
_TOP = 10
_RESAMPLES = 2000
_SEED = 17
_BLOCK = 200  # resamples at a time, so that memory stays small with many queries


@dataclass(frozen=True)
class Interval:
    """A mean over queries, and the bounds of its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


def measured(query: JudgedQuery, relevances: Sequence[float]) -> dict[str, float]:
    """The measures of one query, each 0 to 1, from the grades of its ranked documents."""
    ideal = sorted((each.grade for each in query.judgments), reverse=True)
    first = next((rank for rank, grade in enumerate(relevances[:_TOP], 1) if grade > 0), None)
    return {
        NDCG: _gain(relevances) / _gain(ideal),
        MRR: 1 / first if first else 0.0,
        RECALL_10: _found(relevances[:_TOP]) / len(ideal),
        RECALL_100: _found(relevances[:DEPTH]) / len(ideal),
        HIT_1: float(first == 1),
    }


def _gain(grades: Sequence[float]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades[:_TOP], 1))


def _found(grades: Sequence[float]) -> int:
    return sum(grade > 0 for grade in grades)


def interval(values: Sequence[float]) -> Interval:
    """The mean of one value per query, and what the means of resampled queries are in 95 of 100 cases.

    Of the differences between two modes, query by query, it is the paired interval.
    """
    array = np.asarray(values, np.float64)
    rng = np.random.default_rng(_SEED)
    means = np.concatenate(
        [
            array[rng.integers(0, len(array), (_BLOCK, len(array)))].mean(axis=1)
            for _ in range(_RESAMPLES // _BLOCK)
        ]
    )
    low, high = np.percentile(means, (2.5, 97.5))
    return Interval(float(array.mean()), float(low), float(high))


def column(rows: Sequence[Mapping[str, float]], measure: str) -> list[float]:
    """One measure of all queries."""
    return [row[measure] for row in rows]
