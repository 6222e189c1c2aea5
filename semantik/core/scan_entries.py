"""What a walk through folders yields for each entry. Pure."""

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
    """An entry that was skipped, and why, in a sentence. `hides_files`: there may be files that the walk cannot see."""

    path: str
    message: str
    hides_files: bool = True


@dataclass(frozen=True)
class SkippedEntry:
    """An entry that is no file to report: a folder, something excluded, or a second name of a file."""

    path: str


@dataclass(frozen=True)
class FolderListing:
    """What a walk has found in one folder: files as (name, size, modified_ns), ordered by name, and warnings."""

    folder: str
    files: list[tuple[str, int, int]]
    warnings: list[ScanWarning]

    def path(self, name: str) -> str:
        return f"{self.folder.rstrip('/')}/{name}"

    @property
    def digest(self) -> bytes:
        """Equal for equal files and warnings. The slashes separate the fields: no name has one."""
        lines = [f"{name}/{size}/{modified_ns}" for name, size, modified_ns in self.files]
        lines += [f"/{warning.path}/{warning.message}" for warning in self.warnings]
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=_DIGEST_BYTES).digest()


ScanEntry = FoundFile | ScanWarning | SkippedEntry
