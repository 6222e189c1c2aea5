"""The folders of a collection. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Any

from semantik.client.portal import Portal
from semantik.client.types.shared import Accepted
from semantik.client.types.sources import (
    Folder,
    FolderLanguages,
    Source,
    SourceAccepted,
    SourceKindList,
    SourceList,
)
from semantik.client.values import UNSET, Unset


class SourcesSyncCalls(Portal):
    """The folders of a collection."""

    def list_sources(self, collection_id: str) -> SourceList:
        """The folders of a collection."""
        return self.run(lambda client: client.list_sources(collection_id))

    def add_source(
        self,
        collection_id: str,
        *,
        path: str | Unset = UNSET,
        kind: str | Unset = UNSET,
        options: dict[str, Any] | Unset = UNSET,
        server: str | Unset | None = UNSET,
    ) -> SourceAccepted:
        """Add a folder or another source, and index it."""
        return self.run(
            lambda client: client.add_source(
                collection_id, path=path, kind=kind, options=options, server=server
            )
        )

    def list_source_kinds(self) -> SourceKindList:
        """The kinds of sources that may be added, and their options."""
        return self.run(lambda client: client.list_source_kinds())

    def watch_source(
        self,
        collection_id: str,
        source_id: str,
        *,
        interval_s: int | Unset = UNSET,
        immediate: bool | Unset = UNSET,
        options: dict[str, Any] | Unset = UNSET,
        exclude: list[str] | Unset = UNSET,
        include_excluded: bool | Unset = UNSET,
        server: str | Unset | None = UNSET,
    ) -> Source:
        """Change when a folder is scanned automatically."""
        return self.run(
            lambda client: client.watch_source(
                collection_id,
                source_id,
                interval_s=interval_s,
                immediate=immediate,
                options=options,
                exclude=exclude,
                include_excluded=include_excluded,
                server=server,
            )
        )

    def remove_source(self, collection_id: str, source_id: str) -> Accepted:
        """Remove a folder and its documents from a collection."""
        return self.run(lambda client: client.remove_source(collection_id, source_id))

    def browse_folders(self, *, path: str | Unset = UNSET) -> Folder:
        """The folders below a folder, or those that you may index."""
        return self.run(lambda client: client.browse_folders(path=path))

    def detect_languages(self, path: str) -> FolderLanguages:
        """The languages of a folder's files."""
        return self.run(lambda client: client.detect_languages(path))
