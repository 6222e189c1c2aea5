"""The reader version: names everything that decides which chunks a file becomes. Runs on the server's loop.

It is stored with each generation of a collection. As long as it is the same, a REINDEX takes over the chunks of files
that have not changed; when it differs, all files are read again.

One string for all formats: a generation has a single field for it. It is made from the table of readers, so no reader
can be forgotten. A new build with the same string costs nothing; with another one, the next REINDEX of each collection
is a full one. APPEND compares files, not readers, so nothing is read again by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import version

from pipeline.extraction.container_reader import CONTAINERS, ContainerReader
from pipeline.extraction.format_reader import READERS, FormatReader

_DETECTION = 2  # goes up when `formats` finds another format for the same file, or `extract` joins texts in another way
_CHUNKER = 1  # goes up when `chunker` makes other chunks of the same text
_CHUNKER_LIBRARIES = ("semantic-text-splitter",)


@cache
def reader_version() -> str:
    """The version of everything between a file's bytes and its chunks, like "detection-2 ... kreuzberg-4.10.4 ..."."""
    return version_of([*READERS.values(), *CONTAINERS.values()])


def version_of(readers: Iterable[FormatReader | ContainerReader]) -> str:
    """The reader version for a set of readers: their own versions, then those of their libraries."""
    by_name = {reader.name: reader for reader in readers}
    own = [f"{name}-{reader.version}" for name, reader in sorted(by_name.items())]
    versions = " ".join([f"detection-{_DETECTION}", *own, f"chunker-{_CHUNKER}"])
    libraries = {name for reader in by_name.values() for name in reader.libraries}
    return " ".join(
        [versions, *(f"{name}-{version(name)}" for name in sorted(libraries | set(_CHUNKER_LIBRARIES)))]
    )
