"""Walks a folder tree and reports its files. Runs in a thread of the server, never on the loop.

Knows neither stores nor operations; what a single entry is, is decided in `entry_classifier.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from pathlib import Path

from pipeline.scanning.entry_classifier import MAX_NS, EntryClassifier, Folder, printable
from pipeline.scanning.walk_rules import WalkRules
from semantik.core.scan_entries import FolderListing, FoundFile, ScanEntry, ScanWarning, SkippedEntry

_ENTRIES_AT_ONCE = 10_000


class WalkStopped(Exception):
    """The walk was told to stop: nobody waits for its results any more."""


def walk(
    root: Path, rules: WalkRules, is_stopped: Callable[[], bool] = lambda: False
) -> Iterator[FolderListing]:
    """Every folder from `root` on, with each file once, in a fixed order.

    What cannot be read is a ScanWarning, never an error. A folder's entries are held in memory together.
    `is_stopped` is asked at every entry, also of a folder with very many; once it says so, WalkStopped is raised.
    """
    return _Walk(root, rules, None, is_stopped).listings()


def walk_entries(root: Path, rules: WalkRules) -> Generator[ScanEntry, None, None]:
    """The same walk, which yields every entry it looks at, so that a caller can show it and stop at any of them.

    The order is fixed in folders of up to 10 000 entries; a larger one is read in parts, and never held in memory.
    """
    return _Walk(root, rules, _ENTRIES_AT_ONCE).entries()


class _Walk:
    """One walk: depth first, a folder's own files before its sub-folders."""

    def __init__(
        self,
        root: Path,
        rules: WalkRules,
        entries_at_once: int | None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._classifier = EntryClassifier(root, rules)
        self._entries_at_once = entries_at_once
        self._is_stopped = is_stopped

    def entries(self) -> Generator[ScanEntry, None, None]:
        root = self._classifier.root
        pending = [root]
        while pending:
            folder = pending.pop()
            subfolders: list[Folder] = []
            try:
                for entries in self._read(folder):
                    if entries is None and folder.path != root.path:
                        yield SkippedEntry(folder.path)
                    for entry in entries or ():
                        found = self._classifier.classify(entry, folder)
                        if isinstance(found, Folder):
                            subfolders.append(found)
                        else:
                            yield found
            except OSError as error:
                yield _unreadable(folder, error)
            pending += reversed(subfolders)

    def listings(self) -> Iterator[FolderListing]:
        pending = [self._classifier.root]
        while pending:
            folder = pending.pop()
            listing = FolderListing(folder.path, [], [])
            subfolders: list[Folder] = []
            try:
                for entries in self._read(folder):
                    self._add(entries or [], folder, listing, subfolders)
            except OSError as error:
                listing.warnings.append(_unreadable(folder, error))
            yield listing
            pending += reversed(subfolders)

    def _read(self, folder: Folder) -> Iterator[list[os.DirEntry[str]] | None]:
        """None once the folder is open, then its entries; no entries where the walk has been there before."""
        status = Path(folder.path).stat()
        with os.scandir(folder.path) as scan:
            yield None
            if not self._classifier.enter(status):
                return
            while entries := sorted(islice(scan, self._entries_at_once), key=lambda entry: entry.name):
                yield entries

    def _add(
        self,
        entries: list[os.DirEntry[str]],
        folder: Folder,
        listing: FolderListing,
        subfolders: list[Folder],
    ) -> None:
        """Sort entries into `listing` and `subfolders`, with a shortcut for plain files, which nearly all are."""
        classifier = self._classifier
        prefix = classifier.relative_path(folder.path)
        prefix = f"{prefix}/" if prefix else ""
        shortcut = classifier.may_skip_classification(folder)
        for entry in entries:
            if self._is_stopped():
                raise WalkStopped
            name = entry.name
            if shortcut and name.isascii() and entry.is_file(follow_symlinks=False):
                if classifier.is_excluded_file(entry, prefix + name):
                    continue
                status = _plain_status(entry)
                if status is not None:
                    listing.files.append((name, status.st_size, status.st_mtime_ns))
                    continue
            found = classifier.classify(entry, folder)
            if isinstance(found, Folder):
                subfolders.append(found)
            elif isinstance(found, FoundFile):
                listing.files.append((name, found.size, found.modified_ns))
            elif isinstance(found, ScanWarning):
                listing.warnings.append(found)


def _plain_status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """The status of a file with one name and a usual time; None where the classifier has to look closer."""
    try:
        status = entry.stat()
    except OSError:
        return None
    return status if status.st_nlink == 1 and -MAX_NS <= status.st_mtime_ns <= MAX_NS else None


def _unreadable(folder: Folder, error: OSError) -> ScanWarning:
    return ScanWarning(printable(folder.path), f"The folder cannot be read: {error.strerror}.")
