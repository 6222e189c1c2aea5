"""The files of a task that go to another machine: the server opens and reads them, a worker there gets descriptors.

There they lie in memory only. Runs on the loop, and in threads of it; knows nothing of the cluster.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.extraction.content import ExtractError
from pipeline.extraction.recognition.installation import Recognition
from pipeline.workers.file_opener import FilesToOpen, OpenedFiles, in_disk_thread, open_files
from semantik.core.models import FailureCategory

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class SentFile:
    """The bytes of a file and its time in nanoseconds, or why it cannot be read: the arguments of an ExtractError."""

    path: str
    content: bytes = b""
    modified_ns: int = 0
    failure: tuple[FailureCategory, str, bool] | None = None


class TooLarge(Exception):
    """The files have too many bytes to be sent."""


async def read_files(wanted: FilesToOpen, most_bytes: int) -> tuple[SentFile, ...]:
    """The files' bytes. Raises TooLarge, TimeoutError, and Unavailable."""
    opened = await open_files(wanted)
    # The thread closes them: it may still be reading when nobody waits any more.
    return await in_disk_thread(partial(_read_all, opened, most_bytes), wanted.timeout_s, lambda _: None)


def _read_all(opened: OpenedFiles, most_bytes: int) -> tuple[SentFile, ...]:
    left, files = most_bytes, []
    with opened:
        for path, result in zip(opened.paths, opened.results, strict=True):
            file = _failed(path, result) if isinstance(result, ExtractError) else _read(path, result, left)
            left -= len(file.content)
            files.append(file)
    return tuple(files)


def _failed(path: str, error: ExtractError) -> SentFile:
    return SentFile(path, failure=(error.category, error.message, error.skipped))


def _read(path: str, descriptor: int, most_bytes: int) -> SentFile:
    content = bytearray()
    try:
        status = os.fstat(descriptor)
        if status.st_size > most_bytes:
            raise TooLarge
        while block := os.read(descriptor, _BLOCK_BYTES):
            content += block
            if len(content) > most_bytes:
                raise TooLarge
    except OSError as error:
        return _failed(path, ExtractError("unreadable", f"The file cannot be read: {error.strerror}."))
    return SentFile(path, bytes(content), status.st_mtime_ns)


class ReceivedFiles:
    """What a server has sent with a task: see `FilesOfAnotherServer`."""

    def __init__(
        self, files: Sequence[SentFile], failpoint: str, recognition: Recognition | None = None
    ) -> None:
        self._files = {file.path: file for file in files}
        self.failpoint = failpoint
        self.recognition = recognition

    def select(self, paths: Sequence[str]) -> _InMemory:
        return _InMemory({path: self._files[path] for path in paths})


@dataclass(frozen=True)
class _InMemory:
    files: Mapping[str, SentFile]

    async def open(self) -> OpenedFiles:
        return await asyncio.to_thread(self._open)

    def _open(self) -> OpenedFiles:
        opened = OpenedFiles(tuple(self.files))
        for file in self.files.values():
            failed = file.failure is not None
            opened.results.append(ExtractError(*file.failure) if failed else _in_memory(file))  # type: ignore[misc]
        return opened


def _in_memory(file: SentFile) -> int:
    """A descriptor of a file in memory, with the time of the original: it tells whether a container has changed."""
    descriptor = os.memfd_create("document", os.MFD_CLOEXEC)
    view = memoryview(file.content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.utime(descriptor, ns=(file.modified_ns, file.modified_ns))
    return descriptor
