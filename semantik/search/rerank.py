"""Rerank, an optional step of a search: a cross-encoder reads the query with each of the best hits.

Runs on the loop. It knows the pool as an async callable only. A search never waits longer than its budget: hits that
were not scored by then keep their place.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from semantik.config import settings
from semantik.core.errors import SemantikError
from semantik.search.hits import Hit

CANDIDATES = 30  # best hits that are scored; the right one is hardly ever further down
_BATCH = 5  # of them in one call: small, so that what was scored in time counts
_MAX_WAITING = 4  # searches that wait for the model; further ones are not reranked
_RETRY_S = 60.0  # after the model could not be loaded
Score = Callable[[str, str, Sequence[str]], Awaitable[Sequence[float]]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reranked:
    """`hits` in their new order; `failure` says, for a person, why the model could not be used."""

    hits: tuple[Hit, ...]
    failure: str | None = None


class Reranker:
    """`score(model, query, texts)` returns a number for each text; `limits()` are the present settings."""

    def __init__(self, score: Score, limits: Callable[[], settings.SearchSettings]) -> None:
        self._score = score
        self._limits = limits
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._calls: set[asyncio.Task[Sequence[float]]] = set()
        self._failure: tuple[str, str, float] | None = None  # model, reason, when it may be tried again

    @property
    def is_on(self) -> bool:
        """Whether a model is set."""
        return bool(self._limits().reranker)

    async def rerank(self, query: str, hits: Sequence[Hit]) -> Reranked:
        """The hits with the best CANDIDATES in the model's order, as far as it scores them within the budget."""
        limits = self._limits()
        if not limits.reranker or not query or len(hits) < 2:
            return Reranked(tuple(hits))
        now = asyncio.get_running_loop().time()
        if self._failure is not None and self._failure[0] == limits.reranker and now < self._failure[2]:
            return Reranked(tuple(hits), self._failure[1])
        texts = [hit.chunk.embedded for hit in hits[:CANDIDATES]]
        try:
            scores = await self._score_in_time(
                limits.reranker, query, texts, now + limits.rerank_budget_ms / 1000
            )
        except SemantikError as error:
            _log.warning("the hits were not reranked: %s", error)
            self._failure = (limits.reranker, str(error), now + _RETRY_S)
            return Reranked(tuple(hits), str(error))
        self._failure = None
        return Reranked(_reordered(hits, scores))

    async def close(self) -> None:
        """Wait for no call any more."""
        for call in list(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _score_in_time(
        self, model: str, query: str, texts: Sequence[str], deadline: float
    ) -> list[float]:
        """The scores of the first texts, as many as are there before the deadline, a time of the loop."""
        scores: list[float] = []
        if self._waiting >= _MAX_WAITING:
            return scores
        self._waiting += 1
        try:
            for start in range(0, len(texts), _BATCH):
                batch = texts[start : start + _BATCH]
                call = asyncio.create_task(self._call(model, query, batch, deadline), name="rerank")
                self._calls.add(call)
                call.add_done_callback(self._forget)
                await asyncio.wait({call}, timeout=deadline - asyncio.get_running_loop().time())
                if not call.done() or len(call.result()) < len(batch):
                    break  # cancelling it would end the worker, which has the model in its memory
                scores += call.result()
        finally:
            self._waiting -= 1
        return scores

    async def _call(self, model: str, query: str, texts: Sequence[str], deadline: float) -> Sequence[float]:
        async with self._lock:
            if asyncio.get_running_loop().time() >= deadline:
                return []
            return await self._score(model, query, texts)

    def _forget(self, call: asyncio.Task[Sequence[float]]) -> None:
        self._calls.discard(call)
        if not call.cancelled() and (error := call.exception()) is not None:
            # The search that made the call may have ended: the next one learns of it.
            if isinstance(error, SemantikError):
                retry_at = asyncio.get_running_loop().time() + _RETRY_S
                self._failure = (self._limits().reranker, str(error), retry_at)
            else:
                _log.error("the hits were not reranked", exc_info=error)


def _reordered(hits: Sequence[Hit], scores: Sequence[float]) -> tuple[Hit, ...]:
    """The hits, the first of which have scores: these by their scores, the others behind them as they were."""
    scored = [
        replace(hit, scores=replace(hit.scores, rerank=score))
        for hit, score in zip(hits, scores, strict=False)
    ]
    best_first = sorted(range(len(scored)), key=lambda index: -scores[index])
    return (*(scored[index] for index in best_first), *hits[len(scored) :])
