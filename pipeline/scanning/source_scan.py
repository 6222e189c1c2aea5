"""The state of one source's scan, shared by its two steps: registering files, and finding the missing ones. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.scanning.seen_files import SeenFiles


@dataclass
class SourceScan:
    """What the scan of a source has found so far; the counts are files.

    seen: the files that the operation's scans have seen; all of them share it.
    previous_digests: what the last complete scan stored of each folder; None if it does not hold any more.
    digests: what this one will store, once it is `complete`.
    unread: the paths whose content this one could not see.
    truncated: it stopped at the largest number of files.
    moved: so many of the new files are known ones under another name.
    """

    seen: SeenFiles
    previous_digests: dict[str, bytes] | None
    digests: dict[str, bytes] = field(default_factory=dict)
    complete: bool = False
    files: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    unread: list[str] = field(default_factory=list)
    truncated: bool = False
    moved: int = 0
    duration_s: float = 0.0
