"""A search by meaning and words over HTTP in 100 000 chunks, beside the build that searched by meaning alone."""

from __future__ import annotations

from collections.abc import Iterator

from bench.previous_build import PREVIOUS_COMMIT, previous_build
from bench.results import Result
from bench.search_comparison import compare_searches


def measure() -> Iterator[Result]:
    latency, rate, cost = compare_searches(previous_build(PREVIOUS_COMMIT))
    reference = f"{PREVIOUS_COMMIT}, by meaning alone"
    yield latency.result(reference, 1.15)
    yield rate.result(reference, 0.9)
    yield cost.result(reference)
