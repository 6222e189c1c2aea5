"""The compute pool with local processes: files and texts in, chunks and vectors out.

Runs on the loop. Imports neither torch nor the extractor: the worker processes load them when they are needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import numpy as np
import psutil

from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    ModelInfo,
    ModelSpec,
    Outcome,
    Pages,
    TextChunks,
)
from pipeline.compute.page_messages import PageTask, PageText
from pipeline.workers.batch_workers import BatchWorkers
from pipeline.workers.fork_servers import ForkServers
from pipeline.workers.functions import EMBED_TIMEOUT_S, WorkerFunctions
from pipeline.workers.group import WorkerGroup, run_task
from pipeline.workers.isolation import Isolation
from pipeline.workers.query_worker import QueryWorker
from pipeline.workers.reading import FileReading
from semantik.app.health import ClusterState, IsolationState, WorkerInfo
from semantik.config.settings import Settings

_IDLE_CHECK_S = 1.0


class Pool:
    """Use as `async with Pool(settings) as pool`: entering returns at once, and the workers start in the background.

    `settings()` returns the current settings. The worker for queries starts at once, with the traced model. The
    workers of `read`, `split`, `embed` and `describe`, which have the model itself, start with the first task and end
    after `pool.idle_s` without one. `functions` are what the workers run. `servers` may be shared by pools that are
    used one after the other; by default the pool has its own.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        functions: WorkerFunctions | None = None,
        servers: ForkServers | None = None,
    ) -> None:
        self._settings = settings
        self._functions = functions or WorkerFunctions()
        self._owns_servers = servers is None
        self._servers = servers or ForkServers(settings(), self._functions)
        models = self._servers.traced_models_dir
        self._isolation = isolation = Isolation(settings, self._functions.readable, models)
        self._batch = BatchWorkers(
            settings,
            self._functions,
            self._servers,
            isolation,
            lambda model: self._queries.start_trace_check(model),
        )
        # Workers without a model: for `recognise` and `languages` while no batch worker is up, and for `run`.
        new_group = self._batch.new_group
        self._light = new_group(self._servers.base, eager=False, isolation=isolation.reading)
        self._indexers = new_group(self._servers.base, eager=False, isolation=isolation.indexing)
        self._reading = FileReading(settings, self._functions, self._batch.readers, self._light)
        self._tracers = new_group(self._servers.full, eager=False, isolation=isolation.tracing)
        self._queries = QueryWorker(
            settings, self._functions, self._servers, self._tracers, isolation.reading
        )
        self._reranker = WorkerGroup(
            self._servers.base,
            1,
            memory_bytes=settings().pool.worker_memory_bytes,
            eager=False,
            isolation=isolation.reading,
        )
        self._background: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._background = [
            asyncio.create_task(self._queries.warm_up()),
            asyncio.create_task(self._retire_idle()),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._background:
            task.cancel()
        closing = [self._queries.close(), self._batch.close(), *(each.close() for each in self._groups())]
        await asyncio.gather(*self._background, *closing, return_exceptions=True)
        if self._owns_servers:
            await self._servers.close()

    @property
    def batch_workers(self) -> int:
        """How many tasks of `read`, `split`, `embed` and `recognise` run at the same time."""
        return self._batch.readers.size

    @property
    def is_ready(self) -> bool:
        """Whether a query can be answered at once, or no model was ever used with this data folder."""
        return self._queries.is_ready

    async def wait_ready(self) -> None:
        """Wait until `is_ready`. Raises the error of the present attempt to get ready; further attempts follow."""
        await self._queries.wait_ready()

    async def read(self, files: Sequence[FileTask], options: ChunkingOptions) -> list[Outcome]:
        """Extract and split one batch of files, in order; a file that ends its worker twice is a ReadFailure.

        Raises Invalid when the model cannot be loaded, Unavailable when there are no workers.
        """
        await self._batch.models.prepare(options.model)
        outcomes = await self._reading.read(files, options)
        self._queries.start_trace_check(ModelSpec(options.model, self._settings().embedding.precision))
        return outcomes

    async def split(self, text: str, pages: Pages, options: ChunkingOptions) -> TextChunks:
        """The chunks of a text that was read before; `pages` as in Extracted."""
        return await self._batch.split(text, pages, options)

    async def recognise(self, pages: Sequence[PageTask]) -> list[PageText]:
        """The texts of pages, recognised in a batch worker, or in one without a model if none is up.

        Raises Unavailable when there are no workers.
        """
        return await self._reading.recognise(pages)

    def pages_together(self, file: FileTask, pages: int) -> int:
        """One: the file is on this machine, so asking for several saves nothing."""
        return 1

    async def languages(
        self, paths: Sequence[str], roots: tuple[str, ...], max_bytes: int, limit_s: float
    ) -> list[str]:
        """The languages of files; see `sample_languages`. Raises Unavailable when its worker ends."""
        return await self._reading.languages(paths, roots, max_bytes, limit_s)

    async def embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Vectors of chunks as float16 (n, dimension) of unit length, in order; all workers share a large task.

        Raises Invalid for a model that cannot be loaded or a chunk that ends its worker twice.
        """
        return await self._batch.embed(model, texts)

    async def embed_queries(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Vectors of queries as float32 (n, dimension) of unit length; cancelling a caller does not end the worker."""
        return await self._queries.embed(model, texts)

    async def rerank(self, model: str, query: str, texts: Sequence[str]) -> list[float]:
        """A number for each text from a cross-encoder, in a worker that does nothing else."""
        args = (model, query, list(texts))
        scores: list[float] = await run_task(
            self._reranker, self._functions.rerank, *args, timeout_s=EMBED_TIMEOUT_S
        )
        return scores

    async def describe(self, model: ModelSpec) -> ModelInfo:
        """Load the model and return its properties. Raises Invalid, with one sentence, when it cannot be loaded."""
        return await self._batch.describe(model)

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """The result of an importable function, called in a worker that may change the indexes and opens no documents.

        Raises Unavailable when the worker ends.
        """
        return await run_task(self._indexers, function, *args, timeout_s=timeout_s)

    @property
    def cluster(self) -> ClusterState | None:
        return None

    @property
    def isolation(self) -> IsolationState:
        """What the workers that read files have given up."""
        return self._isolation.state

    def workers(self) -> list[WorkerInfo]:
        """The current processes. Reads /proc for some 10 ms per worker: call it in a thread."""
        pids = [("question", pid) for pid in self._queries.pids()]
        groups = self._groups() | {self._batch.readers, self._batch.embedders}
        pids += [("batch", pid) for group in groups for pid in group.pids()]
        pids += [("tracing", pid) for pid in self._tracers.temporary_pids()]
        infos = []
        for role, pid in pids:
            with suppress(psutil.NoSuchProcess):
                infos.append(WorkerInfo(pid, role, psutil.Process(pid).memory_full_info().uss))
        return infos

    def _groups(self) -> set[WorkerGroup]:
        return {
            self._light,
            self._indexers,
            self._tracers,
            self._reranker,
        }

    async def _retire_idle(self) -> None:
        """End workers, and the full fork server, after `pool.idle_s` without a task."""
        while True:
            idle_s = self._settings().pool.idle_s
            await asyncio.sleep(min(_IDLE_CHECK_S, idle_s / 4 or _IDLE_CHECK_S))
            for group in (self._light, self._indexers, self._reranker):
                if idle_s and group.idle_s >= idle_s:
                    group.retire()
            idle = min(self._batch.idle_s, self._tracers.idle_s)
            if idle_s and idle >= idle_s and self._servers.full.pid() is not None:
                self._batch.retire()
                self._queries.reset_trace_checks()
                await self._servers.stop_full()  # a task that arrives meanwhile starts it again afterwards
