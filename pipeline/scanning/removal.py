"""Documents and chunks that go: first no search finds them, then they leave the index, then MongoDB.

In that order a crash leaves marks, and who takes the operation up goes on from them. Runs on the loop.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import failpoints
from pipeline.context.context import OperationContext
from pipeline.context.shielded import shielded
from semantik.core.models import Document


async def remove(run: OperationContext, documents: Sequence[Document]) -> None:
    """Remove documents with all their chunks. Raises LeaseLost before anything is changed."""
    await shielded(_remove(run, documents))


async def _remove(run: OperationContext, documents: Sequence[Document]) -> None:
    await run.save(last_message=run.reporter.last_seq)
    await run.deps.store.documents.mark_removing([one.id for one in documents])
    failpoints.die_at("removal.marked")
    await _finish(run, documents)


async def finish_removals(run: OperationContext) -> None:
    """Go on where an earlier attempt was ended."""
    while left := await run.deps.store.documents.removing(run.generation):
        await _finish(run, left)


async def forget(run: OperationContext, spans: Sequence[tuple[int, int]]) -> None:
    """Take chunks, half-open ranges of seqs, out of the index and MongoDB; no document may hold them any more."""
    if spans:
        await run.deps.vectors.delete(run.generation, spans)
        await run.deps.store.chunks.remove_spans(run.collection.id, spans)


async def _finish(run: OperationContext, documents: Sequence[Document]) -> None:
    spans = [(one.first_seq, one.first_seq + one.chunk_count) for one in documents if one.chunk_count]
    spans += [(one.old_first, one.old_first + one.old_count) for one in documents if one.old_count]
    await forget(run, spans)
    failpoints.die_at("removal.forgotten")
    await run.deps.store.documents.remove_ids([one.id for one in documents])
