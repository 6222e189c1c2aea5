"""Vectors that a collection has already: a passage whose text and model are the same is not embedded again.

Looked at are the document as it was, another with the same content, and what a REINDEX works from. Runs on the loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
from numpy.typing import NDArray

from pipeline.batch import ReadDocument
from pipeline.run import Run
from semantik.records import Document, Generation

Vector = NDArray[np.float16]


class Reuse:
    """For the documents of one operation."""

    def __init__(self, run: Run) -> None:
        self._store = run.parts.store
        self._generation = run.generation
        current = run.collection.current
        self._former = (
            current if current.number != run.generation.number and _alike(current, run.generation) else None
        )

    async def vectors(self, document: Document, read: ReadDocument) -> dict[str, Vector]:
        """What is known of the passages that were read, by their texts."""
        wanted = set(read.chunks.texts)
        known: dict[str, Vector] = {}
        async for like in self._alike(document, read):
            async for page in self._store.chunks.embedded(like):
                known |= {chunk.text: vector for chunk, vector in page if chunk.text in wanted}
            if len(known) == len(wanted):
                break
        return known

    async def _alike(self, document: Document, read: ReadDocument) -> AsyncIterator[Document]:
        if document.chunk_count:
            yield document
        documents = self._store.documents
        if self._former is not None:
            before = (await documents.known(self._former, [document.path])).get(document.path)
            if before is not None and before.status == "indexed":
                yield before
        elif (twin := await documents.with_content(self._generation, read.content_hash)) is not None:
            yield twin


def _alike(one: Generation, other: Generation) -> bool:
    return (one.model, one.precision) == (other.model, other.precision)
