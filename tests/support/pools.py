"""Pools in the process of the tests. They share fork servers, so that their model is loaded once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from support.patience import patience

from pipeline.compute.messages import ChunkingOptions, FileTask, ModelSpec
from pipeline.workers.fork_servers import ForkServers
from pipeline.workers.functions import WorkerFunctions
from pipeline.workers.pool import Pool
from semantik.config.settings import DocumentSettings, EmbeddingSettings, PoolSettings, Settings

MODEL = ModelSpec("sentence-transformers/all-MiniLM-L6-v2", "auto")
OPTIONS = ChunkingOptions(MODEL.name, 200, 20)
MEMORY = 512 << 20
_shared: list[tuple[ForkServers, WorkerFunctions]] = []


def share_fork_servers(data: Path, functions: WorkerFunctions) -> None:
    """Have all pools use the same ones until `end_fork_servers`; traced models are stored in a folder of `data`."""
    data.mkdir(exist_ok=True)
    _shared.append((ForkServers(Settings(data=data), functions), functions))


def fork_servers() -> ForkServers:
    return _shared[-1][0]


def end_fork_servers() -> None:
    servers, _ = _shared.pop()
    asyncio.run(servers.close())


@asynccontextmanager
async def ready_pool(
    workers: int = 2,
    file_timeout_s: float = 60,
    batch_chunks: int = 256,
    idle_s: float = 0,
    niceness: int = 0,
) -> AsyncIterator[Pool]:
    """A pool that can answer queries; its batch workers come with the first task."""
    settings = Settings(
        # Without a niceness: pools of other tests at the same time would go before its workers.
        pool=PoolSettings(workers=workers, worker_memory_bytes=MEMORY, idle_s=idle_s, niceness=niceness),
        documents=DocumentSettings(file_timeout_s=file_timeout_s, ocr_page_timeout_s=patience()),
        embedding=EmbeddingSettings(batch_chunks=batch_chunks),
    )
    servers, functions = _shared[-1]
    async with Pool(lambda: settings, functions, servers) as pool:
        await pool.wait_ready()
        yield pool


def tasks_of(folder: Path, *names: str) -> list[FileTask]:
    for name in names:
        (folder / name).write_text(f"The file {name} tells of the lighthouse.")
    return [FileTask(f"id-{name}", str(folder / name), 100, roots=("/",)) for name in names]
