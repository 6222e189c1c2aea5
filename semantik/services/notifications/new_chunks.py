"""Which chunks of a generation are new since a seq: those whose text was not indexed before. Runs on the loop.

A document that was read again has all its chunks under new seqs, but each remembers the seq that its text had first;
and a document that a REINDEX has made remembers where its content was first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from semantik.core.models import Chunk, Document, Generation
from semantik.search.percolation import NewChunks
from semantik.storage.mongo import Store


def origin_of(chunk: Chunk) -> int:
    """The seq that its text had first: its own, if it has not stood in the document before."""
    return chunk.seq if chunk.since is None else chunk.since


async def new_chunks(store: Store, generation: Generation, after: int, last: int) -> AsyncIterator[NewChunks]:
    """Those among the chunks `after` < seq <= `last`, some hundred at a time. Raises Unavailable."""
    async for page in store.chunks.new(generation, after, last):
        fresh = [(chunk, vector) for chunk, vector in page if origin_of(chunk) > after]
        documents, columns = await store.documents.with_columns(
            sorted({chunk.document_id for chunk, _ in fresh})
        )
        known = {each.id: each for each in documents}
        new = [
            (chunk, vector)
            for chunk, vector in fresh
            if chunk.document_id in known and _is_new(known[chunk.document_id], chunk.seq, after)
        ]
        if new:
            yield NewChunks.of(new, documents, columns)


def _is_new(document: Document, seq: int, after: int) -> bool:
    if not document.has_chunk(seq):
        return False
    first = document.origin_seq
    return first is None or first == document.first_seq or first > after
