"""Embeds the chunks of several documents in one task. A chunk that cannot be embedded fails its own document only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from pipeline.compute.messages import ModelSpec, ReadFailure
from pipeline.compute.pool import ComputePool
from pipeline.ingest.chunk_packing import ChunkSlice
from pipeline.ingest.partial_document import FinishedDocument, PartialDocument, Vectors
from semantik.core.errors import Invalid


async def embed_slices(
    pool: ComputePool, model: ModelSpec, slices: Sequence[ChunkSlice]
) -> AsyncIterator[tuple[ChunkSlice, Vectors | Invalid]]:
    """The vectors of each slice, or why they cannot be made. Raises Unavailable."""
    try:
        vectors = await pool.embed(model, [text for one in slices for text in one.texts])
    except Invalid as error:
        if len(slices) == 1:
            yield slices[0], error
            return
        for one in slices:
            async for result in embed_slices(pool, model, [one]):
                yield result
        return
    start = 0
    for one in slices:
        end = start + len(one.positions)
        yield one, vectors[start:end]
        start = end


def fail(partial: PartialDocument, error: Invalid) -> list[FinishedDocument]:
    """The document and its duplicates as failed; none if the document has failed before."""
    if partial.failed:
        return []
    partial.failed = True
    return [
        FinishedDocument(one.document, ReadFailure(one.document.id, "worker_died", str(error), False), one)
        for one in (partial, *partial.duplicates)
    ]
