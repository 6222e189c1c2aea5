"""How the pool has files read: batches, files that end their worker, pages to recognise, samples of languages.

Runs on the loop. The server opens the files, the workers get descriptors, and what they answer is compared with what
they were asked.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from pipeline import failpoints
from pipeline.compute.answers import AnswerTooLarge
from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    Outcome,
    ReadDocument,
    ReadFailure,
)
from pipeline.compute.page_messages import PageTask, PageText
from pipeline.extraction.file_access import Places
from pipeline.extraction.recognition.installation import Recognition
from pipeline.workers.client import WorkerDied
from pipeline.workers.file_opener import FilesToOpen, ToOpen
from pipeline.workers.file_reading import time_limit_s
from pipeline.workers.functions import EMBED_TIMEOUT_S, WorkerFunctions
from pipeline.workers.group import WorkerGroup, run_task
from pipeline.workers.page_recognition import PageOptions, timed_out
from pipeline.workers.read_options import ReadOptions
from pipeline.workers.worker import MAX_FILES
from semantik.config.settings import DocumentSettings, Settings
from semantik.core.upload_paths import uploads_folder

_WAIT_S = 10.0  # beyond the time after which a worker ends itself, in case it is stopped


class FileReading:
    """`batch` are the workers with a model, `light` those without, for what needs none while no batch worker is up.

    `given` are the files of the tasks where another server has opened them; otherwise they are opened here.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        functions: WorkerFunctions,
        batch: WorkerGroup,
        light: WorkerGroup,
        given: FilesOfAnotherServer | None = None,
    ) -> None:
        self._settings = settings
        self._functions = functions
        self._batch = batch
        self._light = light
        self._given = given

    async def read(self, files: Sequence[FileTask], options: ChunkingOptions) -> list[Outcome]:
        """As `ComputePool.read`."""
        if len(paths_of(files)) > MAX_FILES:
            half = len(files) // 2
            return [*await self.read(files[:half], options), *await self.read(files[half:], options)]
        try:
            return await self._read(files, options)
        except WorkerDied as death:
            if len(files) == 1 and death.timed_out:
                return [self._failure(files[0], death)]
        except AnswerTooLarge as error:
            if len(files) == 1:
                return [self._failure(files[0], error)]
        return list(await asyncio.gather(*(self._read_alone(file, options) for file in files)))

    async def _read(self, files: Sequence[FileTask], options: ChunkingOptions) -> list[Outcome]:
        limits = self._settings().documents
        recognition = None if self._given is None else self._given.recognition
        read_options = ReadOptions.of(self._settings(), self._failpoint, recognition)
        outcomes: list[Outcome] = await self._batch.run(
            self._functions.read_files,
            tuple(files),
            options,
            read_options,
            timeout_s=read_timeout_s(files, limits),
            files=self._to_open(paths_of(files)),
            max_answer_bytes=limits.max_output_bytes,
        )
        if not are_answers(outcomes, files):
            raise WorkerDied(-signal.SIGKILL, "an answer that does not fit its task")
        return outcomes

    @property
    def _failpoint(self) -> str:
        return failpoints.armed() if self._given is None else self._given.failpoint

    def _to_open(self, files: Mapping[str, FileTask]) -> ToOpen:
        if self._given is not None:
            return self._given.select(tuple(files))
        return files_to_open(self._settings(), files)

    async def _read_alone(self, file: FileTask, options: ChunkingOptions) -> Outcome:
        try:
            return (await self._read([file], options))[0]
        except (WorkerDied, AnswerTooLarge) as error:
            return self._failure(file, error)

    def _failure(self, file: FileTask, error: WorkerDied | AnswerTooLarge) -> ReadFailure:
        settings = self._settings()
        if isinstance(error, AnswerTooLarge):
            limit = f"{settings.documents.max_output_bytes:,} bytes (documents.max_output_bytes)"
            message = f"What was read in it has more than the {limit} that are kept of a file."
            return ReadFailure(file.document_id, "too_large", message, False)
        if error.timed_out:
            message = (
                f"Reading it took longer than the {settings.documents.file_timeout_s:g} seconds allowed."
            )
            return ReadFailure(file.document_id, "timeout", message, False)
        limit = f"{settings.pool.worker_memory_bytes >> 20} MB of pool.worker_memory_bytes"
        message = (
            f"Reading it needs more memory than the {limit}."
            if error.out_of_memory
            else f"Reading it failed: {error}, perhaps for lack of memory."
        )
        return ReadFailure(file.document_id, "worker_died", message, False)

    async def recognise(self, pages: Sequence[PageTask]) -> list[PageText]:
        """As `ComputePool.recognise`; each page is a task of its own, so one that ends its worker costs no other."""
        return [await self._recognise(page) for page in pages]

    async def _recognise(self, page: PageTask) -> PageText:
        settings = self._settings()
        limits = settings.documents
        read = ReadOptions.of(settings, self._failpoint)
        options = PageOptions(
            limits.max_file_bytes, read.forbidden, limits.ocr_page_timeout_s, read.failpoint
        )
        try:
            text: PageText = await self._group().run(
                self._functions.recognise_page,
                page,
                options,
                timeout_s=options.limit_s + _WAIT_S,
                files=self._to_open({page.file.path: page.file}),
            )
            return text
        except AnswerTooLarge:
            return PageText("", problem="its text is too long")
        except WorkerDied as death:
            problem = (
                timed_out(limits.ocr_page_timeout_s)
                if death.timed_out
                else f"its recognition failed: {death}"
            )
            return PageText("", problem=problem)

    async def languages(
        self, paths: Sequence[str], roots: tuple[str, ...], max_bytes: int, limit_s: float
    ) -> list[str]:
        """As `ComputePool.languages`."""
        found: list[str] = await run_task(
            self._group(),
            self._functions.sample_languages,
            list(paths),
            max_bytes,
            limit_s,
            timeout_s=limit_s + _WAIT_S,
            files=self._to_open({path: FileTask("", path, 0, roots=roots) for path in paths}),
        )
        return found

    def _group(self) -> WorkerGroup:
        return self._batch if self._batch.is_up else self._light


