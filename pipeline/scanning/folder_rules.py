"""Which folders may be read, by the current settings: the rules that the services get as plain callables.

`resolve` may block on a slow disk and `walk` does: both run in threads.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from pipeline.scanning.walk_rules import WalkRules
from pipeline.scanning.walker import walk_entries
from semantik.config.settings import Settings
from semantik.core.document_roots import resolve_source
from semantik.core.scan_entries import ScanEntry
from semantik.services.folder_scans import ScanOptions


class FolderRules:
    """`current()` returns the current settings: `documents.exclude`, and the server's own files."""

    def __init__(self, current: Callable[[], Settings]) -> None:
        self._current = current

    def resolve(self, path: str, roots: Sequence[str]) -> Path:
        """The real folder behind `path`, below one of the roots; raises Invalid or Forbidden."""
        return resolve_source(path, roots, self._current().private_paths)

    def walk(self, folder: Path, options: ScanOptions) -> Generator[ScanEntry, None, None]:
        """All entries that the settings and `options` allow below a folder that `resolve` returned."""
        settings = self._current()
        rules = WalkRules(
            options.roots,
            (*settings.documents.exclude, *options.exclude),
            settings.private_paths,
            options.include,
            options.recursive,
        )
        return walk_entries(folder, rules)
