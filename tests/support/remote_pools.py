"""Pools of a cluster in the process of the tests, and what comes back to the local workers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from support.cluster import Cluster, RemoteWorker
from support.patience import deadline, patience
from support.two_servers import until

from pipeline.compute.pool import ComputePool
from pipeline.remote.pool import RemotePool
from pipeline.workers.pool import Pool
from semantik.config.settings import DocumentSettings, Settings


@asynccontextmanager
async def remote_pool(
    cluster: Cluster, local: ComputePool, slots: int = 2, **documents: object
) -> AsyncIterator[RemotePool]:
    given: dict[str, object] = {"ocr_page_timeout_s": patience(), **documents}
    settings = Settings(pool=cluster.settings(), documents=DocumentSettings(**given))  # type: ignore[arg-type]
    async with RemotePool(lambda: settings, local) as pool:
        await _until_slots(pool, slots)
        yield pool


async def until_running(pool: RemotePool, count: int) -> None:
    """The scheduler has given so many tasks to workers."""
    client = pool._cluster._client
    assert client is not None
    given: list[str] = []
    async with deadline():
        while len(given) != count:
            await asyncio.sleep(0.05)
            given = [key for keys in (await client.processing()).values() for key in keys]


async def _until_slots(pool: RemotePool, slots: int) -> None:
    async with deadline():
        await until(lambda: pool._cluster.slots == slots)


def ended_requests(workers: Sequence[RemoteWorker], kind: str) -> list[int]:
    """How many requests of a kind, like "Read", each worker has answered."""
    return [len(re.findall(f"{kind}Request-.* ended after", worker.log.read_text())) for worker in workers]


class Counting:
    """The local pool, which counts what comes back to it."""

    def __init__(self, local: Pool) -> None:
        self._local = local
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> object:
        if name in ("read", "embed", "split", "recognise"):
            self.calls.append(name)
        return getattr(self._local, name)
