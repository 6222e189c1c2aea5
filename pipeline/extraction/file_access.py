"""Opens and reads one file, with every check that a scan cannot make.

The server opens files, in a thread, and hands them over to its workers, which cannot open any themselves.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.extraction.content import ExtractError
from semantik.core.document_roots import ReadableFolders, is_inside
from semantik.core.kept_files import kept_file
from semantik.core.upload_paths import content_file, content_of


@dataclass(frozen=True)
class Places:
    """Where files may lie: below `roots`, and not below `forbidden`; or, for a source that is no folder, in the folder
    `kept` of the data folder, whatever else is forbidden there (`semantik/core/kept_files.py`).

    `uploads` is the folder with the contents of uploaded documents, which only their own paths lead to.
    """

    roots: tuple[str, ...]
    forbidden: tuple[str, ...]
    kept: str = ""
    uploads: str = ""


Handed = Mapping[str, int | ExtractError]
"""The descriptor of each file that was opened for this process, by its path, or why it could not be opened."""
_handed_over: Handed | None = None


def hand_over(files: Handed | None) -> None:
    """From now on `opened` knows these files and no others in this process; with None it opens them itself."""
    global _handed_over
    _handed_over = files


@contextmanager
def opened(path: str, places: Places, readable: ReadableFolders | None = None) -> Iterator[BinaryIO]:
    """A regular file in one of the places, open for reading. Raises ExtractError, also for errors inside the block.

    `readable` are the folders of the places, where they were made for a task with many files.
    """
    handed_over = _handed_over
    if handed_over is None:
        with _opened_here(path, places, readable) as file:
            yield file
        return
    handed = handed_over[path]
    if isinstance(handed, ExtractError):
        raise handed
    try:
        with os.fdopen(os.dup(handed), "rb") as file:
            file.seek(0)
            yield file
    except OSError as error:
        raise ExtractError("unreadable", f"The file cannot be read: {error.strerror}.") from error


@contextmanager
def _opened_here(path: str, places: Places, readable: ReadableFolders | None) -> Iterator[BinaryIO]:
    try:
        own = kept_file(os.path.realpath(places.kept), path) if places.kept else _uploaded(path, places)
        with open(own or path, "rb", opener=_open) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ExtractError("unsupported", "This is not a regular file.")
            real = Path(f"/proc/self/fd/{file.fileno()}").readlink()
            # A link may have taken the place of the file, or of a folder above it, since the scan.
            folders = readable or ReadableFolders(places.roots, places.forbidden)
            if real != own and (places.kept or not folders.hold(real)):
                raise ExtractError("unreadable", "The file leads out of the folders that may be read.")
            yield file
    except FileNotFoundError as error:
        raise ExtractError("unreadable", "The file is no longer there.") from error
    except PermissionError as error:
        raise ExtractError("unreadable", "The server has no permission to read this file.") from error
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.EISDIR):  # a socket, a folder
            raise ExtractError("unsupported", "This is not a regular file.") from error
        raise ExtractError("unreadable", f"The file cannot be read: {error.strerror}.") from error


def _open(path: str, flags: int) -> int:
    # Without O_NONBLOCK a FIFO that took the file's place would wait for a writer, perhaps for ever.
    return os.open(path, flags | os.O_NONBLOCK)


def _uploaded(path: str, places: Places) -> Path | None:
    """The file of an uploaded document: it lies in the data folder, of which nothing else is read; else None."""
    content = content_of(path)
    if content is None or not places.uploads or not is_inside(path, places.roots):
        return None
    return content_file(Path(os.path.realpath(places.uploads)), content)


def read(path: str, size_limit: int, places: Places) -> bytes:
    """The bytes of a file, read once; a file with more than `size_limit` is refused. Raises ExtractError."""
    with opened(path, places) as file:
        return read_open(file, size_limit)


def read_open(file: BinaryIO, size_limit: int) -> bytes:
    """The bytes of an open file, read once; a file with more than `size_limit` is refused. Raises ExtractError."""
    try:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
    except OSError:  # a file of the kernel has no end before it is read
        size = 0
    data = file.read(size_limit + 1) if size <= size_limit else b""
    if size > size_limit or len(data) > size_limit:
        raise ExtractError(
            "too_large",
            f"The file has {max(size, len(data)):,} bytes, and at most {size_limit:,} are read "
            "(documents.max_file_bytes).",
        )
    if not data:
        raise ExtractError("empty", "The file is empty.", skipped=True)
    return data
