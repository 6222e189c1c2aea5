"""Which folders and files may be read: below given roots, never the system's folders, nor Semantik's own files.

Semantik's own files are the data folders, of this server and of others, and the configuration: both hold secrets.

Every path is checked after its symlinks are resolved. Looks at the file system, so call it in a thread or in a child
process, not on the loop. Knows neither settings nor documents.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from semantik.core.errors import Forbidden, Invalid

SYSTEM_FOLDERS = ("/proc", "/sys", "/dev", "/run", "/etc/semantik")
# Every data folder has both; see semantik/storage/data_folder.py.
DATA_FOLDER_MARKS = ("instance", "lock")
_CACHE_S = 10.0


def resolve_source(path: str, roots: Sequence[str], forbidden: Sequence[Path]) -> Path:
    """The folder that `path` names, with its symlinks resolved.

    Raises Invalid when there is no such readable folder, Forbidden when it lies outside `roots`, in a system folder,
    in a data folder of Semantik, or in one of `forbidden`.
    """
    if not roots:
        raise Forbidden(
            "No folders are open to you for indexing: an administrator chooses them, for everybody "
            "(documents.roots), or for a user or group."
        )
    if not path.strip():
        raise Invalid("The path of a folder is expected, and this one is empty.")
    if "\0" in path:
        raise Invalid("The path holds a NUL character, which no path can.")
    if not Path(path).is_absolute():
        raise Invalid(f"{path!r} is not an absolute path: begin it with a slash.")
    try:
        folder = Path(path).resolve(strict=True)
        # Check the limits before the kind of the path: nobody may find out what exists outside them.
        _refuse_outside(folder, path, roots, forbidden)
        if not folder.is_dir():
            raise Invalid(f"{path} is not a folder.")
        with os.scandir(folder):
            return folder
    except (OSError, RuntimeError) as error:
        # Outside the limits every path is refused alike, whatever is wrong with it.
        _refuse_outside(Path(os.path.realpath(path)), path, roots, forbidden)
        raise _unusable(path, error) from error


def _unusable(path: str, error: Exception) -> Invalid:
    if isinstance(error, FileNotFoundError):
        return Invalid(f"There is no folder {path} on the server's machine.")
    if isinstance(error, PermissionError):
        return Invalid(f"The server has no permission to read the folder {path}.")
    reason = getattr(error, "strerror", None) or "its symlinks form a loop"
    return Invalid(f"The folder {path} cannot be read: {reason}.")


class ReadableFolders:
    """What lies below a root, and in no system folder, no data folder and none of `forbidden`.

    Their symlinks are resolved once: keep it for one task only.
    """

    def __init__(self, roots: Sequence[str], forbidden: Sequence[str | Path]) -> None:
        self._roots, self._never_read = resolved(roots), never_read(forbidden)

    def hold(self, real: Path) -> bool:
        """Whether a resolved path is among it."""
        path = str(real)
        return (
            is_inside(path, self._roots)
            and not is_inside(path, self._never_read)
            and not in_data_folder(path)
        )


def may_be_read(real: Path, roots: Sequence[str], forbidden: Sequence[str | Path]) -> bool:
    """Whether a resolved path is in the `ReadableFolders`."""
    return ReadableFolders(roots, forbidden).hold(real)


def in_data_folder(path: str) -> bool:
    """Whether a resolved path is a data folder of a server, or lies in one."""
    period = int(time.monotonic() / _CACHE_S)
    return any(_is_data_folder_at(str(each), period) for each in (path, *Path(path).parents))


def is_data_folder(path: str) -> bool:
    # Unlike Path.is_file, this raises for no path: one may be too long, or in a folder that cannot be entered.
    return all(os.path.isfile(f"{path}/{mark}") for mark in DATA_FOLDER_MARKS)  # noqa: PTH113


@lru_cache(maxsize=4096)
def _is_data_folder_at(path: str, period: int) -> bool:
    """As `is_data_folder`, remembered for a moment: a folder is asked for again by each of its files."""
    return is_data_folder(path)


def resolved(folders: Sequence[str | Path]) -> tuple[str, ...]:
    """The folders with their symlinks resolved."""
    return tuple(os.path.realpath(folder) for folder in folders)


def never_read(forbidden: Sequence[str | Path]) -> tuple[str, ...]:
    """The folders that are never read, resolved: the system's and `forbidden`."""
    return resolved((*SYSTEM_FOLDERS, *forbidden))


def is_inside(path: str, folders: Sequence[str]) -> bool:
    """Whether a resolved path is one of the resolved folders, or lies in one. Compares strings only."""
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


def _refuse_outside(real: Path, path: str, roots: Sequence[str], forbidden: Sequence[Path]) -> None:
    if not is_inside(str(real), resolved(roots)):
        raise Forbidden(
            f"{path} is outside the folders that you may index (documents.roots, or your own roots)."
        )
    if not may_be_read(real, roots, forbidden):
        raise Forbidden(f"{path} is in a folder that is never read: the system's, or Semantik's own.")
