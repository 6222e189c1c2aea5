"""What runs in a worker of the cluster for each task: its requests are passed on to local worker processes.

These read hostile files, so they are isolated, and may die; the worker itself only passes bytes on. Runs on its loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from distributed import WorkerPlugin, get_worker

from pipeline.compute.answers import encode, encode_error
from pipeline.compute.messages import ModelSpec
from pipeline.compute.owner import current_owner
from pipeline.remote.requests import EmbedRequest, NoModel, ReadRequest, RecogniseRequest, Request
from pipeline.remote.sent_files import ReceivedFiles
from pipeline.workers.batch_workers import BatchWorkers
from pipeline.workers.functions import WorkerFunctions
from pipeline.workers.reading import FileReading
from semantik.config.settings import Settings
from semantik.core.errors import Invalid, Unavailable

NAME = "semantik"
_log = logging.getLogger(__name__)


async def run(request: Request, key: str) -> bytes:
    """The answer to a request, in a worker that has the plugin; `key` is the task's."""
    plugin: RequestPlugin = get_worker().plugins[NAME]
    return await plugin.run(request, key)


class RequestPlugin(WorkerPlugin):  # type: ignore[misc]
    """Gives requests to local processes, which load the model once, before the worker takes a task."""

    name = NAME

    def __init__(self, settings: Settings, functions: WorkerFunctions, workers: BatchWorkers) -> None:
        self._settings = settings
        self._functions = functions
        self._workers = workers
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def load_model(self) -> None:
        """Have all local processes started, with the model. Raises Invalid, Unavailable."""
        embedding = self._settings.embedding
        await self._workers.describe(ModelSpec(embedding.model, embedding.precision))

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """A task that nobody waits for any more ends at once: the scheduler alone would let it run to its end."""
        if finish in ("cancelled", "released", "forgotten") and (task := self._running.get(key)):
            task.cancel()

    async def run(self, request: Request, key: str) -> bytes:
        """The answer; nothing if the task was cancelled."""
        work = self._running[key] = asyncio.create_task(self._answer(request))
        begun_s = time.monotonic()
        _log.debug("%s begins", key)
        try:
            await asyncio.wait({work})
            _log.debug("%s ended after %.3f s", key, time.monotonic() - begun_s)
            return b"" if work.cancelled() else work.result()
        finally:
            work.cancel()  # if the worker is closing
            del self._running[key]

    async def _answer(self, request: Request) -> bytes:
        current_owner.set(request.terms.owner)
        try:
            if request.model is not None:
                await self._require(request.model)
            return encode(await self._call(request)(), 0)
        except Exception as error:
            return encode_error(error, 0)

    async def _require(self, model: ModelSpec) -> None:
        try:
            await self._workers.describe(model)
        except (Invalid, Unavailable) as error:
            raise NoModel(str(error)) from error

    def _call(self, request: Request) -> Callable[[], Any]:
        workers = self._workers
        if isinstance(request, ReadRequest):
            return partial(self._reading(request).read, request.files, request.options)
        if isinstance(request, RecogniseRequest):
            return partial(self._reading(request).recognise, request.pages)
        if isinstance(request, EmbedRequest):
            return partial(workers.embed, request.model, request.texts, request.terms.failpoint)
        return partial(workers.split, request.text, request.pages, request.options)

    def _reading(self, request: ReadRequest | RecogniseRequest) -> FileReading:
        """Files are read with the settings of the server that asks, so that the outcomes are its own."""
        terms = request.terms
        embedding = replace(self._settings.embedding, precision=terms.precision)
        settings = replace(self._settings, documents=terms.documents, embedding=embedding)
        recognition = request.recognition if isinstance(request, ReadRequest) else None
        given = ReceivedFiles(request.contents, terms.failpoint, recognition)
        readers = self._workers.readers
        return FileReading(lambda: settings, self._functions, readers, readers, given)
