"""The entries that a walk through folders yields, for the operations and for the scans of the page. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

_DIGEST_BYTES = 16


@dataclass(frozen=True)
class FoundFile:
    """A regular file below the source; `extension` is lower-case with its dot, or empty."""

    path: str
    size: int
    modified_ns: int
    extension: str


@dataclass(frozen=True)
class ScanWarning:
    """An entry that was skipped, and why, in a sentence. `hides_files`: there may be files that the walk cannot see."""

    path: str
    message: str
    hides_files: bool = True


@dataclass(frozen=True)
class SkippedEntry:
    """A scanned entry that is not reported as a file: a folder, an excluded entry, a second name of a file."""

    path: str


@dataclass(frozen=True)
class FolderListing:
    """What a walk found in one folder: its files, as (name, size, modified_ns) in the order of their names, and a
    warning for each entry that cannot be read. Of files that a connector has fetched, `origins` has by name what it
    knows of them."""

    folder: str
    files: list[tuple[str, int, int]]
    warnings: list[ScanWarning]
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def path(self, name: str) -> str:
        return f"{self.folder.rstrip('/')}/{name}"

    @property
    def digest(self) -> bytes:
        """A hash of the files and warnings, 16 bytes. It is unambiguous because no name contains a slash."""
        lines = [f"{name}/{size}/{modified_ns}" for name, size, modified_ns in self.files]
        lines += [f"/{warning.path}/{warning.message}" for warning in self.warnings]
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=_DIGEST_BYTES).digest()


def hashed(digest: bytes, *texts: str) -> bytes:
    """A digest of a digest and of texts that decide, too, what is made of the files."""
    return hashlib.blake2b(b"\0".join((digest, *map(str.encode, texts))), digest_size=_DIGEST_BYTES).digest()


ScanEntry = FoundFile | ScanWarning | SkippedEntry
