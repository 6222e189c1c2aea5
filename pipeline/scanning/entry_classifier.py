"""What one directory entry is to a walk: a file to report, a folder to enter, a warning, or nothing to report.

Remembers the files and folders that one walk has met, so that each is reported once. Runs in a thread, never on the
loop.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pipeline.scanning.passed_over_files import is_passed_over_directory, is_passed_over_file
from pipeline.scanning.walk_rules import WalkRules
from semantik.core.document_roots import is_inside, never_read, resolved
from semantik.core.globs import Globs, expand_folder_globs
from semantik.core.scan_entries import FoundFile, ScanEntry, ScanWarning, SkippedEntry

MAX_NS = (1 << 63) - 1  # the largest time of a file that is reported as it is: 64 bits, signed


@dataclass(frozen=True)
class Folder:
    """A folder to enter: its path as the walk names it, and that with its symlinks resolved."""

    path: str
    real: str


class EntryClassifier:
    """Classifies the entries of one walk from `root`. Not for two walks, since it remembers what it has seen."""

    def __init__(self, root: Path, rules: WalkRules) -> None:
        self.root = Folder(str(root), os.path.realpath(root))
        self._relative = slice(len(self.root.path.rstrip("/")) + 1, None)
        self._real_relative = slice(len(self.root.real.rstrip("/")) + 1, None)
        self._roots = resolved(rules.roots)
        self._forbidden = never_read(rules.forbidden)
        self._exclude = Globs(rules.exclude)
        self._excluded = rules.excluded
        self._include = Globs(expand_folder_globs(rules.include))
        self._recursive = rules.recursive
        self._folders: set[int] = set()
        self._linked_files: set[int] = set()

    def enter(self, status: os.stat_result) -> bool:
        """Note that the walk is in a folder; False when it was there before."""
        identity = _identity(status)
        is_new = identity not in self._folders
        self._folders.add(identity)
        return is_new

    def classify(self, entry: os.DirEntry[str], folder: Folder) -> ScanEntry | Folder:
        """What an entry of `folder` is. Raises nothing: an entry that cannot be read is a warning."""
        path = entry.path
        link = False
        try:
            link = entry.is_symlink()
            is_folder = entry.is_dir(follow_symlinks=False)
            if self._exclude.match(path[self._relative], is_folder) or (
                is_passed_over_directory(entry)
                if is_folder
                else is_passed_over_file(entry) or path[self._relative] in self._excluded
            ):
                return SkippedEntry(printable(path))
            if not _is_utf8(path):
                return ScanWarning(printable(path), "The name is not UTF-8: rename it to have it read.")
            status = entry.stat()
            real = os.path.realpath(path) if link else f"{folder.real.rstrip('/')}/{entry.name}"
        except FileNotFoundError:
            return ScanWarning(
                printable(path),
                "The symbolic link leads nowhere." if link else "It vanished during the scan.",
            )
        except OSError as error:
            return ScanWarning(printable(path), f"It cannot be read: {error.strerror}.")
        if link and (not is_inside(real, self._roots) or is_inside(real, self._forbidden)):
            return ScanWarning(path, "The symbolic link leads out of the folders that may be read.")
        is_folder = stat.S_ISDIR(status.st_mode)
        if link and self._is_met_without_link(real, is_folder):
            return SkippedEntry(path)
        if is_folder:
            skipped = not self._recursive or is_inside(real, self._forbidden)
            return SkippedEntry(path) if skipped else Folder(path, real)
        if not stat.S_ISREG(status.st_mode):
            return ScanWarning(path, f"It is {_kind(status.st_mode)}, not a file.", hides_files=False)
        return self._classify_file(entry, folder, status, link)

    def may_skip_classification(self, folder: Folder) -> bool:
        """Whether a file of `folder` with one name and no symlink is reported unless its name is excluded."""
        return not self._include and is_inside(folder.real, (self.root.real,)) and _is_utf8(folder.path)

    def relative_path(self, path: str) -> str:
        """A path below the root, relative to it; empty for the root."""
        return path[self._relative]

    def is_excluded_file(self, entry: os.DirEntry[str], relative_path: str) -> bool:
        return (
            self._exclude.match(relative_path)
            or relative_path in self._excluded
            or is_passed_over_file(entry)
        )

    def _classify_file(
        self, entry: os.DirEntry[str], folder: Folder, status: os.stat_result, link: bool
    ) -> ScanEntry:
        path = entry.path
        if not self._is_included(path[self._relative]):
            return SkippedEntry(path)
        # Only a file with several names can be met twice: remembering just those keeps a million files cheap. A file
        # that a link led to from outside the root may have a second link to it there.
        if link or status.st_nlink > 1 or not is_inside(folder.real, (self.root.real,)):
            identity = _identity(status)
            if identity in self._linked_files:
                return SkippedEntry(path)
            self._linked_files.add(identity)
        # A clock that was set wrong may date a file beyond the year 2262, which 64 bits of nanoseconds cannot hold.
        modified_ns = max(-MAX_NS, min(status.st_mtime_ns, MAX_NS))
        return FoundFile(path, status.st_size, modified_ns, _extension(entry.name))

    def _is_included(self, relative_path: str) -> bool:
        return not self._include or self._include.match(relative_path)

    def _is_met_without_link(self, real: str, is_folder: bool) -> bool:
        """Whether this walk comes to a symlink's target by the target's own path, too."""
        if not is_inside(real, (self.root.real,)) or not _is_utf8(real):
            return False
        path = real[self._real_relative]
        parents = [path[:at] for at, char in enumerate(path) if char == "/"]
        if (parents and not self._recursive) or any(
            self._exclude.match(parent, folder=True) for parent in parents
        ):
            return False
        return not self._exclude.match(path, is_folder) and (is_folder or self._is_included(path))


def printable(path: str) -> str:
    """A path for a person to read: bytes that are no UTF-8 are shown as \\xNN."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _identity(status: os.stat_result) -> int:
    """Which file or folder it is, on which device, in half the memory of a pair."""
    return status.st_dev << 64 | status.st_ino


def _extension(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:].lower() if 0 < dot < len(name) - 1 else ""


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kind(mode: int) -> str:
    for test, name in ((stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket")):
        if test(mode):
            return name
    return "a device"
