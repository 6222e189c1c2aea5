"""Opens the files of a task in the server, which hands them over to the worker that reads them.

Each task's files are opened in a thread of their own: on a network disk that does not answer, it may take for ever.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pipeline.extraction.content import ExtractError
from pipeline.extraction.file_access import Places, opened
from semantik.core.errors import Unavailable

_MAX_THREADS = 64


@dataclass(frozen=True)
class FilesToOpen:
    """Where each of a task's files may lie, by its path; opening all of them may take `timeout_s`."""

    places: Mapping[str, Places]
    timeout_s: float


class OpenedFiles:
    """Use as `with files:`; the descriptors are closed at the end. `results` are in the order of the paths."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = tuple(paths)
        self.results: list[int | ExtractError] = []

    def __enter__(self) -> OpenedFiles:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.results.clear()

    @property
    def descriptors(self) -> list[int]:
        return [each for each in self.results if isinstance(each, int)]

    @property
    def failures(self) -> list[tuple[str, str, bool] | None]:
        """Why each file could not be opened, as the arguments of an ExtractError; None for one that was."""
        return [
            (each.category, each.message, each.skipped) if isinstance(each, ExtractError) else None
            for each in self.results
        ]


_waiting_threads = threading.BoundedSemaphore(_MAX_THREADS)


async def open_files(wanted: FilesToOpen) -> OpenedFiles:
    """Open the files. Raises TimeoutError; Unavailable when too many earlier calls have not come back."""
    if not _waiting_threads.acquire(blocking=False):
        raise Unavailable("The disk with the documents does not answer.", 30)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[OpenedFiles] = loop.create_future()
    thread = threading.Thread(target=_open, args=(wanted, loop, done), name="open-files", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # the limit of threads
        _waiting_threads.release()
        raise Unavailable("The server cannot start a thread.", 10) from error
    async with asyncio.timeout(wanted.timeout_s):
        return await done


def _open(wanted: FilesToOpen, loop: asyncio.AbstractEventLoop, done: asyncio.Future[OpenedFiles]) -> None:
    files = OpenedFiles(tuple(wanted.places))
    try:
        for path, places in wanted.places.items():
            files.results.append(_open_file(path, places))
    finally:
        _waiting_threads.release()
    with suppress(RuntimeError):  # the loop was closed meanwhile, and with it the process ends
        loop.call_soon_threadsafe(_deliver, files, done)


def _open_file(path: str, places: Places) -> int | ExtractError:
    try:
        with opened(path, places) as file:
            return os.dup(file.fileno())
    except ExtractError as error:
        return error


def _deliver(files: OpenedFiles, done: asyncio.Future[OpenedFiles]) -> None:
    if done.done():  # nobody waits any more
        files.__exit__()
    else:
        done.set_result(files)
