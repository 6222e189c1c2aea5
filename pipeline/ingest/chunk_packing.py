"""Packs the chunks of several documents into embedding tasks. Runs on the loop.

Each document that was read gets a share of the next task, so that large files do not delay small ones.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from pipeline.ingest.partial_document import PartialDocument
from semantik.config.settings import Settings

_MIN_SHARE = 16  # chunks of one document in a task, so that a task does not consist of too many documents
_MIN_FINAL_BATCH = 32  # chunks in one of the last tasks: smaller tasks cost more to send than to compute


@dataclass(frozen=True)
class ChunkSlice:
    """The chunks of one document in one embedding task, by their positions."""

    partial: PartialDocument
    positions: list[int]

    @property
    def texts(self) -> list[str]:
        """What the model reads of each."""
        chunks = self.partial.read.chunks
        return [chunks.embedded(position) for position in self.positions]


async def embedding_tasks(
    incoming: asyncio.Queue[PartialDocument | None], get_settings: Callable[[], Settings], concurrency: int
) -> AsyncIterator[list[ChunkSlice]]:
    """Tasks of up to `embedding.batch_chunks` chunks until None comes in; none waits for more files to be read."""
    queue: deque[PartialDocument] = deque()
    reading = True
    while reading or queue:
        while reading and not (queue and incoming.empty()):
            partial = await incoming.get()
            if partial is None:
                reading = False
            else:
                queue.append(partial)
        if queue:
            size = get_settings().embedding.batch_chunks
            yield pack(queue, size if reading else final_batch_size(queue, size, concurrency))


def pack(queue: deque[PartialDocument], budget: int) -> list[ChunkSlice]:
    """Fill a task of `budget` chunks; documents that have chunks left go to the end of the queue."""
    slices: list[ChunkSlice] = []
    while budget and queue:
        partial = queue.popleft()
        share = max(_MIN_SHARE, budget // (len(queue) + 1))
        positions = partial.pending[partial.packed : partial.packed + min(budget, share)]
        slices.append(ChunkSlice(partial, positions))
        partial.packed += len(positions)
        budget -= len(positions)
        if _unpacked(partial):
            queue.append(partial)
    return slices


def final_batch_size(queue: Iterable[PartialDocument], limit: int, concurrency: int) -> int:
    """Chunks of the next task when all files are read: ever fewer, so that all workers finish at the same time."""
    remaining = sum(_unpacked(partial) for partial in queue)
    return min(limit, max(_MIN_FINAL_BATCH, remaining // concurrency))


def _unpacked(partial: PartialDocument) -> int:
    return len(partial.pending) - partial.packed
