"""The engines of the index beside one another, at 100 000 and at a million: recall, latency, building, size.

The effort of Semantik's own is the calibrated one, as in a server. For others it is the smallest with the wanted recall
of these very questions, which favours them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.contestants import RESULTS, Built, Contestant, Search, built, contestants
from bench.figures import Figure
from bench.vectors import questions, vectors
from semantik.config.settings import IndexSettings
from semantik.index.engines.registry import ENGINES
from semantik.index.segments.merge import calibrate, kth_best
from semantik.index.vectors.rows import Rows

_SIZES = (100_000, 1_000_000)
_TIMED = 250
# One that cannot answer within this takes part with fewer questions.
_SLOW_S = 0.02


@dataclass(frozen=True)
class _Entered:
    contestant: Contestant
    built: Built
    search: Search
    effort: int
    recall: float


def measure() -> Iterator[Figure]:
    asked = questions()
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    for size in _SIZES:
        mapped = vectors(size)
        rows = Rows(np.arange(size), mapped, np.ones(size, np.bool_))
        nearest = kth_best(mapped, asked)
        entered = [_enter(contestant, rows, asked, nearest) for contestant in contestants()]
        yield from _figures(size, entered, _latencies(entered, asked))


def _enter(
    contestant: Contestant, rows: Rows, asked: NDArray[np.float32], nearest: NDArray[np.float32]
) -> _Entered:
    made = built(contestant, rows.vectors)
    search = contestant.open(made.path, rows)
    target = IndexSettings().target_recall

    def recall(effort: int) -> float:
        good = [
            int((rows.vectors[search(query, effort)].astype(np.float32) @ query >= least).sum())
            for query, least in zip(asked, nearest, strict=True)
        ]
        return sum(good) / (RESULTS * len(asked))

    if engine := ENGINES.get(contestant.name):
        effort, _ = calibrate(engine, engine.load(made.path, rows), rows, target)
        found = recall(effort)
    else:
        for effort in contestant.efforts:
            found = 1.0 if contestant.name == "exact" else recall(effort)
            if found >= target:
                break
    return _Entered(contestant, made, search, effort, found)


def _latencies(entered: list[_Entered], asked: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """Seconds of each question, by engine; all engines in turn for each question."""
    seconds: list[list[float]] = [[] for _ in entered]
    for query in asked[:: len(asked) // _TIMED]:
        for mine, each in zip(seconds, entered, strict=True):
            if len(mine) > 20 and np.median(mine) > _SLOW_S:
                continue
            begun = time.perf_counter()
            each.search(query, each.effort)
            mine.append(time.perf_counter() - begun)
    return [np.array(mine) for mine in seconds]


def _figures(size: int, entered: list[_Entered], seconds: list[NDArray[np.float64]]) -> Iterator[Figure]:
    by_name = {each.contestant.name: each for each in entered}
    scan_ms = float(np.median(seconds[0])) * 1e3
    for each, mine in zip(entered, seconds, strict=True):
        name = each.contestant.name
        chosen = name == IndexSettings().engine
        title = f"{name}, {size:,} vectors"
        yield Figure(
            f"{title}: p50",
            float(np.median(mine)) * 1e3,
            "ms",
            most=1.0 if chosen and size == _SIZES[0] else None,
            note=f"p99 {np.quantile(mine, 0.99) * 1e3:.2f} ms; exact {scan_ms:.1f} ms; effort {each.effort}",
        )
        if name == "exact":
            continue
        yield Figure(f"{title}: recall@10", each.recall, "", least=0.95 if name in ENGINES else None)
        yield Figure(
            f"{title}: build",
            each.built.seconds,
            "s",
            by_name["annoy"].built.seconds,
            "Annoy",
            note=f"one processor, kept from when it was built; {each.built.megabytes:,.0f} MB",
        )
