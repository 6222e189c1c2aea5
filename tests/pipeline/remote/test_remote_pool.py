"""A pool with a real scheduler and real workers on this machine, over TLS: it gives what local workers give."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import run
from support.cluster import Cluster
from support.patience import deadline
from support.pools import MODEL, OPTIONS, fork_servers, ready_pool, tasks_of
from support.server import SAMPLES

from pipeline.compute.messages import FileTask, ReadContainer, ReadDocument, ReadFailure
from pipeline.remote.pool import RemotePool
from pipeline.workers.pool import Pool
from semantik.config.settings import DocumentSettings, Settings
from semantik.core.errors import ConfigError, Invalid

pytestmark = [pytest.mark.usefixtures("light_fork_server"), pytest.mark.server]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.start_workers()
        yield cluster


@asynccontextmanager
async def _remote(cluster: Cluster, local: Pool, slots: int = 2, **documents: object) -> AsyncIterator[RemotePool]:
    settings = Settings(pool=cluster.settings(), documents=DocumentSettings(**documents))  # type: ignore[arg-type]
    async with RemotePool(lambda: settings, local) as pool:
        await _until_slots(pool, slots)
        yield pool


async def _until_slots(pool: RemotePool, slots: int) -> None:
    async with deadline():
        while pool._cluster.slots != slots:
            await asyncio.sleep(0.02)


def _samples() -> list[FileTask]:
    return [
        FileTask(each.name, str(each), each.stat().st_size, roots=("/",)) for each in sorted(SAMPLES.iterdir())
    ]


def test_files_and_vectors_are_those_of_local_workers(cluster: Cluster) -> None:
    async def test() -> None:
        async with ready_pool() as local, _remote(cluster, local) as pool:
            assert pool.batch_workers == 2
            here, there = await local.read(_samples(), OPTIONS), await pool.read(_samples(), OPTIONS)
            assert here == there
            texts = [chunk.text for one in there if isinstance(one, ReadDocument) for chunk in one.chunks]
            assert np.allclose(await local.embed(MODEL, texts), await pool.embed(MODEL, texts), atol=1e-3)

    run(test())
