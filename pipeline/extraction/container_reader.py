"""The seam for containers: files that hold files of their own, each of which becomes a document.

To add a format:

1. Write a class with the members of `ContainerReader` in a module of `pipeline/extraction/containers`. It gets an open
   file, which may be larger than the memory, and runs in a worker process that may be killed at any time.
2. Put an instance into `CONTAINERS` below, under its MIME type.
3. See that `formats.detect` returns this MIME type for the first 64 KiB of such a file (`container_format.py`).

`part.py` has what a reader returns, and names that are unique. A reader whose parts get other names, digests or bytes
raises its `version`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Protocol

from pipeline.extraction.containers.mbox import MailboxReader
from pipeline.extraction.containers.tar import TarReader
from pipeline.extraction.containers.zip import ZipReader
from pipeline.extraction.part import ContainerLimits, Part

__all__ = ["CONTAINERS", "ContainerLimits", "ContainerReader", "Part"]


class ContainerReader(Protocol):
    """Lists the parts of a container, and reads one. It keeps no state that belongs to one file."""

    @property
    def name(self) -> str:
        """Unique among all readers; part of the stored reader version."""

    @property
    def version(self) -> int:
        """Starts with 1, and goes up whenever the reader makes other parts of the same file."""

    @property
    def libraries(self) -> tuple[str, ...]:
        """The distributions that decide what comes out; their versions are part of the reader version."""

    @property
    def part_suffix(self) -> str:
        """What tells the format of a part besides its bytes, like ".eml"; empty: the end of its name."""

    def parts(self, file: BinaryIO, limits: ContainerLimits) -> Iterator[Part]:
        """The parts of a seekable file, in their order there; the file is never whole in memory.

        Raises ExtractError, also after some parts.
        """

    def read(self, file: BinaryIO, locator: str, size_limit: int) -> bytes:
        """The bytes of the part at `locator` of the same file, at most `size_limit`. Raises ExtractError."""


_tar = TarReader()

CONTAINERS: Mapping[str, ContainerReader] = {
    "application/zip": ZipReader(),
    "application/mbox": MailboxReader(),
    "application/x-tar": _tar,
    "application/x-compressed-tar": _tar,
}
