"""The compute pool of a server with a cluster: it reads, embeds and recognises pages, and local workers if it is away.

Queries never leave the server, nor does what needs its disk. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from math import ceil
from types import TracebackType
from typing import Any, Self

import numpy as np

from pipeline import failpoints
from pipeline.compute.answers import BadAnswer, decode
from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    ModelInfo,
    ModelSpec,
    Outcome,
    Pages,
    TextChunks,
)
from pipeline.compute.owner import current_owner
from pipeline.compute.page_messages import PageTask, PageText
from pipeline.compute.pool import ComputePool
from pipeline.extraction.recognition.installation import recognition
from pipeline.remote.cluster import Cluster, ClusterAway
from pipeline.remote.in_flight import InFlight
from pipeline.remote.requests import (
    EmbedRequest,
    NoModel,
    ReadRequest,
    RecogniseRequest,
    Request,
    SplitRequest,
    Terms,
    page_resources,
)
from pipeline.remote.sent_files import SentFile, TooLarge, read_files
from pipeline.workers.functions import EMBED_TIMEOUT_S
from pipeline.workers.page_recognition import page_limit_s
from pipeline.workers.reading import are_answers, files_to_open, paths_of, read_timeout_s
from semantik.app.health import ClusterState, IsolationState, WorkerInfo
from semantik.config.settings import Settings
from semantik.core.errors import Invalid, Unavailable

_MAX_TASK_BYTES = 32 << 20  # of files in one task; larger ones are read here
_MIN_BYTES = 1 << 20  # that a task counts for: files may have grown
_MAX_BYTES = 256 << 20  # of files on their way at the same time
_PATIENCE = (
    3.0  # a worker may take so many times what a local one may: files are tried again there, one by one
)
_PAGE_BYTES = 1 << 20  # of its file that go along with a page: so many cost far less time than recognising it
_MAX_PAGES = 8  # in one task: what is recognised is kept once all of them are
_log = logging.getLogger(__name__)


class RemotePool:
    """Use as `async with RemotePool(settings, local) as pool`; `local` is the server's own pool, which stays open."""

    def __init__(self, settings: Callable[[], Settings], local: ComputePool) -> None:
        self._settings = settings
        self._local = local
        self._in_flight = InFlight(_MAX_BYTES, lambda: settings().pool.fair_wait_s)
        self._in_flight.resize(0)
        self._cluster = Cluster(settings().pool, self._in_flight.resize)
        self._without: set[ModelSpec] = set()
        self._missing_ocr: set[frozenset[str]] = set()
        self._has_failed_page = False

    async def __aenter__(self) -> Self:
        """Raises ConfigError; does not wait for the cluster."""
        async with AsyncExitStack() as stack:
            self._cluster.start()
            stack.push_async_callback(self._cluster.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def batch_workers(self) -> int:
        return self._cluster.slots or self._local.batch_workers

    @property
    def is_remote(self) -> bool:
        """Whether the cluster has workers now."""
        return bool(self._cluster.slots)

    async def read(self, files: Sequence[FileTask], options: ChunkingOptions) -> list[Outcome]:
        model = ModelSpec(options.model, self._settings().embedding.precision)
        await self._require(model)
        try:
            return await self._read(files, options)
        except ClusterAway:
            return await self._local.read(files, options)

    async def _read(self, files: Sequence[FileTask], options: ChunkingOptions) -> list[Outcome]:
        settings = self._settings()
        size = sum(file.size for file in files if file.place is None)
        if size > _MAX_TASK_BYTES or not self._cluster.slots:
            raise ClusterAway("the files are large")
        most = settings.pool.batch_bytes if any(file.place for file in files) else _MAX_TASK_BYTES
        held = most if any(file.place for file in files) else max(size, _MIN_BYTES)
        async with self._in_flight.task(current_owner.get()), self._in_flight.hold(held):
            contents = await self._contents(paths_of(files), most)
            limits = settings.documents
            found = await asyncio.to_thread(recognition, limits.ocr, limits.ocr_languages)
            request = ReadRequest(self._terms(), tuple(files), contents, options, found)
            timeout_s = _PATIENCE * read_timeout_s(files, limits)
            outcomes: list[Outcome] = await self._run(request, list[Outcome], timeout_s)
        if not are_answers(outcomes, files):
            raise ClusterAway("a worker gave an answer that does not fit its task")
        return outcomes

    async def _contents(self, files: Mapping[str, FileTask], most: int) -> tuple[SentFile, ...]:
        try:
            return await read_files(files_to_open(self._settings(), files), most)
        except (TooLarge, TimeoutError) as error:
            raise ClusterAway("the files are large, or their disk is slow") from error

    async def split(self, text: str, pages: Pages, options: ChunkingOptions) -> TextChunks:
        await self._require(ModelSpec(options.model, self._settings().embedding.precision))
        try:
            async with self._in_flight.task(current_owner.get()):
                request = SplitRequest(self._terms(), text, pages, options)
                chunks: TextChunks = await self._run(request, TextChunks, _PATIENCE * EMBED_TIMEOUT_S)
                return chunks
        except ClusterAway:
            return await self._local.split(text, pages, options)

    async def embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        await self._require(model)
        if not texts:
            return await self._local.embed(model, texts)
        try:
            async with self._in_flight.task(current_owner.get()):
                request = EmbedRequest(self._terms(), model, tuple(texts))
                vectors: np.ndarray = await self._run(request, np.ndarray, _PATIENCE * EMBED_TIMEOUT_S)
            if vectors.shape[:1] != (len(texts),) or not np.isfinite(vectors).all():
                raise ClusterAway("a worker gave vectors that do not fit their chunks")
            return vectors
        except ClusterAway:
            return await self._local.embed(model, texts)

    async def _require(self, model: ModelSpec) -> None:
        """The server has the model, too: queries are embedded here. Raises Invalid."""
        await self._local.describe(model)

    def _terms(self) -> Terms:
        settings = self._settings()
        return Terms(
            settings.documents, settings.embedding.precision, failpoints.armed(), current_owner.get()
        )

    async def _run(self, request: Request, result_type: Any, timeout_s: float) -> Any:
        """What a worker answers. Raises Invalid, as the local pool would, and ClusterAway for all else."""
        if request.model in self._without:
            raise ClusterAway("the workers do not have the model")
        try:
            succeeded, result, _ = decode(await self._cluster.run(request, timeout_s), result_type)
        except BadAnswer as error:
            _log.error("A worker of the cluster gave a malformed answer: %s", error)
            raise ClusterAway("a worker gave a malformed answer") from error
        if succeeded:
            return result
        if isinstance(result, Invalid):
            raise result
        if isinstance(result, NoModel) and request.model is not None:
            self._without.add(request.model)
            _log.warning("The cluster does not embed with %s: %s", request.model.name, result)
        elif not isinstance(result, Unavailable):
            _log.error("A worker of the cluster has failed", exc_info=result)
        raise ClusterAway(str(result)) from result

    @property
    def is_ready(self) -> bool:
        return self._local.is_ready

    async def wait_ready(self) -> None:
        await self._local.wait_ready()

    def pages_together(self, file: FileTask, pages: int) -> int:
        """So many that the bytes of a large file are not sent with each page, and that each worker has some pages."""
        size, most = self._page_bytes(file)
        if size > most or not self._cluster.slots:
            return self._local.pages_together(file, pages)
        return max(1, min(_MAX_PAGES, ceil(size / _PAGE_BYTES), ceil(pages / self._cluster.slots)))

    async def recognise(self, pages: Sequence[PageTask]) -> list[PageText]:
        try:
            texts = await self._recognise(pages)
        except ClusterAway:
            return await self._local.recognise(pages)
        uncertain = [page for page, text in zip(pages, texts, strict=True) if text.uncertain]
        if not uncertain:
            return texts
        if not self._has_failed_page:
            problem = next(text.problem for text in texts if text.uncertain)
            _log.warning("A worker of the cluster could not read a page, it is read here: %s", problem)
            self._has_failed_page = True
        again = iter(await self._local.recognise(uncertain))
        return [next(again) if text.uncertain else text for text in texts]

    async def _recognise(self, pages: Sequence[PageTask]) -> list[PageText]:
        settings, file = self._settings(), pages[0].file
        size, most = self._page_bytes(file)
        if size > most or not self._cluster.slots:
            raise ClusterAway("the file is large")
        self._require_ocr(pages[0])
        timeout_s = _PATIENCE * len(pages) * page_limit_s(settings.documents.ocr_page_timeout_s)
        async with self._in_flight.task(current_owner.get()), self._in_flight.hold(max(size, _MIN_BYTES)):
            contents = await self._contents({file.path: file}, most)
            request = RecogniseRequest(self._terms(), tuple(pages), contents)
            texts: list[PageText] = await self._run(request, list[PageText], timeout_s)
        if len(texts) != len(pages):
            raise ClusterAway("a worker gave an answer that does not fit its task")
        return texts

    def _page_bytes(self, file: FileTask) -> tuple[int, int]:
        """The bytes that are sent with a page, and how many there may be."""
        if file.place is not None:
            return file.place.size, self._settings().pool.batch_bytes
        return file.size, _MAX_TASK_BYTES

    def _require_ocr(self, page: PageTask) -> None:
        needed = page_resources(page)
        if self._cluster.has(needed):
            self._missing_ocr.discard(needed)
            return
        if needed not in self._missing_ocr:
            self._missing_ocr.add(needed)
            names = " and ".join(sorted(needed))
            _log.warning("No worker of the cluster has %s: pages are recognised here", names)
        raise ClusterAway("no worker recognises pages")

    async def languages(
        self, paths: Sequence[str], roots: tuple[str, ...], max_bytes: int, limit_s: float
    ) -> Sequence[str]:
        return await self._local.languages(paths, roots, max_bytes, limit_s)

    async def embed_queries(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        return await self._local.embed_queries(model, texts)

    async def rerank(self, model: str, query: str, texts: Sequence[str]) -> Sequence[float]:
        return await self._local.rerank(model, query, texts)

    async def describe(self, model: ModelSpec) -> ModelInfo:
        return await self._local.describe(model)

    async def run(self, function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        return await self._local.run(function, *args, timeout_s=timeout_s)

    @property
    def cluster(self) -> ClusterState:
        return self._cluster.state

    @property
    def isolation(self) -> IsolationState:
        return self._local.isolation

    def workers(self) -> Sequence[WorkerInfo]:
        return self._local.workers()
