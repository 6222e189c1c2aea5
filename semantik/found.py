"""What a walk through folders tells of each entry: the words between the walk and those who want it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


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
class Passed:
    """An entry that was looked at and is no file to tell of: a folder, something excluded, a second name."""

    path: str


Found = FoundFile | ScanWarning | Passed
