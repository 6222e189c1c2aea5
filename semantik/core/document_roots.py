"""Which folders and files the server may read: below `documents.roots`, never the system's folders or its own data.

Every path is checked after its symlinks are resolved. Looks at the file system, so call it in a thread or in a child
process, not on the loop. Knows neither settings nor documents.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from semantik.core.errors import Forbidden, Invalid

SYSTEM_FOLDERS = ("/proc", "/sys", "/dev", "/run")


def resolve_source(path: str, roots: Sequence[str], forbidden: Sequence[Path]) -> Path:
    """The folder that `path` names, with its symlinks resolved.

    Raises Invalid when there is no such readable folder, Forbidden when it lies outside `roots`, in a system folder,
    or in one of `forbidden` (the server's own data).
    """
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


def may_be_read(real: Path, roots: Sequence[str], forbidden: Sequence[str | Path]) -> bool:
    """Whether a resolved path lies below a root, and in no system folder and none of `forbidden`."""
    return is_inside(str(real), resolved(roots)) and not is_inside(str(real), never_read(forbidden))


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
        raise Forbidden(f"{path} is outside the folders that may be read (documents.roots).")
    if not may_be_read(real, roots, forbidden):
        raise Forbidden(f"{path} is in a folder that is never read: the system's, or the server's own data.")
