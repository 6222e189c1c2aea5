"""Files inside tar archives, plain or gzipped. A gzipped one is unpacked into a nameless temporary file.

Runs in the worker processes.
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import weakref
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.extraction.content import ExtractError
from pipeline.extraction.part import ContainerLimits, Part, UniqueNames, shown_path
from pipeline.extraction.spool import temporary_file

_BLOCK = 1 << 20
_MAX_UNPACKED = 4 << 30  # bytes of a gzipped archive in the temporary file; what follows is not read
_ERRORS = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError)


class TarReader:
    """A locator is "offset:length" of a member's bytes in the archive, unpacked."""

    name = "tar"
    version = 1
    libraries: tuple[str, ...] = ()
    part_suffix = ""

    def __init__(self) -> None:
        self._unpacked: weakref.WeakKeyDictionary[BinaryIO, _Unpacked] = weakref.WeakKeyDictionary()

    def parts(self, file: BinaryIO, limits: ContainerLimits) -> Iterator[Part]:
        names = UniqueNames()
        try:
            archive_file = self._archive(file, min(limits.max_bytes, _MAX_UNPACKED))
            with tarfile.open(fileobj=archive_file, mode="r:") as archive:
                while (member := archive.next()) is not None:
                    archive.members = []  # type: ignore[attr-defined]  # otherwise all of them stay in memory
                    if member.isreg() and not member.issparse():
                        digest = _digest(archive_file, member.offset_data, member.size)
                        locator = f"{member.offset_data}:{member.size}"
                        yield Part(names.add(shown_path(member.name)), member.size, digest, locator)
        except _ERRORS as error:
            raise ExtractError("corrupt", "The tar archive is damaged.") from error

    def read(self, file: BinaryIO, locator: str, size_limit: int) -> bytes:
        offset, size = map(int, locator.split(":"))
        if size > size_limit:
            raise ExtractError(
                "too_large",
                f"The inner file has {size:,} bytes, and at most {size_limit:,} are read "
                "(documents.max_file_bytes).",
            )
        try:
            archive_file = self._archive(file, offset + size)
            archive_file.seek(offset)
            data = archive_file.read(size)
        except _ERRORS as error:
            raise ExtractError("corrupt", "The tar archive is damaged.") from error
        if len(data) < size:
            raise ExtractError("corrupt", "The inner file is cut off.")
        return data

    def _archive(self, file: BinaryIO, size: int) -> BinaryIO:
        """The archive itself; of a gzipped one at least the first `size` bytes, if it has so many."""
        file.seek(0)
        if file.read(2) != b"\x1f\x8b":
            file.seek(0)
            return file
        unpacked = self._unpacked.get(file)
        if unpacked is None:
            file.seek(0)
            unpacked = self._unpacked[file] = _Unpacked(gzip.GzipFile(fileobj=file), temporary_file())
        unpacked.extend(size)
        unpacked.file.seek(0)
        return unpacked.file


@dataclass
class _Unpacked:
    """The beginning of a gzipped file, unpacked into `file`."""

    stream: gzip.GzipFile
    file: BinaryIO
    size: int = 0

    def extend(self, size: int) -> None:
        self.file.seek(self.size)
        while self.size < size and (block := self.stream.read(min(_BLOCK, size - self.size))):
            self.file.write(block)
            self.size += len(block)


def _digest(file: BinaryIO, offset: int, size: int) -> str:
    digest = hashlib.blake2b(digest_size=16)
    file.seek(offset)
    while size > 0 and (block := file.read(min(_BLOCK, size))):
        digest.update(block)
        size -= len(block)
    if size:
        raise EOFError
    return digest.hexdigest()
