"""Writes finished documents: chunks to MongoDB and the indexes, then the document's record, then the progress message.

The order makes a crash harmless: chunks, `last_seq`, the indexes, the document's record, `settled_seq`, and at last the
document's old chunks are deleted. A search finds a chunk once its document's record says so, which changes in one step.
`recovery.py` repairs what lies above `settled_seq`. One writer at a time per collection. Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pipeline import failpoints
from pipeline.compute.messages import ReadContainer, ReadDocument
from pipeline.context.context import OperationContext
from pipeline.context.shielded import shielded
from pipeline.ingest.container_parts import ContainerParts
from pipeline.ingest.document_counts import DocumentCounts
from pipeline.ingest.document_failures import record_failure
from pipeline.ingest.document_progress import DocumentProgress
from pipeline.ingest.document_records import chunk_records, document_changes, joined_vectors
from pipeline.ingest.partial_document import FinishedDocument
from pipeline.ingest.recovery import delete_old_chunks
from semantik.core.errors import LeaseLost


class DocumentWriter:
    """Counts and publishes what it writes."""

    def __init__(self, context: OperationContext, counts: DocumentCounts, progress: DocumentProgress) -> None:
        self._context = context
        self._store = context.deps.store
        self._counts = counts
        self._progress = progress
        self._parts = ContainerParts(context, counts)

    async def write(self, finished: Sequence[FinishedDocument]) -> None:
        """Write some documents together. Raises Unavailable, or LeaseLost before a search finds any of them."""
        await shielded(self._write(finished))

    async def _write(self, finished: Sequence[FinishedDocument]) -> None:
        context = self._context
        await context.save(last_message=context.reporter.last_seq)
        await self._update_parts(finished)
        read = [one for one in finished if isinstance(one.outcome, ReadDocument)]
        first = last = -1
        if read:
            first, last = await self._write_chunks(read)
        await self._store.documents.save_outcomes(
            document_changes(finished, first), context.operation.id, context.fence
        )
        failpoints.die_at("storing.finished")
        if read:
            await self._store.collections.set_settled_seq(context.generation, last, context.fence)
            failpoints.die_at("storing.settled")
        if any(one.document.chunk_count for one in finished):
            await delete_old_chunks(context)
        for one in finished:
            if one.failure is not None:
                await record_failure(context, one.document, one.failure)
            self._counts.add(one)
        context.work.finish(len(finished))
        await self._counts.save()
        failpoints.die_at("storing.counted")
        await self._progress.finished(finished)

    async def _update_parts(self, finished: Sequence[FinishedDocument]) -> None:
        for one in finished:
            if isinstance(one.outcome, ReadContainer):
                await self._parts.update(one.document, one.outcome)
            elif one.document.is_container:
                await self._parts.remove(one.document)

    async def _write_chunks(self, read: Sequence[FinishedDocument]) -> tuple[int, int]:
        """Write chunks and vectors, which no search finds yet. Returns the first and the last seq."""
        context, collections = self._context, self._store.collections
        vectors = await asyncio.to_thread(joined_vectors, read)
        first = await collections.allocate_seqs(context.collection.id, len(vectors), context.fence)
        last = first + len(vectors) - 1
        failpoints.die_at("storing.taken")
        records = list(chunk_records(read, first))
        await self._store.chunks.add(context.generation, records)
        failpoints.die_at("storing.chunks")
        before = context.generation.last_seq
        try:
            context.refresh(await collections.set_last_seq(context.generation, last, context.fence))
        except LeaseLost:  # the operation's new owner may not know of these chunks
            await self._store.chunks.remove_spans(context.collection.id, [(first, last + 1)])
            raise
        failpoints.die_at("storing.published")
        await context.deps.index_sync.add_vectors(context.generation, before, first, vectors)
        failpoints.die_at("storing.vectors")
        await context.deps.index_sync.add_words(context.generation, before, [chunk for chunk, _ in records])
        failpoints.die_at("storing.indexed")
        return first, last
