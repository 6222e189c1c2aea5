"""The generation that is searched while a REINDEX builds another one, and how the two differ. Runs on the loop."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.compute.messages import ChunkingOptions
from pipeline.context.context import OperationContext
from pipeline.extraction.version import version_for
from semantik.core.models import Document, Generation


class PreviousGeneration:
    """Only a REINDEX has one; for INDEX and APPEND `of` returns None."""

    def __init__(self, context: OperationContext, options: ChunkingOptions) -> None:
        self.generation = context.collection.current
        self._new = context.generation
        self._options = options
        self._documents = context.deps.store.documents

    @classmethod
    def of(cls, context: OperationContext, options: ChunkingOptions) -> PreviousGeneration | None:
        is_reindex = context.collection.current.number != context.generation.number
        return cls(context, options) if is_reindex else None

    async def indexed(self, path: str) -> Document | None:
        """The document at `path`, if a search can find it."""
        return (await self.indexed_at([path])).get(path)

    async def indexed_at(self, paths: Sequence[str]) -> dict[str, Document]:
        """The documents at `paths` that a search can find, by path."""
        known = await self._documents.by_paths(self.generation, paths)
        return {path: document for path, document in known.items() if document.status == "indexed"}

    def reads_alike(self, document: Document) -> bool:
        """Whether the new generation gets the chunks of this document from the same file."""
        return self.splits_alike and document.reader == version_for(document.mime)

    @property
    def splits_alike(self) -> bool:
        """Whether both generations get the same chunks from the same text."""
        generation, options = self.generation, self._options
        return (generation.model, generation.chunk_size, generation.chunk_overlap) == (
            options.model,
            options.chunk_size,
            options.chunk_overlap,
        )

    @property
    def embeds_alike(self) -> bool:
        """Whether both generations get the same vector from the same chunk."""
        return _embedding(self.generation) == _embedding(self._new)


def _embedding(generation: Generation) -> tuple[str, str]:
    return generation.model, generation.precision
