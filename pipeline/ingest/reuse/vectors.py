"""Vectors that need not be computed: those of a duplicate in this run, and those that the collection has of a chunk.

The collection's come from the document's former version, from another document with the same content, or from the
generation that a REINDEX replaces; the chunk's text, its context and the model must be the same. Runs on the loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from pipeline.compute.messages import Outcome, ReadDocument
from pipeline.context.context import OperationContext
from pipeline.ingest.partial_document import ChunkKey, PartialDocument, Vector
from pipeline.ingest.reuse.duplicates import Duplicates
from pipeline.ingest.reuse.previous_generation import PreviousGeneration
from semantik.core.models import Document
from semantik.core.normalization import normalized


class VectorReuse:
    """For the documents of one operation; `previous` is None unless it is a REINDEX."""

    def __init__(self, context: OperationContext, previous: PreviousGeneration | None) -> None:
        self._store = context.deps.store
        self._generation = context.generation
        self._previous = previous
        self._duplicates = Duplicates()

    async def same_contents(self, outcomes: Sequence[Outcome]) -> dict[str, Document]:
        """Documents of the collection with the contents of files that were read together, by the contents' hashes."""
        if self._previous is not None:
            return {}
        hashes = {one.content_hash for one in outcomes if isinstance(one, ReadDocument) and one.content_hash}
        return await self._store.documents.with_contents(self._generation, sorted(hashes))

    async def fill(self, partial: PartialDocument, same_content: Document | None) -> bool:
        """Set the vectors that are known; returns whether they are all that the document needs.

        If not, and no vector is `missing`, a duplicate is being embedded, and finishes this document, too.
        `same_content` is what `same_contents` found for it.
        """
        if partial.vectors is not None:  # copied with the chunks
            return True
        original = self._duplicates.original_of(partial)
        if original is None:
            partial.start(await self._known_vectors(partial, same_content))
            return not partial.missing
        if original.done:
            partial.vectors = original.vectors
        else:
            original.duplicates.append(partial)
        return original.done

    def remove(self, partial: PartialDocument) -> None:
        """Call it when the document is written: from then on it is found in the collection."""
        self._duplicates.remove(partial)

    async def _known_vectors(
        self, partial: PartialDocument, same_content: Document | None
    ) -> dict[ChunkKey, Vector]:
        """By the chunks' keys. Builds that stored no reader embedded them as they were, without normalization.

        On the way, the chunks that the document's former version had are noted.
        """
        document, read = partial.document, partial.read
        wanted = set(read.chunks.keys)
        known: dict[ChunkKey, Vector] = {}
        earlier: dict[ChunkKey, int] = {}
        partial.earlier = earlier
        async for candidate in self._candidates(document, same_content):
            async for page in self._store.chunks.pages_with_vectors(candidate):
                if candidate is document:
                    seqs = ((c.key, c.seq if c.since is None else c.since) for c, _ in page)
                    earlier |= {key: seq for key, seq in seqs if key in wanted}
                known |= {
                    chunk.key: vector
                    for chunk, vector in page
                    if chunk.key in wanted and (candidate.reader or normalized(chunk.text) == chunk.text)
                }
            if len(known) == len(wanted):
                break
        return known

    async def _candidates(self, document: Document, same_content: Document | None) -> AsyncIterator[Document]:
        if document.chunk_count:
            yield document
        if self._previous is None:
            if same_content is not None:
                yield same_content
        elif self._previous.embeds_alike:
            before = await self._previous.indexed(document.path)
            if before is not None:
                yield before
