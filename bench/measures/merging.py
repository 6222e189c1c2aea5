"""A million vectors put into an index and merged, beside one plain Annoy build of them; and searches meanwhile."""

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

from bench.an_index import an_index, at_rest, one_process
from bench.corpus import HOME
from bench.figures import Figure
from bench.vectors import MILLION, questions, vectors
from semantik.config.settings import IndexSettings
from semantik.index import IndexStats, VectorIndex

_BLOCK = 10_000
# Enough for the largest segment to be written anew.
_DELETED = 0.26
_COPY_ROWS = 4096


@dataclass(frozen=True)
class _Ours:
    """Seconds to add all and to merge, the processor's for all of it; of a rewrite, and of searches beside it."""

    added_s: float
    cpu_s: float
    rewritten_s: float
    during_s: list[float]
    idle_s: list[float]
    stats: IndexStats


def measure() -> Iterator[Figure]:
    data = HOME / "merging"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    try:
        ours = asyncio.run(_ours(data))
        with one_process() as reference:
            plain_s = reference.submit(_plain, data / "plain").result()
    finally:
        shutil.rmtree(data, ignore_errors=True)
    plain = f"plain Annoy, {IndexSettings().trees} trees"
    yield Figure(
        "a million vectors added, merged, calibrated",
        ours.added_s,
        "s",
        plain_s,
        plain,
        most=1.5,
        note=f"{ours.stats.segments} segments, {ours.stats.engine}, recall {ours.stats.measured_recall:.3f}",
    )
    yield Figure(
        "the same, and a rewrite of most of it, all processes", ours.cpu_s, "CPU s", plain_s, plain, most=1.5
    )
    note = f"{ours.rewritten_s:.1f} s, {len(ours.during_s)} searches; idle {len(ours.idle_s)}"
    for name, quantile, most in (("median", 0.5, None), ("p99", 0.99, None), ("longest", 1.0, 2.0)):
        during, idle = (float(np.quantile(each, quantile)) * 1e3 for each in (ours.during_s, ours.idle_s))
        yield Figure(
            f"{name} search while most is written anew", during, "ms", idle, "idle", most=most, note=note
        )


async def _ours(data: Path) -> _Ours:
    begun, used = time.perf_counter(), _cpu_s()
    async with an_index(data / "index", vectors(1).shape[1]) as index:
        for start in range(0, MILLION, _BLOCK):
            await index.add(np.arange(start, start + _BLOCK), vectors(MILLION)[start : start + _BLOCK])
        await at_rest(index)
        added_s, stats = time.perf_counter() - begun, index.stats()
        begun = time.perf_counter()
        await index.delete([(0, int(_DELETED * MILLION))])
        during = await _seconds(index, lambda: index.stats().deleted > 0)
        rewritten_s = time.perf_counter() - begun
        until = time.perf_counter() + rewritten_s
        idle = await _seconds(index, lambda: time.perf_counter() < until)
    # The pool's child has ended, and so counts; the searches of both times do, too.
    return _Ours(added_s, _cpu_s() - used, rewritten_s, during, idle, stats)


def _plain(path: Path) -> float:
    """Seconds of one Annoy build without anything around it."""
    begun = time.perf_counter()
    given = vectors(MILLION)
    index = AnnoyIndex(given.shape[1], "angular")
    index.on_disk_build(str(path))
    for start in range(0, len(given), _COPY_ROWS):
        for row, vector in enumerate(given[start : start + _COPY_ROWS].astype(np.float32), start):
            index.add_item(row, vector)
    index.build(IndexSettings().trees, 1)
    took = time.perf_counter() - begun
    path.unlink()
    return took


async def _seconds(index: VectorIndex, go_on: Callable[[], bool]) -> list[float]:
    """One search after the other, with what each took."""
    asked = questions()
    found: list[float] = []
    while not found or go_on():
        query = asked[len(found) % len(asked)]
        begun = time.perf_counter()
        await index.nearest(query, 10)
        found.append(time.perf_counter() - begun)
    return found


def _cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)
