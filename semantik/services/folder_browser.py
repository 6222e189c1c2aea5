"""The folders that a user may index, one level at a time, for a choice without typing. Runs on the loop.

The rule for folders and their listing come in as plain callables, which run in threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from semantik.auth.folder_access import FolderAccess
from semantik.auth.principal import Principal
from semantik.core.document_roots import is_inside
from semantik.core.errors import Unavailable

_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class FolderEntries:
    """The sub-folders of a folder by name, and the number and bytes of the files directly in it.

    `truncated`: it has more entries than are looked at.
    """

    path: str
    folders: tuple[str, ...]
    files: int
    bytes: int
    truncated: bool = False


@dataclass(frozen=True)
class BrowsedFolder:
    """`parent` is None at a root. Without a path the `entries` are the roots themselves, with their whole paths."""

    path: str | None
    parent: str | None
    entries: FolderEntries


List = Callable[[str, Sequence[str]], FolderEntries]


class FolderBrowser:
    """`list_folder(path, roots)` looks into the real folder, or raises."""

    def __init__(self, folder_access: FolderAccess, list_folder: List) -> None:
        self._folder_access = folder_access
        self._list = list_folder

    async def browse(self, principal: Principal, path: str | None) -> BrowsedFolder:
        """The folders below `path`, or all that the principal may index. Raises Invalid, Forbidden, Unavailable."""
        roots = await self._folder_access.roots(principal)
        if path is None:
            return BrowsedFolder(None, None, FolderEntries("", roots, 0, 0))
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                entries = await asyncio.to_thread(self._list, path, roots)
        except TimeoutError as error:
            raise Unavailable(f"The folder {path} does not answer: is its disk away?") from error
        parent = str(PurePosixPath(entries.path).parent)
        inside = parent != entries.path and is_inside(parent, [str(PurePosixPath(root)) for root in roots])
        return BrowsedFolder(entries.path, parent if inside else None, entries)
