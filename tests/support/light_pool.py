"""The pool of real worker processes with the light model in them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from support import light_model

from pipeline.compute.messages import ModelSpec
from pipeline.workers.fork_servers import ForkServers
from pipeline.workers.pool import Pool
from pipeline.workers.query_worker import QueryWorker
from semantik.config.settings import Settings


class LightQueryWorker(QueryWorker):
    """Embeds queries on the loop, so that there are no processes before the first file."""

    async def warm_up(self) -> None:
        self._ready.set_result(None)

    async def embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        light_model.describe(model)
        return light_model.vectors(texts)


class LightPool(Pool):
    def __init__(self, settings: Callable[[], Settings], servers: ForkServers | None = None) -> None:
        super().__init__(settings, light_model.FUNCTIONS, servers)
        self._queries = LightQueryWorker(
            settings, light_model.FUNCTIONS, self._servers, self._tracers, self._isolation.reading
        )


@contextmanager
def light_pools(data: Path) -> Iterator[partial[LightPool]]:
    """What makes pools in this process, one after the other, whose fork servers outlive them."""
    servers = ForkServers(Settings(data=data), light_model.FUNCTIONS)
    yield partial(LightPool, servers=servers)
    asyncio.run(servers.close())
