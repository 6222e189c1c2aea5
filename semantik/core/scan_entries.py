"""What a walk through folders tells of each entry: the words between the walk and those who want it. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

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
    """Something that was passed over, and why, in a sentence; `seen` when it was looked at, and is no file."""

    path: str
    message: str
    seen: bool = False


@dataclass(frozen=True)
class SkippedEntry:
    """An entry that was looked at and is no file to tell of: a folder, something excluded, a second name."""

    path: str


@dataclass(frozen=True)
class FolderListing:
    """What a walk has found in one folder: its files, as (name, size, modified_ns) in the order of their names, and
    what cannot be read."""

    folder: str
    files: list[tuple[str, int, int]]
    warnings: list[ScanWarning]

    def path(self, name: str) -> str:
        return f"{self.folder.rstrip('/')}/{name}"

    @property
    def digest(self) -> bytes:
        """The same for the same files and warnings; no name has a slash in it."""
        lines = [f"{name}/{size}/{modified_ns}" for name, size, modified_ns in self.files]
        lines += [f"/{warning.path}/{warning.message}" for warning in self.warnings]
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=_DIGEST_BYTES).digest()


ScanEntry = FoundFile | ScanWarning | SkippedEntry
