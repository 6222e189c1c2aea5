"""Walks folders and tells which files may be read. Pure; runs in a thread of the server, never on the loop."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path

from semantik.errors import Forbidden, Invalid

_MAX_NS = (1 << 63) - 1
SYSTEM_FOLDERS = tuple(Path(each) for each in ("/proc", "/sys", "/dev", "/run"))


@dataclass(frozen=True)
class FoundFile:
    """A regular file below the source; `extension` is lower-case with its dot, or empty."""

    path: str
    size: int
    modified_ns: int
    extension: str


@dataclass(frozen=True)
class ScanWarning:
    """Something that was passed over, and why, in a sentence."""

    path: str
    message: str


@dataclass(frozen=True)
class ScanRules:
    """Where a walk may lead (`roots`, but never into `forbidden`), and which names count.

    A name that matches a glob of `exclude` is passed over silently, files and folders alike; with `include` only
    files whose names match one of its globs are reported.
    """

    roots: tuple[str, ...]
    exclude: tuple[str, ...]
    forbidden: tuple[Path, ...] = ()
    include: tuple[str, ...] = ()


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


def walk(root: Path, rules: ScanRules) -> Iterator[FoundFile | ScanWarning]:
    """Every file below `root`, each once, in a fixed order; what cannot be read is a ScanWarning, never an error."""
    return _Walk(root, rules).entries()


class _Walk:
    """What one walk remembers: the folders it has been to, and the files that more than one name leads to."""

    def __init__(self, root: Path, rules: ScanRules) -> None:
        self._root = str(root)
        self._real_root = os.path.realpath(root)
        self._roots = tuple(str(each) for each in _resolved(rules.roots))
        self._forbidden = tuple(str(each) for each in (*SYSTEM_FOLDERS, *_resolved(rules.forbidden)))
        self._exclude = _any_of(rules.exclude)
        self._include = _any_of(rules.include)
        self._folders: set[tuple[int, int]] = set()
        self._linked: set[tuple[int, int]] = set()

    def entries(self) -> Iterator[FoundFile | ScanWarning]:
        waiting = [(self._root, self._real_root)]
        while waiting:
            folder, real_folder = waiting.pop()
            try:
                status = Path(folder).stat()
                if (status.st_dev, status.st_ino) in self._folders:
                    continue
                self._folders.add((status.st_dev, status.st_ino))
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                yield ScanWarning(_shown(folder), f"The folder cannot be read: {error.strerror}.")
                continue
            folders = []
            for entry in entries:
                if not self._passed_over(entry.name):
                    found = self._look(entry, f"{real_folder.rstrip('/')}/{entry.name}")
                    if isinstance(found, str):
                        folders.append((entry.path, found))
                    elif found is not None:
                        yield found
            waiting += reversed(folders)

    def _look(self, entry: os.DirEntry[str], real: str) -> FoundFile | ScanWarning | str | None:
        """A file, a warning, the real path of a folder to go into, or nothing."""
        path = entry.path
        if not _is_utf8(path):
            return ScanWarning(_shown(path), "The name is not UTF-8: rename it to have it read.")
        link = entry.is_symlink()
        try:
            status = entry.stat()
            real = os.path.realpath(path) if link else real
        except FileNotFoundError:
            return ScanWarning(
                path, "The symbolic link leads nowhere." if link else "It vanished during the scan."
            )
        except OSError as error:
            return ScanWarning(path, f"It cannot be read: {error.strerror}.")
        if link and (not _inside(real, self._roots) or _inside(real, self._forbidden)):
            return ScanWarning(path, "The symbolic link leads out of the folders that may be read.")
        if stat.S_ISDIR(status.st_mode):
            return None if _inside(real, self._forbidden) else real
        if not stat.S_ISREG(status.st_mode):
            return ScanWarning(path, f"It is {_kind(status.st_mode)}, not a file.")
        if self._left_out(entry.name) or (link and self._met_by_its_own_name(real)):
            return None
        # Only a file with several names can turn up twice: remembering just those keeps a million files cheap.
        if link or status.st_nlink > 1:
            identity = (status.st_dev, status.st_ino)
            if identity in self._linked:
                return None
            self._linked.add(identity)
        # A clock that was set wrong may date a file beyond what 64 bits of nanoseconds hold, the year 2262.
        modified_ns = max(-_MAX_NS, min(status.st_mtime_ns, _MAX_NS))
        return FoundFile(path, status.st_size, modified_ns, Path(path).suffix.lower())

    def _passed_over(self, name: str) -> bool:
        return self._exclude is not None and self._exclude.match(name) is not None

    def _left_out(self, name: str) -> bool:
        return self._include is not None and self._include.match(name) is None

    def _met_by_its_own_name(self, real: str) -> bool:
        """True for a symlink's target that lies below the source itself, where this walk comes by too."""
        if not _inside(real, (self._real_root,)) or not _is_utf8(real):
            return False
        names = real[len(self._real_root) :].strip("/").split("/")
        return not any(self._passed_over(name) for name in names) and not self._left_out(names[-1])


def _any_of(globs: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(translate(glob) for glob in globs)) if globs else None


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
