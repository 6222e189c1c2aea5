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
from semantik.config.settings import Settings


class LightPool(Pool):
    """Embeds queries on the loop, so that there are no processes before the first file."""

    def __init__(self, settings: Callable[[], Settings], servers: ForkServers | None = None) -> None:
        super().__init__(settings, light_model.FUNCTIONS, servers)

    async def embed_questions(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        light_model.describe(model)
        return light_model.vectors(texts)

    async def _warm(self) -> None:
        self._attempt.set_result(None)


@contextmanager
def light_pools(data: Path) -> Iterator[partial[LightPool]]:
    """What makes pools in this process, one after the other, whose fork servers outlive them."""
    servers = ForkServers(Settings(data=data), light_model.FUNCTIONS)
    yield partial(LightPool, servers=servers)
    asyncio.run(servers.close())
