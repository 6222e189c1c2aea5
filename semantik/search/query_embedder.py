"""Questions become vectors: those that arrive together are embedded together, repeated ones remembered.

Knows nothing of the pool but a plain async callable.
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

_TOGETHER = 8  # more would gain little, and the first wait for the last
_WAITING = 1000


class QueryEmbedder:
    """`embed(model, precision, texts)` gives float32 (n, dimension) of unit length; `rules()` are the limits now."""

    def __init__(self, embed: Embed, rules: Callable[[], settings.SearchSettings]) -> None:
        self._embed = embed
        self._rules = rules
        self._known: OrderedDict[tuple[str, str, str], Vector] = OrderedDict()
        self._asked: dict[tuple[str, str, str], asyncio.Future[Vector]] = {}  # all without an answer yet
        self._waiting: dict[tuple[str, str], deque[str]] = {}
        self._busy: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._last: tuple[str, str] | None = None

    def prefetch(self, text: str) -> None:
        """Begin to embed a question with the model that was asked for last: it is hardly ever another, and who asks
        need not be known for that. `vector` then finds it under way."""
        if (
            self._last is not None
            and (*self._last, text) not in self._known
            and self._rules().cache_questions
        ):
            with suppress(Busy):
                self._begin(*self._last, text)

    async def embed(self, model: str, precision: str, text: str) -> Vector:
        """The vector (dimension,) of a question; raises Unavailable after the deadline."""
        self._last = (model, precision)
        key = (model, precision, text)
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return known
        future = self._begin(model, precision, text)
        try:
            # The shield lets others who asked the same wait on when this one gives up.
            return await asyncio.wait_for(asyncio.shield(future), self._rules().timeout_s)
        except TimeoutError as error:
            raise Unavailable("The model is busy or still loading; please ask again shortly.", 5) from error

    def _begin(self, model: str, precision: str, text: str) -> asyncio.Future[Vector]:
        if (future := self._asked.get((model, precision, text))) is not None:
            return future
        waiting = self._waiting.setdefault((model, precision), deque())
        if len(waiting) >= _WAITING:
            raise Busy(f"{_WAITING} questions wait already; please ask again shortly.")
        waiting.append(text)
        future = self._asked[model, precision, text] = asyncio.get_running_loop().create_future()
        if (model, precision) not in self._busy:
            self._busy[model, precision] = asyncio.create_task(self._work(model, precision))
        return future

    async def close(self) -> None:
        """Stop embedding; whoever still waits gets Unavailable."""
        for task in list(self._busy.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for future in self._asked.values():
            _refuse(future, Unavailable("The server is shutting down."))

    async def _work(self, model: str, precision: str) -> None:
        waiting = self._waiting[model, precision]
        try:
            while waiting:
                texts = [waiting.popleft() for _ in range(min(_TOGETHER, len(waiting)))]
                await self._answer(model, precision, texts)
        finally:
            del self._busy[model, precision]

    async def _answer(self, model: str, precision: str, texts: list[str]) -> None:
        try:
            vectors = await self._embed(model, precision, texts)
        except BaseException as error:
            ended = isinstance(error, asyncio.CancelledError)
            for text in texts:
                future = self._asked.pop((model, precision, text))
                _refuse(future, Unavailable("The server is shutting down.") if ended else error)
            if not isinstance(error, Exception):
                raise
            return
        for text, vector in zip(texts, vectors, strict=True):
            self._known[model, precision, text] = vector
            self._asked.pop((model, precision, text)).set_result(vector)
        while len(self._known) > self._rules().cache_questions:
            self._known.popitem(last=False)


def _refuse(future: asyncio.Future[Vector], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # nobody may be waiting any more, and that is no news for the log
