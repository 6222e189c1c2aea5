"""An index on its own, as a server has it, with a process that merges; and the wait until it has come to rest."""

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

_NICE = 10  # as the workers of the pool are


def one_process() -> ProcessPoolExecutor:
    """Like a worker of the pool: nice, and with one thread."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), os.nice, (_NICE,))


@asynccontextmanager
async def an_index(
    directory: Path, dimension: int, name: str = "bench", generation: int = 0
) -> AsyncIterator[VectorIndex]:
    """The index of a generation of the collection `name`, in the directory."""
    with one_process() as pool:

        async def run(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
            return await asyncio.wait_for(asyncio.wrap_future(pool.submit(function, *args)), timeout_s)

        indexes = IndexRegistry(directory, IndexSettings(), run)
        try:
            yield await indexes.open(name, generation, dimension)
        finally:
            await indexes.close()


async def at_rest(index: VectorIndex) -> None:
    """Until all is saved and merged, and found by its engine."""
    settings = IndexSettings()
    while not _is_at_rest(index, settings):  # noqa: ASYNC110 (a server has no use for such an event)
        await asyncio.sleep(0.05)


def _is_at_rest(index: VectorIndex, settings: IndexSettings) -> bool:
    segments = index._state.snapshot.segments
    if index.stats().unsaved > settings.tail_rows or any(segment.engine_pending for segment in segments):
        return False
    seen = [MergeCandidate(len(each.rows), each.rows.live_count, each.record.engine) for each in segments]
    return choose_merge(seen, settings) is None
