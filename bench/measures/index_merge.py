"""Adding a million vectors to an index and merging it, compared with one plain Annoy build; searches meanwhile."""

from __future__ import annotations

import asyncio
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from annoy import AnnoyIndex

from bench.corpus import WORK_FOLDER
from bench.index_fixture import merge_process, open_index, wait_until_merged
from bench.results import Result
from bench.vectors import MILLION, query_vectors, vectors
from semantik.config.settings import IndexSettings
from semantik.index import IndexStats, VectorIndex

_BLOCK = 10_000
# Enough for the largest segment to be rewritten.
_DELETED = 0.26
_COPY_ROWS = 4096


@dataclass(frozen=True)
class _IndexTimes:
    """Seconds to add and merge all vectors, CPU seconds of all work; seconds of a rewrite, and of searches in it."""

    added_s: float
    cpu_s: float
    rewritten_s: float
    during_s: list[float]
    idle_s: list[float]
    stats: IndexStats


def measure() -> Iterator[Result]:
    data = WORK_FOLDER / "index-merge"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    try:
        measured = asyncio.run(_measure_index(data))
        with merge_process() as process:
            reference_s = process.submit(_plain_annoy_build, data / "plain").result()
    finally:
        shutil.rmtree(data, ignore_errors=True)
    reference = f"plain Annoy, {IndexSettings().trees} trees"
    yield Result(
        "a million vectors added, merged, calibrated",
        measured.added_s,
        "s",
        reference_s,
        reference,
        maximum=1.5,
        note=f"{measured.stats.segments} segments, {measured.stats.engine}, "
        f"recall {measured.stats.measured_recall:.3f}",
    )
    yield Result(
        "the same, and a rewrite of most of it, all processes",
        measured.cpu_s,
        "CPU s",
        reference_s,
        reference,
        maximum=1.5,
    )
    note = f"{measured.rewritten_s:.1f} s, {len(measured.during_s)} searches; idle {len(measured.idle_s)}"
    for name, quantile, maximum in (("median", 0.5, None), ("p99", 0.99, None), ("longest", 1.0, 2.0)):
        during, idle = (
            float(np.quantile(each, quantile)) * 1e3 for each in (measured.during_s, measured.idle_s)
        )
        yield Result(
            f"{name} search during a rewrite of most of it",
            during,
            "ms",
            idle,
            "idle",
            maximum=maximum,
            note=note,
        )


async def _measure_index(data: Path) -> _IndexTimes:
    started, cpu_before = time.perf_counter(), _cpu_s()
    async with open_index(data / "index", vectors(1).shape[1]) as index:
        for start in range(0, MILLION, _BLOCK):
            await index.add(np.arange(start, start + _BLOCK), vectors(MILLION)[start : start + _BLOCK])
        await wait_until_merged(index)
        added_s, stats = time.perf_counter() - started, index.stats()
        started = time.perf_counter()
        await index.delete([(0, int(_DELETED * MILLION))])
        during = await _search_times(index, lambda: index.stats().deleted > 0)
        rewritten_s = time.perf_counter() - started
        until = time.perf_counter() + rewritten_s
        idle = await _search_times(index, lambda: time.perf_counter() < until)
    # The merge process has ended, so its CPU time is included; so is that of the searches.
    return _IndexTimes(added_s, _cpu_s() - cpu_before, rewritten_s, during, idle, stats)


def _plain_annoy_build(path: Path) -> float:
    """Seconds of one Annoy build."""
    started = time.perf_counter()
    source_vectors = vectors(MILLION)
    index = AnnoyIndex(source_vectors.shape[1], "angular")
    index.on_disk_build(str(path))
    for start in range(0, len(source_vectors), _COPY_ROWS):
        for row, vector in enumerate(source_vectors[start : start + _COPY_ROWS].astype(np.float32), start):
            index.add_item(row, vector)
    index.build(IndexSettings().trees, 1)
    seconds = time.perf_counter() - started
    path.unlink()
    return seconds


async def _search_times(index: VectorIndex, keep_going: Callable[[], bool]) -> list[float]:
    """Search repeatedly; returns the seconds of each search."""
    queries = query_vectors()
    times: list[float] = []
    while not times or keep_going():
        query = queries[len(times) % len(queries)]
        started = time.perf_counter()
        await index.nearest(query, 10)
        times.append(time.perf_counter() - started)
    return times


def _cpu_s() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in usages)
