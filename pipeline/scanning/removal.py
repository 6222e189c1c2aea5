"""Removes documents with their chunks: searches stop finding them first, then they leave the index, then MongoDB.

After a crash at any point the marks in MongoDB remain, and `finish_removals` goes on from them. Runs on the loop.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pipeline import failpoints
from pipeline.context.context import OperationContext
from pipeline.context.shielded import shielded
from semantik.core.models import Document


async def remove_documents(context: OperationContext, documents: Sequence[Document]) -> int:
    """Remove documents with all their chunks, their parts first; returns the number of all that were removed.

    Raises LeaseLost before it changes a document.
    """
    parts = await remove_parts(context, documents)
    await shielded(_remove(context, documents))
    return parts + len(documents)


async def remove_parts(context: OperationContext, documents: Sequence[Document]) -> int:
    """Remove the parts of those documents that are containers, which stay; returns the number of parts."""
    removed = 0
    for container in [one for one in documents if one.is_container]:
        async for page in context.deps.store.documents.parts_of(container.id):
            removed += await remove_documents(context, page)
    return removed


async def finish_removals(context: OperationContext) -> None:
    """Finish the removals that an earlier attempt started."""
    while marked := await context.deps.store.documents.removing(context.generation):
        await _delete_marked(context, marked)


async def delete_chunks(context: OperationContext, spans: Sequence[tuple[int, int]]) -> None:
    """Delete chunks, half-open ranges of seqs, from the index and MongoDB; no document may refer to them any more."""
    if spans:
        await context.deps.index_sync.delete(context.generation, spans)
        await context.deps.store.chunks.remove_spans(context.collection.id, spans)


async def _remove(context: OperationContext, documents: Sequence[Document]) -> None:
    await context.save(last_message=context.reporter.last_seq)
    await context.deps.store.documents.mark_removing([one.id for one in documents])
    failpoints.die_at("removal.marked")
    await _delete_marked(context, documents)


async def _delete_marked(context: OperationContext, documents: Sequence[Document]) -> None:
    spans = [(one.first_seq, one.first_seq + one.chunk_count) for one in documents if one.chunk_count]
    spans += [(one.old_first, one.old_first + one.old_count) for one in documents if one.old_count]
    await delete_chunks(context, spans)
    failpoints.die_at("removal.forgotten")
    await context.deps.store.documents.remove_ids([one.id for one in documents])
    await remove_unused_pages(context, {one.content_hash for one in documents if one.content_hash})


async def remove_unused_pages(
    context: OperationContext, content_hashes: Collection[str] | None = None
) -> None:
    """Remove the recognised texts of contents that no document of the collection has: some contents, or all."""
    store, collection_id = context.deps.store, context.collection.id
    if not await store.recognised_pages.any_of(collection_id):
        return
    known = await store.recognised_pages.contents(collection_id)
    unused = [
        content_hash
        for content_hash in known
        if (content_hashes is None or content_hash in content_hashes)
        and not await store.documents.has_content(collection_id, content_hash)
    ]
    await store.recognised_pages.remove(collection_id, unused)
