"""The versions of the readers: everything that decides which chunks a file becomes. Runs on the server's loop.

Each document keeps the version of what read it (`version_for`). A scan reads documents with another version again, and
a REINDEX takes over the chunks of unchanged files only from documents with the present one. The versions are made from
the table of readers, so no reader can be forgotten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version

from pipeline.extraction.container_reader import CONTAINERS, ContainerReader
from pipeline.extraction.format_reader import READERS, Reader

Versioned = Reader | ContainerReader

_DETECTION = 5  # goes up when `formats` finds another format for the same file, or `extract` joins texts in another way
_CHUNKER = 4  # goes up when `chunker` makes other chunks of the same text
_CHUNKER_LIBRARIES = ("semantic-text-splitter",)
_WITH_ATTACHMENTS = ("message/rfc822", "application/vnd.ms-outlook")  # any reader may read a part of them


@cache
def reader_version() -> str:
    """The version of everything between files and chunks, for comparison with a stored one: 16 hex digits."""
    return version_of([*READERS.values(), *CONTAINERS.values()])


@cache
def version_for(mime: str | None) -> str:
    """The version of what reads files of a MIME type, like "pdf-2 chunker-2 pypdfium2-5.0 …".

    For formats that contain any others, and for files that could not be read (None), it is `reader_version`.
    """
    reader = READERS.get(mime or "") or CONTAINERS.get(mime or "")
    return reader_version() if reader is None or mime in _WITH_ATTACHMENTS else _of_reader(reader)


@cache
def current_versions() -> frozenset[str]:
    """All that `version_for` returns."""
    return frozenset({reader_version(), *map(version_for, [*READERS, *CONTAINERS])})


def version_of(readers: Iterable[Versioned]) -> str:
    """A digest of the versions of a set of readers, in any order, with those of detection and chunker."""
    versions = sorted({_of_reader(reader) for reader in readers})
    text = "\n".join([f"detection-{_DETECTION}", *versions])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _of_reader(reader: Versioned) -> str:
    libraries = sorted({*reader.libraries, *_CHUNKER_LIBRARIES})
    own = [f"{reader.name}-{reader.version}", f"chunker-{_CHUNKER}"]
    return " ".join([*own, *(f"{name}-{version(name)}" for name in libraries)])
