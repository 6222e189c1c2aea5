"""The worker process that embeds queries, with the traced model of each embedding model.

Runs on the loop. A model that was not traced yet is traced in a batch worker, where the model itself is loaded.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pipeline.compute.messages import ModelSpec
from pipeline.workers.client import WorkerClient, WorkerDied
from pipeline.workers.fork_servers import ForkServers
from pipeline.workers.functions import EMBED_TIMEOUT_S, WorkerFunctions
from pipeline.workers.group import WorkerGroup, run_task
from pipeline.workers.isolation import WorkerIsolation
from pipeline.workers.trace_checks import TraceChecks
from semantik.config.settings import Settings
from semantik.core.errors import SemantikError, Unavailable

RETRY_S = 5.0
_log = logging.getLogger(__name__)


class QueryWorker:
    """Embeds queries; `tracers` are the workers that trace models. `settings()` returns the current settings."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        functions: WorkerFunctions,
        servers: ForkServers,
        tracers: WorkerGroup,
        isolation: WorkerIsolation,
    ) -> None:
        self._settings = settings
        self._functions = functions
        self._traced_models_dir = servers.traced_models_dir
        self._tracers = tracers
        memory = settings().pool.worker_memory_bytes
        self._client = WorkerClient(servers.base, memory_bytes=memory, retries=2, isolation=isolation)
        self._checks = TraceChecks(self._check_traced_model, lambda model: self._try_embed(model, ["warm"]))
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_ready(self) -> bool:
        """Whether a query can be answered at once, or no model was ever used with this data folder."""
        return self._ready.done() and self._ready.exception() is None

    async def wait_ready(self) -> None:
        """Wait until `is_ready`. Raises the error of the present attempt to get ready; further attempts follow."""
        await asyncio.shield(self._ready)

    async def warm_up(self) -> None:
        """Load the traced model of the default model. If it has none, trace it, unless the data folder is new."""
        model = ModelSpec(self._settings().embedding.model, self._settings().embedding.precision)
        used_before = await asyncio.to_thread(_has_files, self._traced_models_dir)
        while True:
            try:
                if await self._try_embed(model, ["warm"]) is None and used_before:
                    await self.embed(model, ["warm"])
                break
            except Exception as error:
                _log.error("the pool is not ready: %s", error, exc_info=not isinstance(error, SemantikError))
                self._ready.set_exception(error)
                self._ready.exception()  # it was logged: nobody has to await it
                await asyncio.sleep(RETRY_S)
                self._ready = asyncio.get_running_loop().create_future()
        self._ready.set_result(None)

    async def embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        """Vectors of queries: float32 (n, dimension) of unit length.

        A caller that is cancelled does not end the worker, which has the model of the next query in its memory.
        """
        embedding = asyncio.ensure_future(self._embed(model, texts))
        # The exception is for the callers that still wait. Without any, it must not be logged as never retrieved.
        embedding.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(embedding)

    def start_trace_check(self, model: ModelSpec) -> None:
        """Compare the traced model with the model, in the background. Call it after a batch worker loaded the model."""
        if self._functions.check_traced_model is not None:
            self._checks.start(model)

    def reset_trace_checks(self) -> None:
        """The batch workers were unloaded: check again when the models are loaded next."""
        self._checks.reset()

    def pids(self) -> list[int]:
        """The current process, if there is one. May be called in any thread."""
        return self._client.pids()

    async def close(self) -> None:
        """End the worker at once; running tasks raise Unavailable. Ends only when the tracers are closed, too."""
        await asyncio.gather(self._checks.close(), self._client.close())

    async def _embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        vectors = await self._try_embed(model, texts, self._checks.is_untraceable(model))
        if vectors is None:
            await self._checks.trace(model)
            vectors = await self._try_embed(model, texts, load_model=True)
        assert vectors is not None
        return vectors

    async def _try_embed(
        self, model: ModelSpec, texts: Sequence[str], load_model: bool = False
    ) -> np.ndarray | None:
        """The vectors; None when there is no traced model, unless the worker may load the model itself."""
        function = self._functions.embed_queries
        args = (model, list(texts), self._traced_models_dir, load_model)
        vectors: np.ndarray | None = await run_task(self._client, function, *args, timeout_s=EMBED_TIMEOUT_S)
        return vectors

    async def _check_traced_model(self, model: ModelSpec) -> str:
        function = self._functions.check_traced_model
        assert function is not None, "these functions cannot trace a model"
        args = (model, self._traced_models_dir)
        try:
            result: str = await self._tracers.run_in_new_worker(function, *args, timeout_s=EMBED_TIMEOUT_S)
        except WorkerDied as death:
            raise Unavailable(f"The model {model.name} could not be traced: {death}.") from death
        return result


def _has_files(folder: str) -> bool:
    try:
        return any(Path(folder).iterdir())
    except OSError:
        return False
