"""The compute pool with local processes: files and texts in, chunks and vectors out.

Runs on the loop. Imports neither torch nor the extractor: what is heavy is loaded in the children, when it is needed.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
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
from pipeline.workers.client import WorkerClient, WorkerDied
from pipeline.workers.fork_servers import ForkServers
from pipeline.workers.functions import WorkerFunctions
from pipeline.workers.group import WorkerGroup
from pipeline.workers.trace_checks import RecordingChecks
from pipeline.workers.worker import ReadOptions
from semantik.app.health import WorkerInfo
from semantik.config.settings import Settings
from semantik.core.errors import Invalid, SemantikError, Unavailable

EMBED_S = 600.0  # one task of embedding, the first load of a large model included
RETRY_S = 5.0
_LOOK_S = 1.0  # how often it is looked whether there is nothing to do
_log = logging.getLogger(__name__)


class Pool:
    """Use as `async with Pool(settings) as pool`: entering returns at once, and the workers come up behind it.

    `settings()` gives those of the moment. Queries have a worker with the recording of their model, which is there from
    the start. The model itself, and the workers of `read`, `cut`, `embed` and `describe`, come with the first task, and
    go after `pool.idle_s` without one. `functions` are what the workers run. `servers` are those of several pools, one
    after the other; the pool has its own by default.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        functions: WorkerFunctions | None = None,
        servers: ForkServers | None = None,
    ) -> None:
        rules = settings().pool
        self._settings = settings
        self._functions = functions or WorkerFunctions()
        self._shared = servers is not None
        self._servers = servers or ForkServers(settings(), self._functions)
        self._recordings = self._servers.recordings
        base, full, memory = self._servers.base, self._servers.full, rules.worker_memory_bytes
        size = rules.workers or os.cpu_count() or 1
        slots = asyncio.Semaphore(size)
        self._questions = WorkerClient(base, nice=False, memory_bytes=memory, spare=2)
        self._batch = WorkerGroup(full, size, nice=True, memory_bytes=memory, slots=slots)
        self._light = WorkerGroup(base, size, nice=True, memory_bytes=memory, slots=slots, eager=False)
        self._checks = RecordingChecks(
            self._check_recording, lambda model: self._embed_questions(model, ["warm"])
        )
        self._described: dict[ModelSpec, ModelInfo] = {}
        self._attempt: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._duties: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._duties = [asyncio.create_task(self._warm()), asyncio.create_task(self._retire_idle())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for duty in self._duties:
            duty.cancel()
        closing = [each.close() for each in (self._checks, self._batch, self._light, self._questions)]
        await asyncio.gather(*self._duties, *closing, return_exceptions=True)
        if not self._shared:
            await self._servers.close()

    @property
    def batch_workers(self) -> int:
        """How many tasks of reading and embedding run at the same time."""
        return self._batch.size

    @property
    def is_ready(self) -> bool:
        """Whether a query can be answered at once, or nobody has used a model here yet."""
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
            self._batch, self._functions.cut_text, text, pages, cutting, precision, timeout_s=EMBED_S
        )
        self._compare_recording(ModelSpec(cutting.model, precision))
        return found

    async def embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Chunks as float16 (n, dimension) of unit length, in order; many are spread over all workers.

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
        asking = asyncio.ensure_future(self._embed_questions(model, texts))
        # Its failure is for whoever still waits; when nobody does, it is no error that was overlooked.
        asking.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(asking)

    async def describe(self, model: ModelSpec) -> ModelInfo:
        """What the model is. Raises Invalid, in one sentence, when it cannot be loaded."""
        if model not in self._described:
            self._described[model] = await self._expect(
                self._batch, self._functions.describe, model, timeout_s=EMBED_S
            )
            self._compare_recording(model)
        return self._described[model]

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        """The result of an importable function, called in a batch worker, or in one without a model when there is none.

        Raises Unavailable when the worker ends.
        """
        crew = self._batch if self._batch.is_up else self._light
        return await self._expect(crew, function, *args, timeout_s=timeout_s)

    def workers(self) -> list[WorkerInfo]:
        """The processes at the moment. Reads /proc for some 10 ms per worker: call it in a thread."""
        found = []
        for role, crew in (("question", self._questions), ("batch", self._batch), ("batch", self._light)):
            for pid in crew.pids():
                try:
                    found.append(WorkerInfo(pid, role, psutil.Process(pid).memory_full_info().uss))
                except psutil.NoSuchProcess:
                    continue
        return found

    async def _warm(self) -> None:
        model = ModelSpec(self._settings().embedding.model, self._settings().embedding.precision)
        used_before = Path(self._recordings).is_dir()
        while True:
            try:
                if await self._ask(model, ["warm"]) is None and used_before:
                    await self.embed_questions(model, ["warm"])
                break
            except Exception as error:
                _log.error("the pool is not ready: %s", error, exc_info=not isinstance(error, SemantikError))
                self._attempt.set_exception(error)
                self._attempt.exception()  # told in the log: nobody has to wait for it
                await asyncio.sleep(RETRY_S)
                self._attempt = asyncio.get_running_loop().create_future()
        self._attempt.set_result(None)

    async def _retire_idle(self) -> None:
        while True:
            idle_s = self._settings().pool.idle_s
            await asyncio.sleep(min(_LOOK_S, idle_s / 4 or _LOOK_S))
            if idle_s and self._light.idle_s >= idle_s:
                self._light.retire()
            if idle_s and self._batch.idle_s >= idle_s and self._servers.full.pid() is not None:
                self._batch.retire()
                self._checks.forget()
                await self._servers.stop_full()  # those of a task that comes now are launched behind it

    async def _embed_questions(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        vectors = await self._ask(model, texts, self._checks.has_none(model))
        if vectors is None:
            await self._checks.make(model)
            vectors = await self._ask(model, texts, load_model=True)
        assert vectors is not None
        return vectors

    async def _ask(
        self, model: ModelSpec, texts: Sequence[str], load_model: bool = False
    ) -> np.ndarray | None:
        """The vectors from the query worker; None when the model has no recording, unless it may load the model."""
        function = self._functions.embed_questions
        task = (model, list(texts), self._recordings, load_model)
        found: np.ndarray | None = await self._expect(self._questions, function, *task, timeout_s=EMBED_S)
        return found

    def _compare_recording(self, model: ModelSpec) -> None:
        """In the background, with the model that was just loaded, once each time."""
        if self._functions.check_recording is not None:
            self._checks.begin(model)

    async def _check_recording(self, model: ModelSpec) -> str:
        function = self._functions.check_recording
        assert function is not None, "queries need a recording, and there is nothing that makes one"
        try:
            found: str = await self._batch.run_apart(function, model, self._recordings, timeout_s=EMBED_S)
        except WorkerDied as death:
            raise Unavailable(f"The recording of {model.name} could not be made: {death}.") from death
        return found

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
        reading = ReadOptions(
            limits.max_file_bytes,
            limits.roots,
            (str(self._settings().data.resolve()),),
            limits.file_timeout_s,
            self._settings().embedding.precision,
            failpoints.armed(),
        )
        deadline = EMBED_S + limits.file_timeout_s * len(files)
        found: list[Outcome] = await self._batch.run(
            self._functions.read_files, tuple(files), cutting, reading, timeout_s=deadline
        )
        self._compare_recording(ModelSpec(cutting.model, reading.precision))
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
                self._functions.embed, model, list(texts), failpoints.armed(), timeout_s=EMBED_S
            )
            self._compare_recording(model)
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
