"""A million vectors put into an index and merged, beside one plain Annoy build of them; and searches meanwhile."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from annoy import AnnoyIndex

from bench.corpus import HOME
from bench.figures import Figure
from bench.vectors import MILLION, questions, vectors
from semantik.index import Indexes, VectorIndex
from semantik.settings import Index

_BLOCK = 10_000
_NICE = 10  # as the workers of the pool are
# Enough for the largest segment to be written anew.
_DELETED = 0.26
_COPY_ROWS = 4096


def measure() -> Iterator[Figure]:
    data = HOME / "merging"
    shutil.rmtree(data, ignore_errors=True)
    try:
        yield from asyncio.run(_measure(data))
    finally:
        shutil.rmtree(data, ignore_errors=True)


async def _measure(data: Path) -> list[Figure]:
    data.mkdir(parents=True)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, os.nice, (_NICE,)) as reference:
        plain_s = await asyncio.wrap_future(reference.submit(_plain, data / "plain"))
    begun, used = time.perf_counter(), _cpu_s()
    async with _opened(data) as index:
        for start in range(0, MILLION, _BLOCK):
            await index.add(np.arange(start, start + _BLOCK), vectors(MILLION)[start : start + _BLOCK])
        await _quiet(index)
        took = time.perf_counter() - begun
        stats = index.stats()
        busy = asyncio.create_task(_seconds(index, lambda: index.stats().deleted > 0))
        merging = time.perf_counter()
        await index.delete([(0, int(_DELETED * MILLION))])
        during = await busy
        merged_s = time.perf_counter() - merging
        until = time.perf_counter() + merged_s
        idle = await _seconds(index, lambda: time.perf_counter() < until)
    # The pool's child has ended, and so counts.
    own = _cpu_s() - used
    note = f"{stats.segments} segments, {stats.engine}, recall {stats.measured_recall:.3f}"
    plain = f"plain Annoy, {Index().trees} trees"
    return [
        Figure("a million vectors added, merged, calibrated", took, "s", plain_s, plain, most=1.5, note=note),
        Figure("the same, and a rewrite of the most of it, all processes", own, "CPU s", plain_s, plain),
        Figure("longest search while a million are written anew", *_beside(during, idle, 1.0), most=2.0,
               note=f"{merged_s:.1f} s, {len(during)} searches; idle {len(idle)}"),
        Figure("median search meanwhile", *_beside(during, idle, 0.5)),
        Figure("p99 of the searches meanwhile", *_beside(during, idle, 0.99)),
    ]  # fmt: skip


def _beside(during: list[float], idle: list[float], quantile: float) -> tuple[float, str, float, str]:
    return float(np.quantile(during, quantile)) * 1e3, "ms", float(np.quantile(idle, quantile)) * 1e3, "idle"


def _plain(path: Path) -> float:
    """Seconds of one Annoy build without anything around it."""
    begun = time.perf_counter()
    given = vectors(MILLION)
    index = AnnoyIndex(given.shape[1], "angular")
    index.on_disk_build(str(path))
    for start in range(0, len(given), _COPY_ROWS):
        for row, vector in enumerate(given[start : start + _COPY_ROWS].astype(np.float32), start):
            index.add_item(row, vector)
    index.build(Index().trees, 1)
    took = time.perf_counter() - begun
    path.unlink()
    return took


@asynccontextmanager
async def _opened(data: Path) -> AsyncIterator[VectorIndex]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), os.nice, (_NICE,)) as pool:

        async def run(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
            return await asyncio.wait_for(asyncio.wrap_future(pool.submit(function, *args)), timeout_s)

        indexes = Indexes(data / "index", Index(), run)
        try:
            yield await indexes.open("bench", 0, vectors(1).shape[1])
        finally:
            await indexes.close()


async def _quiet(index: VectorIndex) -> None:
    """Until all is saved, merged and found by its engine: nothing has changed for a second."""
    seen, since = None, time.perf_counter()
    while index.stats().unsaved > Index().tail_rows or time.perf_counter() - since < 1:
        if index.stats() != seen:
            seen, since = index.stats(), time.perf_counter()
        await asyncio.sleep(0.05)


async def _seconds(index: VectorIndex, go_on: Callable[[], bool]) -> list[float]:
    """One search after the other, with what each took."""
    asked = questions()
    found: list[float] = []
    while not found or go_on():
        query = asked[len(found) % len(asked)]
        begun = time.perf_counter()
        await index.search(query, 10)
        found.append(time.perf_counter() - begun)
    return found


def _cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)
