"""The index of vectors at ten million rows beside a million: latency, recall, memory, disk, a filter, and adding more.

The vectors are perturbed ones of real sentences, the queries real questions (`bench/perturbed_vectors.py`). One thread
searches; all queries are asked of both indexes in turns. The indexes are made once, below build/bench.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from bench.corpus import WORK_FOLDER
from bench.index_fixture import open_index, wait_until_merged
from bench.measures.large_collection import resident_mb
from bench.perturbed_vectors import BLOCK, blocks, queries
from bench.results import Result
from bench.sizes import sized
from semantik.index import VectorIndex

_MANY, _FEW = sized(10_000_000, 2_000_000), sized(1_000_000, 200_000)
_ADDED = _FEW
_ROUNDS = 3
# Merges keep up with what is embedded in a server; here they would not.
_BLOCKS_UNTIL_MERGED = 10
_RECALL_QUERIES = 100
_RESULTS = 10
_PER_DOCUMENT = 20
_ALLOWED_OF = 1000
_RECORD = "made.json"  # written last
_TIE = 1e-5


@dataclass(frozen=True)
class _Times:
    """Milliseconds, p50, without and with the filter."""

    all_ms: float
    filtered_ms: float


def measure() -> Iterator[Result]:
    """First what was needed to make both indexes, then searches in both."""
    added_s = {count: asyncio.run(_made(count)) for count in (_FEW, _MANY)}
    yield Result(
        f"{_ADDED:,} vectors added to {_MANY:,}, until merged",
        added_s[_MANY],
        "s",
        added_s[_FEW],
        "added to an empty index",
        maximum=1.5,
    )
    yield from asyncio.run(_searched())


async def _made(count: int) -> float:
    """Make an index of so many vectors; the seconds that the last `_ADDED` took."""
    folder = WORK_FOLDER / f"perturbed-{count}"
    if not (folder / _RECORD).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        seconds = 0.0
        next(blocks(0, BLOCK))  # what all are made of is embedded once
        for first, last in ((0, count - _ADDED), (count - _ADDED, count)):
            started = time.perf_counter()
            if first < last:
                await _add(folder, first, last)
            seconds = time.perf_counter() - started
            print(
                f"{last - first:,} vectors added and merged in {seconds:.0f} s", file=sys.stderr, flush=True
            )
        (folder / _RECORD).write_text(json.dumps(seconds))
    return float(json.loads((folder / _RECORD).read_text()))


async def _add(folder: Path, first: int, last: int) -> None:
    async with open_index(folder / "index", queries().shape[1]) as index:
        await wait_until_merged(index)
        for number, block in enumerate(blocks(first, last)):
            start = first + number * BLOCK
            await index.add(np.arange(start, start + BLOCK), block)
            if number % _BLOCKS_UNTIL_MERGED == 0:
                await wait_until_merged(index)
        await wait_until_merged(index)


async def _searched() -> list[Result]:
    asked = queries()
    async with AsyncExitStack() as stack:
        before_mb = resident_mb(os.getpid())[0]
        indexes = {}
        for count in (_FEW, _MANY):
            folder = WORK_FOLDER / f"perturbed-{count}"
            indexes[count] = await stack.enter_async_context(open_index(folder / "index", asked.shape[1]))
            await wait_until_merged(indexes[count])
            if count == _FEW:
                before_mb = resident_mb(os.getpid())[0]
        times = await _times(indexes)
        memory_mb = resident_mb(os.getpid())[0] - before_mb
        recalls = {count: await _recall(index, count) for count, index in indexes.items()}
        stats = indexes[_MANY].stats()
    few, many = times[_FEW], times[_MANY]
    return [
        Result(
            f"nearest of {_MANY:,} vectors, p50, one thread",
            many.all_ms,
            "ms",
            few.all_ms,
            f"{_FEW:,}",
            maximum=2.5,
            note=f"{stats.segments} segments, {_ROUNDS * len(asked)} questions each, in turns",
        ),
        Result(
            f"the same with a filter that leaves 1 in {_ALLOWED_OF:,}",
            many.filtered_ms,
            "ms",
            many.all_ms,
            "without",
            maximum=2,
        ),
        *(
            Result(f"recall@{_RESULTS}, {count:,} vectors", recalls[count], "", minimum=0.95)
            for count in (_FEW, _MANY)
        ),
        Result(f"memory beyond mapped files, {_MANY:,} vectors", memory_mb, "MB", maximum=600),
        Result("disk of a vector in this index", stats.bytes / _MANY, "bytes"),
    ]


async def _times(indexes: dict[int, VectorIndex]) -> dict[int, _Times]:
    allowed = {
        count: [(at, at + _PER_DOCUMENT) for at in range(0, count, _PER_DOCUMENT * _ALLOWED_OF)]
        for count in indexes
    }
    seconds: dict[tuple[int, bool], list[float]] = {
        (count, by): [] for count in indexes for by in (False, True)
    }
    for number in range(_ROUNDS + 1):
        for query in queries():
            for count, index in indexes.items():
                for filtered in (False, True):
                    started = time.perf_counter()
                    await index.nearest(query, _RESULTS, allowed[count] if filtered else None)
                    if number:  # the first round warms caches
                        seconds[count, filtered].append(time.perf_counter() - started)
    return {
        count: _Times(1e3 * median(seconds[count, False]), 1e3 * median(seconds[count, True]))
        for count in indexes
    }


async def _recall(index: VectorIndex, count: int) -> float:
    """The share of the truly nearest ten that is found; vectors that score the same count as one another."""
    asked = queries()[:_RECALL_QUERIES]
    best = np.full((len(asked), _RESULTS), -np.inf, np.float32)
    for block in blocks(0, count):
        exact = block.astype(np.float32)
        scores = (
            asked @ (exact / np.linalg.norm(exact, axis=1, keepdims=True)).T
        )  # half precision is not of length 1
        best = np.partition(np.hstack((best, scores)), -_RESULTS, axis=1)[:, -_RESULTS:]
    hits = 0
    for query, lowest in zip(asked, best.min(axis=1), strict=True):
        found = await index.nearest(query, _RESULTS)
        hits += sum(hit.score >= lowest - _TIE for hit in found)
    return hits / (_RESULTS * len(asked))
