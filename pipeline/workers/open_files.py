"""The file that a worker has open, and the containers inside it: a batch that reads many parts opens each once.

Runs in the worker processes.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import PurePath
from typing import BinaryIO, Self

from pipeline.compute.messages import FileTask, PartPlace
from pipeline.extraction.container_format import container_format
from pipeline.extraction.container_reader import CONTAINERS, ContainerReader
from pipeline.extraction.content import ExtractError
from pipeline.extraction.file_access import Places, opened
from semantik.core.upload_paths import is_upload

_Container = tuple[BinaryIO, ContainerReader]


class OpenFiles:
    """Use as `with OpenFiles(forbidden, size_limit) as files`: the file whose parts were read last stays open inside.

    No file in one of the folders `forbidden` is opened. A part is held in memory, so it may have at most `size_limit`
    bytes.
    """

    def __init__(self, forbidden: tuple[str, ...], size_limit: int) -> None:
        self._forbidden = forbidden
        self._size_limit = size_limit
        self._stack = ExitStack()
        self._opened: tuple[str, tuple[str, ...]] | None = None
        self._containers: dict[tuple[str, ...], _Container] = {}  # by the locators that lead to them

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @contextmanager
    def open(self, task: FileTask) -> Iterator[tuple[BinaryIO, str]]:
        """The file or part of a task, and a name whose end may tell its format. Raises ExtractError."""
        if task.place is None:
            self._close()
            with opened(task.path, Places(task.roots, self._forbidden, task.kept)) as file:
                yield file, task.path
            return
        container, reader = self._container(task, task.place)
        name, locator = task.place.steps[-1]
        yield io.BytesIO(reader.read(container, locator, self._size_limit)), _name(name, reader)

    def _container(self, task: FileTask, place: PartPlace) -> _Container:
        """The open container that directly holds a part."""
        if (task.path, task.roots) != self._opened:
            self._close()
            places = Places(task.roots, self._forbidden, task.kept)
            file = self._stack.enter_context(opened(task.path, places))
            _check_unchanged(file, task.path, place)
            self._containers[()] = file, _reader(file, task.path)
            self._opened = task.path, task.roots
        file, reader = self._containers[()]
        _check_unchanged(file, task.path, place)
        way: tuple[str, ...] = ()
        for name, locator in place.steps[:-1]:
            way = (*way, locator)
            if way not in self._containers:
                # Only the containers on the way to this part stay in memory.
                self._containers = {
                    key: one for key, one in self._containers.items() if key == way[: len(key)]
                }
                inner = io.BytesIO(reader.read(file, locator, self._size_limit))
                self._containers[way] = inner, _reader(inner, _name(name, reader))
            file, reader = self._containers[way]
        return file, reader

    def _close(self) -> None:
        self._containers.clear()
        self._opened = None
        self._stack.close()


def suffix_of(name: str) -> str:
    """The end of a name, lower-case with its dot, or empty."""
    return PurePath(name).suffix.lower()


def _name(part: str, reader: ContainerReader) -> str:
    return f"part{reader.part_suffix}" if reader.part_suffix else part


def _reader(file: BinaryIO, name: str) -> ContainerReader:
    found = container_format(file, suffix_of(name))
    if found is None:
        raise _changed()
    return CONTAINERS[found.mime]


def _check_unchanged(file: BinaryIO, path: str, place: PartPlace) -> None:
    if is_upload(path):  # its path names its content
        return
    status = os.fstat(file.fileno())
    if (status.st_size, status.st_mtime_ns) != (place.size, place.modified_ns):
        raise _changed()


def _changed() -> ExtractError:
    return ExtractError(
        "unreadable", "The file that holds it has changed since it was opened; the next scan reads it again."
    )
