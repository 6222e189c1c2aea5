"""Queries become vectors: queries that arrive together are embedded together, repeated ones come from a cache.

Runs on the loop. It knows the pool as an async callable only.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from semantik.config import settings
from semantik.core.errors import Busy, Unavailable

Vector = NDArray[np.float32]
Embed = Callable[[str, str, Sequence[str]], Awaitable[Vector]]

_BATCH_SIZE = 8  # larger batches gain little, and the first query waits for the last
_MAX_QUEUED = 1000


class QueryEmbedder:
    """`embed(model, precision, texts)` returns unit vectors (n, dimension); `limits()` are the present settings."""

    def __init__(self, embed: Embed, limits: Callable[[], settings.SearchSettings]) -> None:
        self._embed = embed
        self._limits = limits
        self._cache: OrderedDict[tuple[str, str, str], Vector] = OrderedDict()
        self._pending: dict[tuple[str, str, str], asyncio.Future[Vector]] = {}
        self._queues: dict[tuple[str, str], deque[str]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._last_model: tuple[str, str] | None = None

    def prefetch(self, text: str) -> None:
        """Start to embed a query with the model of the last `embed`, before the query's collections are known.

        It is hardly ever another model. `embed` then waits for this call instead of starting its own.
        """
        if (
            self._last_model is not None
            and (*self._last_model, text) not in self._cache
            and self._limits().cache_queries
        ):
            with suppress(Busy):
                self._enqueue(*self._last_model, text)

    async def embed(self, model: str, precision: str, text: str, timeout_s: float | None = None) -> Vector:
        """The unit vector (dimension,) of a query.

        Raises Unavailable after `timeout_s`, by default `search.timeout_s`; Busy when too many wait.
        """
        self._last_model = (model, precision)
        key = (model, precision, text)
        if (cached := self._cache.get(key)) is not None:
            self._cache.move_to_end(key)
            return cached
        future = self._enqueue(model, precision, text)
        try:
            # The shield keeps the future alive for other callers with the same query.
            async with asyncio.timeout(timeout_s or self._limits().timeout_s):
                return await asyncio.shield(future)
        except TimeoutError as error:
            raise Unavailable("The model is busy or still loading; please ask again shortly.", 5) from error

    def _enqueue(self, model: str, precision: str, text: str) -> asyncio.Future[Vector]:
        if (future := self._pending.get((model, precision, text))) is not None:
            return future
        queue = self._queues.setdefault((model, precision), deque())
        if len(queue) >= _MAX_QUEUED:
            raise Busy(f"{_MAX_QUEUED} queries wait already; please ask again shortly.")
        queue.append(text)
        future = self._pending[model, precision, text] = asyncio.get_running_loop().create_future()
        if (model, precision) not in self._tasks:
            self._tasks[model, precision] = asyncio.create_task(self._drain(model, precision))
        return future

    async def close(self) -> None:
        """Stop embedding; callers that still wait get Unavailable."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for future in self._pending.values():
            _fail(future, Unavailable("The server is shutting down."))

    async def _drain(self, model: str, precision: str) -> None:
        queue = self._queues[model, precision]
        try:
            while queue:
                texts = [queue.popleft() for _ in range(min(_BATCH_SIZE, len(queue)))]
                await self._embed_batch(model, precision, texts)
        finally:
            del self._tasks[model, precision]

    async def _embed_batch(self, model: str, precision: str, texts: list[str]) -> None:
        try:
            vectors = await self._embed(model, precision, texts)
        except BaseException as error:
            closing = isinstance(error, asyncio.CancelledError)
            for text in texts:
                future = self._pending.pop((model, precision, text))
                _fail(future, Unavailable("The server is shutting down.") if closing else error)
            if not isinstance(error, Exception):
                raise
            return
        for text, vector in zip(texts, vectors, strict=True):
            self._cache[model, precision, text] = vector
            self._pending.pop((model, precision, text)).set_result(vector)
        while len(self._cache) > self._limits().cache_queries:
            self._cache.popitem(last=False)


def _fail(future: asyncio.Future[Vector], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # marks it as retrieved: when nobody waits any more, asyncio would log it
