"""The folders of a collection. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from semantik.client.portal import Portal
from semantik.client.types.shared import Accepted
from semantik.client.types.sources import FolderLanguages, Source, SourceAccepted, SourceList
from semantik.client.values import UNSET, Unset


class SourcesSyncCalls(Portal):
    """The folders of a collection."""

    def list_sources(self, collection_id: str) -> SourceList:
        """The folders of a collection."""
        return self.run(lambda client: client.list_sources(collection_id))

    def add_source(self, collection_id: str, path: str) -> SourceAccepted:
        """Add a folder and index it."""
        return self.run(lambda client: client.add_source(collection_id, path))

    def watch_source(
        self,
        collection_id: str,
        source_id: str,
        *,
        interval_s: int | Unset = UNSET,
        immediate: bool | Unset = UNSET,
    ) -> Source:
        """Change when a folder is scanned automatically."""
        return self.run(
            lambda client: client.watch_source(
                collection_id, source_id, interval_s=interval_s, immediate=immediate
            )
        )

    def remove_source(self, collection_id: str, source_id: str) -> Accepted:
        """Remove a folder and its documents from a collection."""
        return self.run(lambda client: client.remove_source(collection_id, source_id))

    def detect_languages(self, path: str) -> FolderLanguages:
        """The languages of a folder's files."""
        return self.run(lambda client: client.detect_languages(path))
