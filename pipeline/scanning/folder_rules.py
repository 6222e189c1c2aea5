"""Which folders may be read, by the current settings: the rules that the services get as plain callables.

`resolve` may block on a slow disk and `walk` does: both run in threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from itertools import islice
from pathlib import Path

from pipeline.scanning.entry_classifier import EntryClassifier, Folder
from pipeline.scanning.walk_rules import WalkRules
from pipeline.scanning.walker import walk_entries
from semantik.config.settings import Settings
from semantik.core.document_roots import resolve_source
from semantik.core.scan_entries import FoundFile, ScanEntry
from semantik.services.folder_browser import FolderEntries
from semantik.services.folder_scans import ScanOptions

_MAX_ENTRIES = 5000


class FolderRules:
    """`current()` returns the current settings: `documents.exclude`, and the server's own files."""

    def __init__(self, current: Callable[[], Settings]) -> None:
        self._current = current

    def resolve(self, path: str, roots: Sequence[str]) -> Path:
        """The real folder behind `path`, below one of the roots; raises Invalid or Forbidden."""
        return resolve_source(path, roots, self._current().private_paths)

    def list_folder(self, path: str, roots: Sequence[str]) -> FolderEntries:
        """What a scan would find directly in a folder; raises Invalid or Forbidden."""
        settings = self._current()
        folder = self.resolve(path, roots)
        rules = WalkRules(tuple(roots), settings.documents.exclude, settings.private_paths)
        classifier = EntryClassifier(folder, rules)
        folders: list[str] = []
        files = size = 0
        with os.scandir(folder) as scan:
            entries = list(islice(scan, _MAX_ENTRIES + 1))
        for entry in entries[:_MAX_ENTRIES]:
            found = classifier.classify(entry, classifier.root)
            if isinstance(found, Folder):
                folders.append(entry.name)
            elif isinstance(found, FoundFile):
                files += 1
                size += found.size
        in_order = tuple(sorted(folders, key=str.casefold))
        return FolderEntries(str(folder), in_order, files, size, len(entries) > _MAX_ENTRIES)

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
