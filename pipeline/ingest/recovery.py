"""Repairs what a crash may have left half-done in a generation, before an operation continues there. Runs on the loop.

Every chunk up to `settled_seq` belongs to a document. Chunks above it are kept if their document holds them, and
deleted otherwise; chunks that a document had before it was read again are deleted.
"""

from __future__ import annotations

from pipeline import failpoints
from pipeline.context.context import OperationContext
from pipeline.ingest.document_counts import DocumentCounts
from pipeline.ingest.document_failures import publish_failure, record_failure
from pipeline.scanning.removal import delete_chunks, finish_removals


async def recover(context: OperationContext) -> DocumentCounts:
    """Repair the generation; returns its documents' counts, made from the records."""
    store, generation = context.deps.store, context.generation
    # First, so that no earlier owner lets a document hold one of the chunks that are looked up below.
    await store.documents.claim(context.operation.id, context.fence)
    await finish_removals(context)
    await delete_old_chunks(context)
    await _delete_unowned_chunks(context)
    await store.collections.set_settled_seq(generation, context.collection.next_seq - 1, context.fence)
    counts = DocumentCounts(context)
    await counts.recount()
    if counts.operation.failed:
        await _repeat_failures(context)
    return counts


async def delete_old_chunks(context: OperationContext) -> None:
    """Delete the chunks that documents had before they were read again."""
    documents = context.deps.store.documents
    while changed := await documents.with_old_chunks(context.generation):
        await delete_chunks(context, [(one.old_first, one.old_first + one.old_count) for one in changed])
        failpoints.die_at("storing.forgotten")
        await documents.clear_old_chunks(changed)


async def _delete_unowned_chunks(context: OperationContext) -> None:
    store, generation = context.deps.store, context.generation
    spans = await store.chunks.spans_after(generation, generation.settled_seq)
    documents = await store.documents.by_ids(list(spans))
    unowned = [
        (first, first + count)
        for document_id, (first, count) in spans.items()
        if document_id not in documents or not documents[document_id].has_chunk(first)
    ]
    await delete_chunks(context, unowned)


async def _repeat_failures(context: OperationContext) -> None:
    """An earlier attempt may have died before it recorded or published them."""
    async for document in context.deps.store.documents.failed(context.operation.id):
        assert document.failure is not None
        await record_failure(context, document, document.failure)
        await publish_failure(context, document, document.failure)
