"""The worker processes as the rest of the server sees them: files and texts in, passages and vectors out.

Runs on the loop. Imports neither torch nor the extractor: what is heavy lives in the children.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
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
    ReadFailure,
    TextChunks,
)
from pipeline.workers import worker
from pipeline.workers.client import WorkerClient, WorkerDied
from pipeline.workers.group import WorkerGroup
from semantik.app.health import WorkerInfo
from semantik.config.settings import Settings
from semantik.core.errors import Invalid, SemantikError, Unavailable

EMBED_S = 600.0  # one task of embedding, the first load of a large model included
RETRY_S = 5.0
_log = logging.getLogger(__name__)


class Pool:
    """Use as `async with Pool(settings) as pool`: entering returns at once, and the workers come up behind it.

    `settings()` gives those of the moment.
    """

    def __init__(self, settings: Callable[[], Settings]) -> None:
        memory = settings().pool.worker_memory_bytes
        self._settings = settings
        self._batch = WorkerGroup(
            settings().pool.workers or os.cpu_count() or 1, nice=True, memory_bytes=memory
        )
        self._questions = WorkerClient(nice=False, memory_bytes=memory, spare=2)
        self._described: dict[ModelSpec, ModelInfo] = {}
        self._attempt: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._warming: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        os.environ[worker.PRELOAD] = (
            f"{self._settings().embedding.model}:{self._settings().embedding.precision}"
        )
        os.environ[worker.RECORDINGS] = str(self._settings().data.resolve() / "models")
        self._warming = asyncio.create_task(self._warm())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._warming is not None
        self._warming.cancel()
        await asyncio.gather(
            self._warming, self._batch.close(), self._questions.close(), return_exceptions=True
        )

    @property
    def batch_workers(self) -> int:
        """How many tasks of reading and embedding run at the same time."""
        return self._batch.size

    @property
    def is_ready(self) -> bool:
        """True once the default model is loaded and the question worker has answered."""
        return self._attempt.done() and self._attempt.exception() is None

    async def wait_ready(self) -> None:
        """Wait until `is_ready`; raises what the present attempt to get there failed with (others follow)."""
        await asyncio.shield(self._attempt)

    async def read(self, files: Sequence[FileTask], cutting: ChunkingOptions) -> list[Outcome]:
        """Extract and cut one batch of files, in order; a file that ends its worker twice is a ReadFailure.

        Raises Invalid when the model cannot be loaded, Unavailable when there are no workers.
        """
        try:
            return await self._read(files, cutting)
        except WorkerDied as death:
            if len(files) == 1 and death.timed_out:
                return [self._failure(files[0], death)]
        return list(await asyncio.gather(*(self._read_alone(file, cutting) for file in files)))

    async def cut(
        self, text: str, pages: tuple[tuple[int, int], ...], cutting: ChunkingOptions
    ) -> TextChunks:
        """Cut a text that was read before; `pages` as in Extracted."""
        precision = self._settings().embedding.precision
        found: TextChunks = await self._expect(
            self._batch, worker.split_text, text, pages, cutting, precision, timeout_s=EMBED_S
        )
        return found

    async def embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Passages as float16 (n, dimension) of unit length, in order; many are spread over all workers.

        Raises Invalid for a model that cannot be loaded or a passage that ends its worker twice.
        """
        if not texts:
            return np.empty((0, (await self.describe(model)).dimension), np.float16)
        size = self._settings().embedding.batch_chunks
        parts = [texts[start : start + size] for start in range(0, len(texts), size)]
        return np.concatenate(await asyncio.gather(*(self._embed(model, part) for part in parts)))

    async def embed_questions(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Questions as float32 (n, dimension) of unit length, from a worker that does nothing else.

        A caller that gives up does not end the worker: it has the model of the next question in its memory.
        """
        asking = asyncio.ensure_future(
            self._expect(self._questions, worker.embed_queries, model, list(texts), timeout_s=EMBED_S)
        )
        # Its failure is for whoever still waits; when nobody does, it is no error that was overlooked.
        asking.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(asking)

    async def describe(self, model: ModelSpec) -> ModelInfo:
        """What the model is. Raises Invalid, in one sentence, when it cannot be loaded."""
        if model not in self._described:
            self._described[model] = await self._expect(
                self._batch, worker.describe, model, timeout_s=EMBED_S
            )
        return self._described[model]

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """The result of an importable function, called in a batch worker. Raises Unavailable when the worker ends."""
        return await self._expect(self._batch, function, *args, timeout_s=timeout_s)

    def workers(self) -> list[WorkerInfo]:
        """The processes at the moment. Reads /proc for some 10 ms per worker: call it in a thread."""
        found = []
        for role, crew in (("question", self._questions), ("batch", self._batch)):
            for pid in crew.pids():
                try:
                    found.append(WorkerInfo(pid, role, psutil.Process(pid).memory_full_info().uss))
                except psutil.NoSuchProcess:
                    continue
        return found

    async def _warm(self) -> None:
        model = ModelSpec(self._settings().embedding.model, self._settings().embedding.precision)
        while True:
            try:
                await self.embed_questions(model, ["warm"])
                break
            except Exception as error:
                _log.error("the pool is not ready: %s", error, exc_info=not isinstance(error, SemantikError))
                self._attempt.set_exception(error)
                self._attempt.exception()  # told in the log: nobody has to wait for it
                await asyncio.sleep(RETRY_S)
                self._attempt = asyncio.get_running_loop().create_future()
        self._attempt.set_result(None)

    async def _expect(
        self, crew: WorkerGroup | WorkerClient, function: Callable[..., Any], *args: Any, timeout_s: float
    ) -> Any:
        try:
            return await crew.run(function, *args, timeout_s=timeout_s)
        except WorkerDied as death:
            raise Unavailable(f"The pool could not finish {function.__name__}: {death}.") from death
        except ImportError as error:
            raise Unavailable(f"The workers cannot import what they need: {error}.", 60) from error

    async def _read(self, files: Sequence[FileTask], cutting: ChunkingOptions) -> list[Outcome]:
        limits = self._settings().documents
        reading = worker.ReadOptions(
            limits.max_file_bytes,
            limits.roots,
            (str(self._settings().data.resolve()),),
            limits.file_timeout_s,
            self._settings().embedding.precision,
            failpoints.armed(),
        )
        deadline = EMBED_S + limits.file_timeout_s * len(files)
        found: list[Outcome] = await self._batch.run(
            worker.read_files, tuple(files), cutting, reading, timeout_s=deadline
        )
        return found

    async def _read_alone(self, file: FileTask, cutting: ChunkingOptions) -> Outcome:
        try:
            return (await self._read([file], cutting))[0]
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
            else f"Reading it is impossible: {death}, perhaps for want of memory."
        )
        return ReadFailure(file.document_id, "worker_died", message, False)

    async def _embed(self, model: ModelSpec, texts: Sequence[str], again: bool = False) -> np.ndarray:
        try:
            found: np.ndarray = await self._batch.run(
                worker.embed, model, list(texts), failpoints.armed(), timeout_s=EMBED_S
            )
            return found
        except WorkerDied as death:
            if len(texts) == 1 and again:
                raise Invalid(f"The passage “{texts[0][:60]}…” cannot be embedded: {death}.") from death
        if len(texts) == 1:
            return await self._embed(model, texts, again=True)
        half = len(texts) // 2
        return np.concatenate(
            await asyncio.gather(self._embed(model, texts[:half]), self._embed(model, texts[half:]))
        )
