"""What a collection has already: passages whose text and model are the same are not embedded again, and what a REINDEX
cannot read any more, or need not read, is made from the passages that are searched.

Looked at are the document as it was, another with the same content, and what a REINDEX works from. Runs on the loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.compute.messages import ChunkingOptions, Outcome, ReadDocument, ReadFailure, TextChunks
from pipeline.context.context import OperationContext
from semantik.core.models import Chunk, Document, Generation
from semantik.core.text import join_chunks

Vector = NDArray[np.float16]
Vectors = NDArray[np.float16]  # (chunks, dimension)


class VectorReuse:
    """For the documents of one operation, which are cut by `cutting`."""

    def __init__(self, run: OperationContext, cutting: ChunkingOptions) -> None:
        self._store = run.deps.store
        self._pool = run.deps.pool
        self._cutting = cutting
        self._generation = run.generation
        current = run.collection.current
        self._before = current if current.number != run.generation.number else None

    async def vectors(self, document: Document, read: ReadDocument) -> dict[str, Vector]:
        """What is known of the passages that were read, by their texts."""
        wanted = set(read.chunks.texts)
        known: dict[str, Vector] = {}
        async for like in self._alike(document, read):
            async for page in self._store.chunks.pages_with_vectors(like):
                known |= {chunk.text: vector for chunk, vector in page if chunk.text in wanted}
            if len(known) == len(wanted):
                break
        return known

    async def before(self, documents: Sequence[Document]) -> dict[str, Document]:
        """What a REINDEX need not read if the content is the same still: the documents as they are searched now, by the
        identifiers of `documents`. Nothing where they would be read or cut in another way."""
        if self._before is None or not self._read_alike():
            return {}
        known = await self._store.documents.by_paths(self._before, [one.path for one in documents])
        found = {one.id: known.get(one.path) for one in documents}
        return {key: one for key, one in found.items() if one is not None and one.status == "indexed"}

    async def taken_over(
        self, found: Mapping[str, Document]
    ) -> dict[str, tuple[ReadDocument, Vectors | None]]:
        """The passages of such documents, with their vectors if the model embeds in the same way still."""
        if self._before is None or not found:
            return {}
        chunks = await self._store.chunks.with_vectors(list(found.values()))
        alike = _embedded_alike(self._before, self._generation)
        taken: dict[str, tuple[ReadDocument, Vectors | None]] = {}
        for key, before in found.items():
            own = chunks.get(before.id, [])
            if len(own) == before.chunk_count:
                read = _read(key, before, self._as_they_are([chunk for chunk, _ in own]))
                taken[key] = read, np.stack([vector for _, vector in own]) if alike and own else None
        return taken

    async def instead(self, document: Document, failure: ReadFailure) -> Outcome:
        """What a REINDEX takes for a file that cannot be read any more: its passages as they are found now.

        Unless today's reader made them so, the file is not taken for known when it is back.
        """
        before = await self._searched(document) if failure.category == "unreadable" else None
        if before is None:
            return failure
        chunks = [chunk async for page in self._store.chunks.pages_with_vectors(before) for chunk, _ in page]
        cut = self._as_they_are(chunks) if self._cut_alike() else await self._cut_anew(before, chunks)
        known = before if self._read_alike() else replace(before, content_hash=None)
        return _read(document.id, known, cut)

    async def _alike(self, document: Document, read: ReadDocument) -> AsyncIterator[Document]:
        if document.chunk_count:
            yield document
        if self._before is None:
            twin = await self._store.documents.with_content(self._generation, read.content_hash)
            if twin is not None:
                yield twin
        elif _embedded_alike(self._before, self._generation):
            before = await self._searched(document)
            if before is not None:
                yield before

    async def _searched(self, document: Document) -> Document | None:
        """The same file in the generation that is searched, if it can be found there."""
        if self._before is None:
            return None
        before = (await self._store.documents.by_paths(self._before, [document.path])).get(document.path)
        return before if before is not None and before.status == "indexed" else None

    def _read_alike(self) -> bool:
        """Whether the reader would make the same passages of the same file."""
        before = self._before
        assert before is not None
        return before.reader == self._generation.reader != "" and self._cut_alike()

    def _cut_alike(self) -> bool:
        before, cutting = self._before, self._cutting
        assert before is not None
        return (before.model, before.chunk_size, before.chunk_overlap) == (
            cutting.model,
            cutting.chunk_size,
            cutting.chunk_overlap,
        )

    def _as_they_are(self, chunks: list[Chunk]) -> TextChunks:
        return TextChunks(
            tuple(chunk.text for chunk in chunks),
            tuple(chunk.start for chunk in chunks),
            tuple(chunk.page for chunk in chunks),
            tuple(chunk.heading for chunk in chunks),
        )

    async def _cut_anew(self, before: Document, chunks: list[Chunk]) -> TextChunks:
        """Headings are lost on this way: they are no part of the text."""
        pages: dict[int, int] = {}
        for chunk in chunks:
            if chunk.page is not None:
                pages.setdefault(chunk.page, chunk.start)
        text = join_chunks(chunks, 0, before.length)
        return await self._pool.cut(text, tuple(pages.items()), self._cutting)


def _read(document_id: str, before: Document, chunks: TextChunks) -> ReadDocument:
    content_hash = before.content_hash or ""
    return ReadDocument(
        document_id, before.mime or "", before.title, content_hash, before.length, before.pages, chunks
    )


def _embedded_alike(one: Generation, other: Generation) -> bool:
    return (one.model, one.precision) == (other.model, other.precision)
