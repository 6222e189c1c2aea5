"""Every document in a file: the file itself or, of a container, its parts, and theirs. Needs no worker process."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.compute.messages import FileTask, PartPlace, ReadContainer
from pipeline.extraction.container_format import container_format
from pipeline.extraction.content import ExtractError
from pipeline.extraction.file_access import read_open
from pipeline.extraction.part import ContainerLimits
from pipeline.workers.container_listing import list_parts
from pipeline.workers.open_files import OpenFiles, suffix_of

_ANYWHERE = ("/",)

Found = tuple[str, str, bytes | ExtractError]
"""The path that a document is shown with, the name whose end may tell its format, and its bytes or why it has none."""


def contained_files(path: str, size_limit: int, limits: ContainerLimits) -> Iterator[Found]:
    """The documents in the file at `path`, one after the other; each may have `size_limit` bytes."""
    with OpenFiles((), size_limit) as files:
        yield from _within(files, FileTask("", path, 0, roots=_ANYWHERE), size_limit, limits)


def _within(files: OpenFiles, task: FileTask, size_limit: int, limits: ContainerLimits) -> Iterator[Found]:
    try:
        with files.open(task) as (opened, name):
            found = container_format(opened, suffix_of(name))
            read = list_parts(task, opened, found, limits) if found else read_open(opened, size_limit)
    except ExtractError as error:
        yield task.name, task.name, error
        return
    if isinstance(read, bytes):
        yield task.name, name, read
        return
    yield from _parts(files, task, read, size_limit, limits)


def _parts(
    files: OpenFiles, task: FileTask, read: ReadContainer, size_limit: int, limits: ContainerLimits
) -> Iterator[Found]:
    steps = task.place.steps if task.place else ()
    size = task.place.size if task.place else read.size
    modified_ns = task.place.modified_ns if task.place else read.modified_ns
    assert read.parts is not None and size is not None and modified_ns is not None
    for name, _, _, locator in read.parts:
        place = PartPlace((*steps, (name, locator)), size, modified_ns)
        yield from _within(
            files, FileTask("", task.path, 0, None, place, roots=_ANYWHERE), size_limit, limits
        )
