"""A pool whose workers read and split files as those of a real one do, and embed with the light model.

For tests whose subject is neither the model, nor ranking, nor the pool. A task that ends its worker is not repeated.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self
from unittest import mock

import numpy as np
from support import light_model

import semantik.server
from pipeline import failpoints
from pipeline.compute.messages import ChunkingOptions, FileTask, ModelInfo, ModelSpec, Outcome, TextChunks
from pipeline.workers import worker
from pipeline.workers.client import WorkerDied
from pipeline.workers.group import WorkerGroup
from semantik.app.health import WorkerInfo
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable

_TASK_S = 600.0


@asynccontextmanager
async def light_server(settings: Settings) -> AsyncIterator[semantik.server.Server]:
    """As `semantik.server.running`, with the light pool: a server in this process."""
    with mock.patch.object(semantik.server, "Pool", LightPool):
        async with semantik.server.running(settings) as server:
            yield server


class LightPool:
    """What the server uses of a pool. Questions are embedded on the loop; the workers come up with the first file."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        limits = settings().pool
        self._settings = settings
        self._workers = WorkerGroup(
            limits.workers or os.cpu_count() or 1, nice=True, memory_bytes=limits.worker_memory_bytes
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._workers.close()

    @property
    def batch_workers(self) -> int:
        return self._workers.size

    @property
    def is_ready(self) -> bool:
        return True

    async def wait_ready(self) -> None:
        """There is nothing to wait for."""

    async def read(self, files: Sequence[FileTask], cutting: ChunkingOptions) -> list[Outcome]:
        now = self._settings()
        reading = worker.ReadOptions(
            now.documents.max_file_bytes,
            now.documents.roots,
            (str(now.data.resolve()),),
            now.documents.file_timeout_s,
            now.embedding.precision,
            failpoints.armed(),
        )
        found: list[Outcome] = await self.run(
            light_model.read_files, tuple(files), cutting, reading, timeout_s=_TASK_S
        )
        return found

    async def cut(
        self, text: str, pages: tuple[tuple[int, int], ...], cutting: ChunkingOptions
    ) -> TextChunks:
        precision = self._settings().embedding.precision
        found: TextChunks = await self.run(
            light_model.split_text, text, pages, cutting, precision, timeout_s=_TASK_S
        )
        return found

    async def embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Float16 (n, dimension) of unit length; many are spread over all workers."""
        if not texts:
            return np.empty((0, (await self.describe(model)).dimension), np.float16)
        size = self._settings().embedding.batch_chunks
        parts = [list(texts[start : start + size]) for start in range(0, len(texts), size)]
        tasks = [
            self.run(light_model.embed, model, part, failpoints.armed(), timeout_s=_TASK_S) for part in parts
        ]
        return np.concatenate(await asyncio.gather(*tasks))

    async def embed_questions(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Float32 (n, dimension) of unit length. Raises Invalid as `describe` does."""
        light_model.load(model)
        return light_model.vectors(texts)

    async def describe(self, model: ModelSpec) -> ModelInfo:
        return light_model.load(model).info

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        try:
            return await self._workers.run(function, *args, timeout_s=timeout_s)
        except WorkerDied as death:
            raise Unavailable(f"The pool could not finish {function.__name__}: {death}.") from death

    def workers(self) -> list[WorkerInfo]:
        """None that has a model in its memory."""
        return []
