"""Bounds the chunks in memory between reading and writing. Knows nothing of documents. Runs on the loop."""

from __future__ import annotations

import asyncio

_CHUNKS = 50_000  # some 100 MB of texts and vectors
_SMALL = (
    500  # chunks; documents up to this size have a bound of their own, so that large ones cannot use it up
)
_SMALL_CHUNKS = 10_000


class ChunkBudget:
    """The chunks of a document are acquired together once it is read, and released once it is written."""

    def __init__(self) -> None:
        self._large = _Limit(_CHUNKS)
        self._small = _Limit(_SMALL_CHUNKS)

    async def acquire(self, chunks: int) -> None:
        await self._limit(chunks).acquire(chunks)

    def release(self, chunks: int) -> None:
        self._limit(chunks).release(chunks)

    def _limit(self, chunks: int) -> _Limit:
        return self._small if chunks <= _SMALL else self._large


class _Limit:
    """A document larger than the whole limit is admitted when nothing else is in use."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._released = asyncio.Event()

    async def acquire(self, count: int) -> None:
        while self._used and self._used + count > self._limit:
            self._released.clear()
            await self._released.wait()
        self._used += count

    def release(self, count: int) -> None:
        self._used -= count
        self._released.set()
