"""A vector index without a server, with a process for its merges, and a function that waits until merges are done."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from semantik.config.settings import IndexSettings
from semantik.index import IndexRegistry, VectorIndex
from semantik.index.segments.merge_policy import MergeCandidate, choose_merge

_NICE = 10  # as for the workers of the pool


def merge_process() -> ProcessPoolExecutor:
    """A process like a worker of the pool: the same niceness, one thread."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), os.nice, (_NICE,))


@asynccontextmanager
async def open_index(
    directory: Path, dimension: int, name: str = "bench", generation: int = 0
) -> AsyncIterator[VectorIndex]:
    """Open the index of one generation of the collection `name` below `directory`."""
    with merge_process() as pool:

        async def run(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
            return await asyncio.wait_for(asyncio.wrap_future(pool.submit(function, *args)), timeout_s)

        indexes = IndexRegistry(directory, IndexSettings(), run)
        try:
            yield await indexes.open(name, generation, dimension)
        finally:
            await indexes.close()


async def wait_until_merged(index: VectorIndex) -> None:
    """Wait until all vectors are in segments, merges are done, and every engine file is built."""
    settings = IndexSettings()
    while not _is_merged(index, settings):  # noqa: ASYNC110 (the server needs no such event)
        await asyncio.sleep(0.05)


def _is_merged(index: VectorIndex, settings: IndexSettings) -> bool:
    segments = index._state.snapshot.segments
    if index.stats().unsaved > settings.tail_rows or any(segment.engine_pending for segment in segments):
        return False
    candidates = [
        MergeCandidate(len(each.rows), each.rows.live_count, each.record.engine) for each in segments
    ]
    return choose_merge(candidates, settings) is None