class FilesOfAnotherServer(Protocol):
    """Files that another server has opened and sent, the failpoint that is armed there, and what it can recognise."""

    @property
    def failpoint(self) -> str: ...

    @property
    def recognition(self) -> Recognition | None: ...

    def select(self, paths: Sequence[str]) -> ToOpen:
        """Some of the files."""


def files_to_open(settings: Settings, files: Mapping[str, FileTask]) -> FilesToOpen:
    """To open files by their paths, each in the places of its task."""
    uploads = str(uploads_folder(settings.data))
    forbidden = tuple(map(str, settings.private_paths))
    places = {path: Places(task.roots, forbidden, task.kept, uploads) for path, task in files.items()}
    return FilesToOpen(places, settings.documents.file_timeout_s)


def read_timeout_s(files: Sequence[FileTask], limits: DocumentSettings) -> float:
    """How long a worker may take for the files, in seconds."""
    return EMBED_TIMEOUT_S + sum(
        time_limit_s(file, limits.max_file_bytes, limits.file_timeout_s) for file in files
    )


def paths_of(files: Sequence[FileTask]) -> dict[str, FileTask]:
    """The files to open, with their sidecars: each with a task that says in which places it must lie."""
    found = {file.path: file for file in files}
    return found | {file.sidecar: file for file in files if file.sidecar is not None}


def are_answers(outcomes: Sequence[Outcome], files: Sequence[FileTask]) -> bool:
    """Whether there is one for each file, in order, and their columns are of one length."""
    if [one.document_id for one in outcomes] != [file.document_id for file in files]:
        return False
    return all(one.chunks.is_even for one in outcomes if isinstance(one, ReadDocument))
