"""Opens the files of a task in the server, which hands them over to the worker that reads them.

Each task's files are opened in a thread of their own: on a network disk that does not answer, it may take for ever.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from pipeline.extraction.content import ExtractError
from pipeline.extraction.file_access import Places, opened
from semantik.core.document_roots import ReadableFolders
from semantik.core.errors import Unavailable

_MAX_THREADS = 64
T = TypeVar("T")


class ToOpen(Protocol):
    """The files of a task."""

    async def open(self) -> OpenedFiles:
        """Raises TimeoutError, Unavailable."""


@dataclass(frozen=True)
class FilesToOpen:
    """Where each of a task's files may lie, by its path; opening all of them may take `timeout_s`."""

    places: Mapping[str, Places]
    timeout_s: float

    async def open(self) -> OpenedFiles:
        return await open_files(self)


class OpenedFiles:
    """Use as `with files:`; the descriptors are closed at the end. `results` are in the order of the paths."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = tuple(paths)
        self.results: list[int | ExtractError] = []

    def __enter__(self) -> OpenedFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
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
    return await in_disk_thread(partial(_open_all, wanted), wanted.timeout_s, OpenedFiles.close)


async def in_disk_thread(function: Callable[[], T], timeout_s: float, discard: Callable[[T], None]) -> T:
    """What a function returns that reads a disk, in a thread of its own; a late result goes to `discard`.

    Raises TimeoutError, and Unavailable when too many earlier calls have not come back.
    """
    if not _waiting_threads.acquire(blocking=False):
        raise Unavailable("The disk with the documents does not answer.", 30)
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            result, error = function(), None
        except Exception as raised:
            result, error = None, raised
        finally:
            _waiting_threads.release()
        with suppress(RuntimeError):  # the loop was closed meanwhile, and with it the process ends
            loop.call_soon_threadsafe(_deliver, result, error, done, discard)

    try:
        threading.Thread(target=run, name="open-files", daemon=True).start()
    except RuntimeError as error:  # the limit of threads
        _waiting_threads.release()
        raise Unavailable("The server cannot start a thread.", 10) from error
    async with asyncio.timeout(timeout_s):
        return await done


def _open_all(wanted: FilesToOpen) -> OpenedFiles:
    files = OpenedFiles(tuple(wanted.places))
    readable: dict[tuple[tuple[str, ...], tuple[str, ...]], ReadableFolders] = {}
    for path, places in wanted.places.items():
        key = places.roots, places.forbidden
        if key not in readable:
            readable[key] = ReadableFolders(*key)
        files.results.append(_open_file(path, places, readable[key]))
    return files


def _open_file(path: str, places: Places, readable: ReadableFolders) -> int | ExtractError:
    try:
        with opened(path, places, readable) as file:
            return os.dup(file.fileno())
    except ExtractError as error:
        return error


def _deliver(
    result: Any, error: Exception | None, done: asyncio.Future[Any], discard: Callable[[Any], None]
) -> None:
    if not done.done():
        done.set_result(result) if error is None else done.set_exception(error)
    elif error is None:  # nobody waits any more
        discard(result)
