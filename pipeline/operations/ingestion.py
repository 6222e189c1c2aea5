"""What INDEX, APPEND and REINDEX share: reading, embedding and writing all documents that are due. Runs on the loop."""

from __future__ import annotations

from typing import Any

from pipeline.compute.messages import ModelSpec
from pipeline.context.context import OperationContext
from pipeline.context.rate import file_work
from pipeline.ingest.document_counts import DocumentCounts
from pipeline.ingest.pipeline import IngestPipeline
from pipeline.ingest.recovery import recover
from semantik.core.models import now

_ROUNDS = 3


async def record_model(context: OperationContext) -> ModelSpec:
    """Load the generation's model; save its properties and the settings that the operation uses. Raises Invalid."""
    model = await context.deps.pool.describe(
        ModelSpec(context.generation.model, context.generation.precision)
    )
    await context.record_model(model)
    await context.save(settings=context.settings_used(model.precision))
    return ModelSpec(model.name, model.precision)


async def ingest(
    context: OperationContext, counts: DocumentCounts, *, progress_message: str = "document_processed"
) -> None:
    """Index every document that is due, or note why it failed."""
    documents = context.deps.store.documents
    for _ in range(_ROUNDS):
        files, size = await documents.due_bytes(context.operation.id)
        context.rate.start(files * file_work(0) + size)
        await IngestPipeline(context, counts, progress_message).run()
        await counts.recount()
        if not counts.operation.pending:
            return
        # A server that had lost the operation registered documents, which this one has not claimed yet.
        await documents.claim(context.operation.id, context.fence)
    raise RuntimeError(f"{counts.operation.pending} documents were left unread")


async def cleanup(context: OperationContext) -> None:
    """End INDEX or APPEND early: half-written chunks are removed; unread documents stay due for the next operation."""
    if context.has_started:
        await recover(context)


def result(context: OperationContext, counts: DocumentCounts) -> dict[str, Any]:
    """The operation's result, for its record and its last messages."""
    started_at = context.operation.started_at or now()
    return {
        **(context.operation.result or {}),
        "documents": counts.operation.indexed,
        "chunks": counts.operation.chunks,
        "failed": counts.operation.failed,
        "skipped": counts.operation.skipped,
        "duration_s": round((now() - started_at).total_seconds(), 3),
    }
