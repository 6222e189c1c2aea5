"""Chunks that a REINDEX copies from the generation that is searched: of files that have not changed, and of files that
cannot be read any more. Runs on the loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pipeline.compute.messages import (
    ChunkingOptions,
    Outcome,
    ReadContainer,
    ReadDocument,
    ReadFailure,
    TextChunks,
)
from pipeline.context.context import OperationContext
from pipeline.ingest.partial_document import Vectors
from pipeline.ingest.reuse.previous_generation import PreviousGeneration
from semantik.core.models import Chunk, Document
from semantik.core.text import join_chunks


class ChunkReuse:
    """For the documents of one REINDEX, which are split with `options`."""

    def __init__(
        self, context: OperationContext, previous: PreviousGeneration, options: ChunkingOptions
    ) -> None:
        self._chunks = context.deps.store.chunks
        self._pool = context.deps.pool
        self._previous = previous
        self._options = options

    async def candidates(self, documents: Sequence[Document]) -> dict[str, Document]:
        """The documents as they are searched now, by the ids of `documents`: those that need not be read again if their
        content is unchanged. Empty where the new generation reads or splits files in another way."""
        if not self._previous.splits_alike:
            return {}
        indexed = await self._previous.indexed_at([one.path for one in documents])
        sidecars = {one.path: one.sidecar for one in documents}
        alike = {
            path: one
            for path, one in indexed.items()
            if self._previous.reads_alike(one)
            and not one.is_container  # whose parts are listed again
            and one.sidecar == sidecars.get(path)
            # Recognised texts may be of other languages by now; those of the same ones are kept elsewhere.
            and not (one.quality and one.quality.recognised_pages)
        }
        return {one.id: alike[one.path] for one in documents if one.path in alike}

    async def copy(
        self, candidates: Mapping[str, Document]
    ) -> dict[str, tuple[ReadDocument, Vectors | None]]:
        """The chunks of such documents, with their vectors if the new generation embeds in the same way.

        Documents that lack chunks are left out.
        """
        if not candidates:
            return {}
        chunks = await self._chunks.with_vectors(list(candidates.values()))
        with_vectors = self._previous.embeds_alike
        copied: dict[str, tuple[ReadDocument, Vectors | None]] = {}
        for document_id, before in candidates.items():
            own = chunks.get(before.id, [])
            if len(own) == before.chunk_count:
                read = _read(document_id, before, TextChunks.from_chunks([chunk for chunk, _ in own]))
                vectors = np.stack([vector for _, vector in own]) if with_vectors and own else None
                copied[document_id] = read, vectors
        return copied

    async def fallback(self, document: Document, failure: ReadFailure) -> Outcome:
        """For a file that cannot be read any more, its chunks as they are found now; otherwise the failure.

        Unless the present reader made them, the content hash is left out: the file is read again when it is back.
        """
        before = await self._previous.indexed(document.path) if failure.category == "unreadable" else None
        if before is None:
            return failure
        if before.part_count is not None:
            return _kept_container(document.id, before, before.part_count)
        own = [chunk async for page in self._chunks.pages_with_vectors(before) for chunk, _ in page]
        chunks = (
            TextChunks.from_chunks(own)
            if self._previous.splits_alike
            else await self._split_again(before, own)
        )
        known = before if self._previous.reads_alike(before) else replace(before, content_hash=None)
        return _read(document.id, known, chunks)

    async def _split_again(self, before: Document, chunks: list[Chunk]) -> TextChunks:
        """Headings are lost here: they are no part of the text."""
        pages: dict[int, int] = {}
        for chunk in chunks:
            if chunk.page is not None:
                pages.setdefault(chunk.page, chunk.start)
        text = join_chunks(chunks, 0, before.length)
        return await self._pool.split(text, tuple(pages.items()), self._options)


def _kept_container(document_id: str, before: Document, part_count: int) -> ReadContainer:
    return ReadContainer(
        document_id,
        before.mime or "",
        before.title,
        before.content_hash or "",
        None,
        None,
        None,
        part_count,
        before.quality,
    )


def _read(document_id: str, before: Document, chunks: TextChunks) -> ReadDocument:
    content_hash = before.content_hash or ""
    return ReadDocument(
        document_id,
        before.mime or "",
        before.title,
        content_hash,
        before.length,
        before.pages,
        chunks,
        before.quality,
        before.author,
        before.date,
        before.reader,
        before.unrecognised,
        before.language,
        before.authors,
        before.tags,
    )
