"""The worker processes with the model, which read files and embed chunks. Runs on the loop.

A server's pool has them, and so has a worker of a cluster.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from pipeline import failpoints
from pipeline.compute.messages import ChunkingOptions, ModelInfo, ModelSpec, Pages, TextChunks
from pipeline.embedding import device
from pipeline.workers.client import WorkerDied
from pipeline.workers.fair_slots import FairSlots
from pipeline.workers.fork_servers import ForkServers
from pipeline.workers.functions import EMBED_TIMEOUT_S, WorkerFunctions
from pipeline.workers.group import WorkerGroup, run_task
from pipeline.workers.isolation import Isolation
from pipeline.workers.model_preparation import ModelPreparation
from semantik.config.settings import Settings
from semantik.core.errors import Invalid

_GPU_BATCH_FACTOR = 8  # more chunks in a task for a GPU, which computes many times as fast


class BatchWorkers:
    """`readers` read files and split texts, and `embedders` embed: the same processes, unless there are GPUs.

    They start with the first task. After each task, `on_model_used` gets the model that is loaded by now.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        functions: WorkerFunctions,
        servers: ForkServers,
        isolation: Isolation,
        on_model_used: Callable[[ModelSpec], None],
    ) -> None:
        self._settings = settings
        self._functions = functions
        self._servers = servers
        self._on_model_used = on_model_used
        pool = settings().pool
        size = pool.workers or os.cpu_count() or 1
        self.new_group = partial(
            WorkerGroup,
            size=size,
            niceness=pool.niceness,
            memory_bytes=pool.worker_memory_bytes,
            rest_bytes=pool.worker_rest_bytes,
            slots=FairSlots(size, max(1, size // 2), lambda: settings().pool.fair_wait_s),
        )
        """Makes further groups of the same size, which share the processor with these."""
        self.readers = self.new_group(servers.full, isolation=isolation.reading)
        # With GPUs, the readers use the processor's cores, and one worker for each GPU embeds.
        gpus = device.find(settings().embedding.device)
        self.embedders = self.readers
        if gpus != (device.CPU,):
            self.embedders = WorkerGroup(
                servers.full,
                len(gpus),
                niceness=pool.niceness,
                memory_bytes=pool.worker_memory_bytes,
                devices=gpus,
                isolation=isolation.computing,
            )
        self.models = ModelPreparation(
            functions, servers.base, pool.niceness, pool.worker_memory_bytes, isolation
        )
        self._model_infos: dict[ModelSpec, ModelInfo] = {}

    async def split(self, text: str, pages: Pages, options: ChunkingOptions) -> TextChunks:
        """The chunks of a text that was read before; `pages` as in Extracted."""
        await self.models.prepare(options.model)
        precision = self._settings().embedding.precision
        chunks: TextChunks = await run_task(
            self.readers,
            self._functions.split_text,
            text,
            pages,
            options,
            precision,
            timeout_s=EMBED_TIMEOUT_S,
        )
        self._on_model_used(ModelSpec(options.model, precision))
        return chunks

    async def embed(self, model: ModelSpec, texts: Sequence[str], failpoint: str | None = None) -> np.ndarray:
        """Vectors of chunks as float16 (n, dimension) of unit length, in order; all workers share a large task.

        Raises Invalid for a model that cannot be loaded or a chunk that ends its worker twice. `failpoint` is the
        server's, None where it is this process.
        """
        if not texts:
            return np.empty((0, (await self.describe(model)).dimension), np.float16)
        await self.models.prepare(model.name)
        armed = failpoints.armed() if failpoint is None else failpoint
        factor = 1 if self.embedders is self.readers else _GPU_BATCH_FACTOR
        size = self._settings().embedding.batch_chunks * factor
        batches = [texts[start : start + size] for start in range(0, len(texts), size)]
        return np.concatenate(await asyncio.gather(*(self._embed(model, batch, armed) for batch in batches)))

    async def _embed(
        self, model: ModelSpec, texts: Sequence[str], failpoint: str, is_retry: bool = False
    ) -> np.ndarray:
        """As `embed`; when the worker dies, each half is tried again, to find the chunk that ends it."""
        try:
            vectors: np.ndarray = await self.embedders.run(
                self._functions.embed, model, list(texts), failpoint, timeout_s=EMBED_TIMEOUT_S
            )
            self._on_model_used(model)
            if vectors.shape[:1] != (len(texts),) or not np.isfinite(vectors).all():
                raise WorkerDied(-signal.SIGKILL, "vectors that do not fit their chunks")
            return vectors
        except WorkerDied as death:
            if len(texts) == 1 and is_retry:
                raise Invalid(f"The chunk “{texts[0][:60]}…” cannot be embedded: {death}.") from death
        if len(texts) == 1:
            return await self._embed(model, texts, failpoint, is_retry=True)
        half = len(texts) // 2
        halves = (self._embed(model, each, failpoint) for each in (texts[:half], texts[half:]))
        return np.concatenate(await asyncio.gather(*halves))

    async def describe(self, model: ModelSpec) -> ModelInfo:
        """Load the model and return its properties. Raises Invalid, with one sentence, when it cannot be loaded."""
        if model not in self._model_infos:
            await self.models.prepare(model.name)
            self._model_infos[model] = await run_task(
                self.embedders, self._functions.describe, model, timeout_s=EMBED_TIMEOUT_S
            )
            self._on_model_used(model)
        return self._model_infos[model]

    @property
    def idle_s(self) -> float:
        """The seconds since the last task ended; 0 while one runs."""
        return min(self.readers.idle_s, self.embedders.idle_s)

    def retire(self) -> None:
        """End the processes while there is no task."""
        self.readers.retire()
        self.embedders.retire()

    async def close(self) -> None:
        """End them at once; running tasks raise Unavailable."""
        groups = {self.readers, self.embedders}
        await asyncio.gather(self.models.close(), *(each.close() for each in groups))
