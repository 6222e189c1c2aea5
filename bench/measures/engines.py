"""The engines of the index compared, at 100 000 and at a million vectors: recall, latency, build time, size.

Semantik's engines use the calibrated effort, as in a server. The others use the smallest effort that reaches the target
recall on exactly these queries, which favours them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.competitors import (
    TOP_K,
    BuiltIndex,
    Competitor,
    Search,
    build_cached,
    installed_competitors,
)
from bench.results import Result
from bench.vectors import query_vectors, vectors
from semantik.config.settings import IndexSettings
from semantik.index.engines.registry import ENGINES
from semantik.index.segments.merge import calibrate, kth_best
from semantik.index.vectors.rows import Rows

_SIZES = (100_000, 1_000_000)
_TIMED_QUERIES = 250
# Slower engines get fewer queries.
_SLOW_S = 0.02


@dataclass(frozen=True)
class _Candidate:
    competitor: Competitor
    index_file: BuiltIndex
    search: Search
    effort: int
    recall: float


def measure() -> Iterator[Result]:
    queries = query_vectors()
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    for size in _SIZES:
        mapped = vectors(size)
        rows = Rows(np.arange(size), mapped, np.ones(size, np.bool_))
        true_scores = kth_best(mapped, queries)
        candidates = [
            _prepare(competitor, rows, queries, true_scores) for competitor in installed_competitors()
        ]
        yield from _results(size, candidates, _latencies(candidates, queries))


def _prepare(
    competitor: Competitor, rows: Rows, queries: NDArray[np.float32], true_scores: NDArray[np.float32]
) -> _Candidate:
    index_file = build_cached(competitor, rows.vectors)
    search = competitor.open(index_file.path, rows)
    target = IndexSettings().target_recall

    def recall(effort: int) -> float:
        hits = [
            int((rows.vectors[search(query, effort)].astype(np.float32) @ query >= lowest).sum())
            for query, lowest in zip(queries, true_scores, strict=True)
        ]
        return sum(hits) / (TOP_K * len(queries))

    if engine := ENGINES.get(competitor.name):
        effort, _ = calibrate(engine, engine.load(index_file.path, rows), rows, target)
        reached = recall(effort)
    else:
        for effort in competitor.efforts:
            reached = 1.0 if competitor.name == "exact" else recall(effort)
            if reached >= target:
                break
    return _Candidate(competitor, index_file, search, effort, reached)


def _latencies(candidates: list[_Candidate], queries: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """Seconds of each query by engine; all engines in turn for each query."""
    seconds: list[list[float]] = [[] for _ in candidates]
    for query in queries[:: len(queries) // _TIMED_QUERIES]:
        for times, each in zip(seconds, candidates, strict=True):
            if len(times) > 20 and np.median(times) > _SLOW_S:
                continue
            started = time.perf_counter()
            each.search(query, each.effort)
            times.append(time.perf_counter() - started)
    return [np.array(times) for times in seconds]


def _results(size: int, candidates: list[_Candidate], seconds: list[NDArray[np.float64]]) -> Iterator[Result]:
    by_name = {each.competitor.name: each for each in candidates}
    scan_ms = float(np.median(seconds[0])) * 1e3
    for each, times in zip(candidates, seconds, strict=True):
        name = each.competitor.name
        is_default = name == IndexSettings().engine
        title = f"{name}, {size:,} vectors"
        yield Result(
            f"{title}: p50",
            float(np.median(times)) * 1e3,
            "ms",
            maximum=1.0 if is_default and size == _SIZES[0] else None,
            note=f"p99 {np.quantile(times, 0.99) * 1e3:.2f} ms; exact {scan_ms:.1f} ms; effort {each.effort}",
        )
        if name == "exact":
            continue
        yield Result(f"{title}: recall@10", each.recall, "", minimum=0.95 if name in ENGINES else None)
        yield Result(
            f"{title}: build",
            each.index_file.seconds,
            "s",
            by_name["annoy"].index_file.seconds,
            "Annoy",
            note=f"one thread, measured when it was built; {each.index_file.megabytes:,.0f} MB",
        )
