"""Walks folders and tells which files may be read. Pure; runs in a thread of the server, never on the loop."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from semantik.core.errors import Forbidden, Invalid
from semantik.core.globs import Globs, expand_folder_globs
from semantik.core.scan_entries import FolderListing, FoundFile, ScanEntry, ScanWarning, SkippedEntry

__all__ = [
    "FolderListing",
    "FoundFile",
    "ScanWarning",
    "WalkRules",
    "may_be_read",
    "resolve_source",
    "walk",
    "walk_entries",
]

_MAX_NS = (1 << 63) - 1
_TOGETHER = 10_000
SYSTEM_FOLDERS = tuple(Path(each) for each in ("/proc", "/sys", "/dev", "/run"))


@dataclass(frozen=True)
class WalkRules:
    """Where a walk may lead (`roots`, but never into `forbidden`), and which names count (see semantik/core/globs.py).

    What matches a glob of `exclude` is passed over silently, files and folders alike; with `include` only files
    that match one of its globs are reported. `recursive=False` keeps to the folder's own files.
    """

    roots: tuple[str, ...]
    exclude: tuple[str, ...]
    forbidden: tuple[Path, ...] = ()
    include: tuple[str, ...] = ()
    recursive: bool = True


def resolve_source(path: str, roots: Sequence[str], forbidden: Sequence[Path]) -> Path:
    """The folder that `path` means, symlinks resolved.

    Raises Invalid when there is no such readable folder, Forbidden when it lies outside `roots` or in a folder that
    is never read: the system's, or one of `forbidden` (the server's own data).
    """
    if not path.strip():
        raise Invalid("The path of a folder is expected, and this one is empty.")
    if "\0" in path:
        raise Invalid("The path holds a NUL character, which no path can.")
    if not Path(path).is_absolute():
        raise Invalid(f"{path!r} is not an absolute path: begin it with a slash.")
    try:
        folder = Path(path).resolve(strict=True)
        # The limits come before what is there: what lies outside them is nobody's to find out.
        _refuse_outside(folder, path, roots, forbidden)
        if not folder.is_dir():
            raise Invalid(f"{path} is not a folder.")
        with os.scandir(folder):
            return folder
    except FileNotFoundError as error:
        _refuse_outside(Path(os.path.realpath(path)), path, roots, forbidden)
        raise Invalid(f"There is no folder {path} on the server's machine.") from error
    except PermissionError as error:
        raise Invalid(f"The server has no permission to read the folder {path}.") from error
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "its symlinks form a loop"
        raise Invalid(f"The folder {path} cannot be read: {reason}.") from error


def may_be_read(real: Path, roots: Sequence[str], forbidden: Sequence[str | Path]) -> bool:
    """Whether a resolved path lies below a root, and in no folder that is never read."""
    return _below(real, roots) and not _below(real, (*SYSTEM_FOLDERS, *_resolved(forbidden)))


def _refuse_outside(real: Path, path: str, roots: Sequence[str], forbidden: Sequence[Path]) -> None:
    if not _below(real, roots):
        raise Forbidden(f"{path} is outside the folders that may be read (documents.roots).")
    if not may_be_read(real, roots, forbidden):
        raise Forbidden(f"{path} is in a folder that is never read: the system's, or the server's own data.")


def walk(root: Path, rules: WalkRules) -> Iterator[FolderListing]:
    """Every folder from `root` on, with each file once, in a fixed order; what cannot be read is a ScanWarning, never
    an error."""
    return _Walk(root, rules, None).listings()


def walk_entries(root: Path, rules: WalkRules) -> Generator[ScanEntry, None, None]:
    """The same walk, telling of every entry it looks at, so that it can be shown and left at any of them.

    The order is fixed in folders of up to 10 000 entries; a larger one is read piece by piece, never held whole.
    """
    return _Walk(root, rules, _TOGETHER).entries()


@dataclass(frozen=True)
class _Folder:
    """A folder to go into: its path as it was met, and that with its symlinks resolved."""

    path: str
    real: str


class _Walk:
    """What one walk remembers: the folders it has been to, and the files that more than one name leads to."""

    def __init__(self, root: Path, rules: WalkRules, together: int | None) -> None:
        self._root = str(root)
        self._real_root = os.path.realpath(root)
        self._relative = slice(len(self._root.rstrip("/")) + 1, None)
        self._real_relative = slice(len(self._real_root.rstrip("/")) + 1, None)
        self._roots = tuple(str(each) for each in _resolved(rules.roots))
        self._forbidden = tuple(str(each) for each in (*SYSTEM_FOLDERS, *_resolved(rules.forbidden)))
        self._exclude = Globs(rules.exclude)
        self._include = Globs(expand_folder_globs(rules.include))
        self._recursive = rules.recursive
        self._together = together
        self._folders: set[int] = set()
        self._linked: set[int] = set()

    def entries(self) -> Generator[ScanEntry, None, None]:
        waiting = [_Folder(self._root, self._real_root)]
        while waiting:
            folder = waiting.pop()
            below: list[_Folder] = []
            try:
                for entries in self._enter(folder):
                    if entries is None and folder.path != self._root:
                        yield SkippedEntry(folder.path)
                    for entry in entries or ():
                        found = self._look(entry, folder)
                        if isinstance(found, _Folder):
                            below.append(found)
                        else:
                            yield found
            except OSError as error:
                yield _shut(folder, error)
            waiting += reversed(below)

    def listings(self) -> Iterator[FolderListing]:
        waiting = [_Folder(self._root, self._real_root)]
        while waiting:
            folder = waiting.pop()
            listing = FolderListing(folder.path, [], [])
            below: list[_Folder] = []
            try:
                for entries in self._enter(folder):
                    self._list(entries or [], folder, listing, below)
            except OSError as error:
                listing.warnings.append(_shut(folder, error))
            yield listing
            waiting += reversed(below)

    def _enter(self, folder: _Folder) -> Iterator[list[os.DirEntry[str]] | None]:
        """None once the folder is open, then what lies in it; nothing, where the walk has been there before."""
        identity = _identity(Path(folder.path).stat())
        with os.scandir(folder.path) as listing:
            yield None
            if identity in self._folders:
                return
            self._folders.add(identity)
            while entries := sorted(islice(listing, self._together), key=lambda entry: entry.name):
                yield entries

    def _list(
        self, entries: list[os.DirEntry[str]], folder: _Folder, listing: FolderListing, below: list[_Folder]
    ) -> None:
        """Sort entries by what they are. Of a million files nearly all are plain ones, which take a short way."""
        start = folder.path[self._relative]
        start = f"{start}/" if start else ""
        here = _inside(folder.real, (self._real_root,)) and not self._include and _is_utf8(folder.path)
        for entry in entries:
            name = entry.name
            if here and name.isascii() and entry.is_file(follow_symlinks=False):
                if self._exclude.match(start + name):
                    continue
                try:
                    status = entry.stat()
                except OSError:
                    pass  # what it is comes out below
                else:
                    if status.st_nlink == 1 and -_MAX_NS <= status.st_mtime_ns <= _MAX_NS:
                        listing.files.append((name, status.st_size, status.st_mtime_ns))
                        continue
            found = self._look(entry, folder)
            if isinstance(found, _Folder):
                below.append(found)
            elif isinstance(found, FoundFile):
                listing.files.append((name, found.size, found.modified_ns))
            elif isinstance(found, ScanWarning):
                listing.warnings.append(found)

    def _look(self, entry: os.DirEntry[str], folder: _Folder) -> ScanEntry | _Folder:
        path = entry.path
        link = False
        try:
            link = entry.is_symlink()
            if self._exclude.match(path[self._relative], entry.is_dir(follow_symlinks=False)):
                return SkippedEntry(_shown(path))
            if not _is_utf8(path):
                return ScanWarning(_shown(path), "The name is not UTF-8: rename it to have it read.")
            status = entry.stat()
            real = os.path.realpath(path) if link else f"{folder.real.rstrip('/')}/{entry.name}"
        except FileNotFoundError:
            return ScanWarning(
                _shown(path), "The symbolic link leads nowhere." if link else "It vanished during the scan."
            )
        except OSError as error:
            return ScanWarning(_shown(path), f"It cannot be read: {error.strerror}.")
        if link and (not _inside(real, self._roots) or _inside(real, self._forbidden)):
            return ScanWarning(path, "The symbolic link leads out of the folders that may be read.")
        is_folder = stat.S_ISDIR(status.st_mode)
        if link and self._met_by_its_own_name(real, is_folder):
            return SkippedEntry(path)
        if is_folder:
            passed = not self._recursive or _inside(real, self._forbidden)
            return SkippedEntry(path) if passed else _Folder(path, real)
        if not stat.S_ISREG(status.st_mode):
            return ScanWarning(path, f"It is {_kind(status.st_mode)}, not a file.", seen=True)
        if self._left_out(path[self._relative]):
            return SkippedEntry(path)
        # Only a file with several names can turn up twice: remembering just those keeps a million files cheap.
        # What a link has led to from outside may have a second link to it there.
        if link or status.st_nlink > 1 or not _inside(folder.real, (self._real_root,)):
            identity = _identity(status)
            if identity in self._linked:
                return SkippedEntry(path)
            self._linked.add(identity)
        # A clock that was set wrong may date a file beyond what 64 bits of nanoseconds hold, the year 2262.
        modified_ns = max(-_MAX_NS, min(status.st_mtime_ns, _MAX_NS))
        return FoundFile(path, status.st_size, modified_ns, _extension(entry.name))

    def _left_out(self, path: str) -> bool:
        return bool(self._include) and not self._include.match(path)

    def _met_by_its_own_name(self, real: str, folder: bool) -> bool:
        """True for a symlink's target that lies below the source itself, where this walk comes by too."""
        if not _inside(real, (self._real_root,)) or not _is_utf8(real):
            return False
        path = real[self._real_relative]
        above = [path[:at] for at, char in enumerate(path) if char == "/"]
        if (above and not self._recursive) or any(self._exclude.match(each, folder=True) for each in above):
            return False
        return not self._exclude.match(path, folder) and (folder or not self._left_out(path))


def _shut(folder: _Folder, error: OSError) -> ScanWarning:
    return ScanWarning(_shown(folder.path), f"The folder cannot be read: {error.strerror}.")


def _identity(status: os.stat_result) -> int:
    """Which file or folder it is, on which device, in half the memory of a pair."""
    return status.st_dev << 64 | status.st_ino


def _extension(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:].lower() if 0 < dot < len(name) - 1 else ""


def _resolved(folders: Sequence[str | Path]) -> tuple[Path, ...]:
    return tuple(Path(os.path.realpath(folder)) for folder in folders)


def _below(path: Path, folders: Sequence[str | Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in _resolved(folders))


def _inside(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


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


def _shown(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
