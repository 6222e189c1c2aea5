"""The compute pool with local processes: files and texts in, chunks and vectors out.

Runs on the loop. Imports neither torch nor the extractor: the worker processes load them when they are needed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
import psutil

from pipeline import failpoints
from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    ModelInfo,
    ModelSpec,
    Outcome,
    Pages,
    ReadFailure,
    TextChunks,
)
from pipeline.compute.page_messages import PageTask, PageText
from pipeline.embedding import device
from pipeline.workers.client import WorkerDied
from pipeline.workers.file_reading import time_limit_s
from pipeline.workers.fork_servers import ForkServers
from pipeline.workers.functions import EMBED_TIMEOUT_S, WorkerFunctions
from pipeline.workers.group import WorkerGroup, run_task
from pipeline.workers.page_recognition import PageOptions, timed_out
from pipeline.workers.query_worker import QueryWorker
from pipeline.workers.read_options import ReadOptions
from semantik.app.health import WorkerInfo
from semantik.config.settings import Settings
from semantik.core.errors import Invalid

_IDLE_CHECK_S = 1.0
_GPU_BATCH_FACTOR = 8  # more chunks in a task for a GPU, which computes many times as fast
_WAIT_S = 10.0  # beyond the time after which a worker ends itself, in case it is stopped


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
        size = settings().pool.workers or os.cpu_count() or 1
        memory = settings().pool.worker_memory_bytes
        new_group = partial(
            WorkerGroup,
            size=size,
            nice=True,
            memory_bytes=memory,
            rest_bytes=settings().pool.worker_rest_bytes,
            slots=asyncio.Semaphore(size),
        )
        self._batch = new_group(self._servers.full)
        # With GPUs, the batch workers read files on the processor's cores, and one worker for each GPU embeds.
        gpus = device.find(settings().embedding.device)
        self._embedders = self._batch
        if gpus != (device.CPU,):
            full = self._servers.full
            self._embedders = WorkerGroup(full, len(gpus), nice=True, memory_bytes=memory, devices=gpus)
        # Workers without a model, for `run` while no batch worker is up.
        self._light = new_group(self._servers.base, eager=False)
        self._queries = QueryWorker(settings, self._functions, self._servers, self._batch)
        self._reranker = WorkerGroup(self._servers.base, 1, nice=False, memory_bytes=memory, eager=False)
        self._model_infos: dict[ModelSpec, ModelInfo] = {}
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
        closing = [self._queries.close(), *(each.close() for each in self._groups())]
        await asyncio.gather(*self._background, *closing, return_exceptions=True)
        if self._owns_servers:
            await self._servers.close()

    @property
    def batch_workers(self) -> int:
        """How many tasks of `read`, `split` and `embed` run at the same time."""
        return self._batch.size

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
        try:
            return await self._read(files, options)
        except WorkerDied as death:
            if len(files) == 1 and death.timed_out:
                return [self._failure(files[0], death)]
        return list(await asyncio.gather(*(self._read_alone(file, options) for file in files)))

    async def _read(self, files: Sequence[FileTask], options: ChunkingOptions) -> list[Outcome]:
        limits = self._settings().documents
        read_options = ReadOptions.of(self._settings(), failpoints.armed())
        timeout_s = EMBED_TIMEOUT_S + sum(
            time_limit_s(file, limits.max_file_bytes, limits.file_timeout_s) for file in files
        )
        outcomes: list[Outcome] = await self._batch.run(
            self._functions.read_files, tuple(files), options, read_options, timeout_s=timeout_s
        )
        self._queries.start_trace_check(ModelSpec(options.model, read_options.precision))
        return outcomes

    async def _read_alone(self, file: FileTask, options: ChunkingOptions) -> Outcome:
        try:
            return (await self._read([file], options))[0]
        except WorkerDied as death:
            return self._failure(file, death)

    def _failure(self, file: FileTask, death: WorkerDied) -> ReadFailure:
        if death.timed_out:
            message = f"Reading it took longer than the {self._settings().documents.file_timeout_s:g} seconds allowed."
            return ReadFailure(file.document_id, "timeout", message, False)
        limit = self._settings().pool.worker_memory_bytes >> 20
        message = (
            f"Reading it needs more memory than the {limit} MB of pool.worker_memory_bytes."
            if death.out_of_memory
            else f"Reading it failed: {death}, perhaps for lack of memory."
        )
        return ReadFailure(file.document_id, "worker_died", message, False)

    async def split(self, text: str, pages: Pages, options: ChunkingOptions) -> TextChunks:
        """The chunks of a text that was read before; `pages` as in Extracted."""
        precision = self._settings().embedding.precision
        chunks: TextChunks = await run_task(
            self._batch,
            self._functions.split_text,
            text,
            pages,
            options,
            precision,
            timeout_s=EMBED_TIMEOUT_S,
        )
        self._queries.start_trace_check(ModelSpec(options.model, precision))
        return chunks

    async def recognise(self, page: PageTask) -> PageText:
        """The text of a page, recognised in a batch worker, or in one without a model if none is up.

        Raises Unavailable when there are no workers.
        """
        limits = self._settings().documents
        options = PageOptions(
            limits.max_file_bytes,
            tuple(map(str, self._settings().private_paths)),
            limits.ocr_page_timeout_s,
            failpoints.armed(),
        )
        group = self._batch if self._batch.is_up else self._light
        try:
            text: PageText = await group.run(
                self._functions.recognise_page, page, options, timeout_s=options.limit_s + _WAIT_S
            )
            return text
        except WorkerDied as death:
            problem = (
                timed_out(limits.ocr_page_timeout_s)
                if death.timed_out
                else f"its recognition failed: {death}"
            )
            return PageText("", problem=problem)

    async def embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Vectors of chunks as float16 (n, dimension) of unit length, in order; all workers share a large task.

        Raises Invalid for a model that cannot be loaded or a chunk that ends its worker twice.
        """
        if not texts:
            return np.empty((0, (await self.describe(model)).dimension), np.float16)
        factor = 1 if self._embedders is self._batch else _GPU_BATCH_FACTOR
        size = self._settings().embedding.batch_chunks * factor
        batches = [texts[start : start + size] for start in range(0, len(texts), size)]
        return np.concatenate(await asyncio.gather(*(self._embed(model, batch) for batch in batches)))

    async def _embed(self, model: ModelSpec, texts: Sequence[str], is_retry: bool = False) -> np.ndarray:
        """As `embed`; when the worker dies, each half is tried again, to find the chunk that ends it."""
        try:
            vectors: np.ndarray = await self._embedders.run(
                self._functions.embed, model, list(texts), failpoints.armed(), timeout_s=EMBED_TIMEOUT_S
            )
            self._queries.start_trace_check(model)
            return vectors
        except WorkerDied as death:
            if len(texts) == 1 and is_retry:
                raise Invalid(f"The chunk “{texts[0][:60]}…” cannot be embedded: {death}.") from death
        if len(texts) == 1:
            return await self._embed(model, texts, is_retry=True)
        half = len(texts) // 2
        return np.concatenate(
            await asyncio.gather(self._embed(model, texts[:half]), self._embed(model, texts[half:]))
        )

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
        if model not in self._model_infos:
            self._model_infos[model] = await run_task(
                self._embedders, self._functions.describe, model, timeout_s=EMBED_TIMEOUT_S
            )
            self._queries.start_trace_check(model)
        return self._model_infos[model]

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """The result of an importable function, called in a batch worker, or in one without a model if none is up.

        Raises Unavailable when the worker ends.
        """
        group = self._batch if self._batch.is_up else self._light
        return await run_task(group, function, *args, timeout_s=timeout_s)

    def workers(self) -> list[WorkerInfo]:
        """The current processes. Reads /proc for some 10 ms per worker: call it in a thread."""
        pids = [("question", pid) for pid in self._queries.pids()]
        pids += [("batch", pid) for group in self._groups() for pid in group.pids()]
        pids += [("tracing", pid) for pid in self._batch.temporary_pids()]
        infos = []
        for role, pid in pids:
            with suppress(psutil.NoSuchProcess):
                infos.append(WorkerInfo(pid, role, psutil.Process(pid).memory_full_info().uss))
        return infos

    def _groups(self) -> set[WorkerGroup]:
        return {self._batch, self._embedders, self._light, self._reranker}

    async def _retire_idle(self) -> None:
        """End workers, and the full fork server, after `pool.idle_s` without a task."""
        while True:
            idle_s = self._settings().pool.idle_s
            await asyncio.sleep(min(_IDLE_CHECK_S, idle_s / 4 or _IDLE_CHECK_S))
            if idle_s and self._light.idle_s >= idle_s:
                self._light.retire()
            if idle_s and self._reranker.idle_s >= idle_s:
                self._reranker.retire()
            idle = min(self._batch.idle_s, self._embedders.idle_s)
            if idle_s and idle >= idle_s and self._servers.full.pid() is not None:
                self._batch.retire()
                self._embedders.retire()
                self._queries.reset_trace_checks()
                await self._servers.stop_full()  # a task that arrives meanwhile starts it again afterwards
