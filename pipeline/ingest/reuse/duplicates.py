"""Files with the same content in one run: they are embedded once. Pure."""

from __future__ import annotations

from pipeline.ingest.partial_document import PartialDocument


class Duplicates:
    """The documents between being read and being written, by the hash of their content."""

    def __init__(self) -> None:
        self._by_hash: dict[str, PartialDocument] = {}

    def original_of(self, partial: PartialDocument) -> PartialDocument | None:
        """The document whose vectors `partial` can share. None: it has to be embedded itself."""
        original = self._by_hash.get(partial.read.content_hash)
        if original is None or original.failed:
            self._by_hash[partial.read.content_hash] = partial
            return None
        return original if original.read.chunks.keys == partial.read.chunks.keys else None

    def remove(self, partial: PartialDocument) -> None:
        """Call it when the document is written."""
        if self._by_hash.get(partial.read.content_hash) is partial:
            del self._by_hash[partial.read.content_hash]
