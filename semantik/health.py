"""Whether the parts are there: one question, asked of plain callables that the wiring gives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """`pool` is "loading" until the model answers; then "ready"."""

    mongo: bool
    redis: bool
    pool: str

    @property
    def status(self) -> str:
        return "ok" if self.mongo and self.redis else "degraded"


class Health:
    """`mongo()` and `redis()` tell whether the store answers, `ready()` whether the model is loaded."""

    def __init__(
        self,
        mongo: Callable[[], Awaitable[bool]],
        redis: Callable[[], Awaitable[bool]],
        ready: Callable[[], bool],
    ) -> None:
        self._mongo = mongo
        self._redis = redis
        self._ready = ready

    async def look(self) -> State:
        mongo, redis = await asyncio.gather(self._mongo(), self._redis())
        return State(mongo, redis, "ready" if self._ready() else "loading")
