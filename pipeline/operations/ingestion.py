"""What INDEX, APPEND and REINDEX do before and after `pipeline.ingest`: model, clean-up, result. Runs on the loop."""

from __future__ import annotations

from typing import Any

from pipeline.compute.messages import ModelSpec
from pipeline.context.context import OperationContext
from pipeline.ingest.document_counts import DocumentCounts
from pipeline.ingest.recovery import recover
from semantik.core.models import now


async def record_model(context: OperationContext) -> ModelSpec:
    """Load the generation's model; save its properties and the settings that the operation uses. Raises Invalid."""
    model = await context.deps.pool.describe(
        ModelSpec(context.generation.model, context.generation.precision)
    )
    await context.record_model(model)
    await context.save(settings=context.settings_used(model.precision))
    return ModelSpec(model.name, model.precision)


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
        "warned": counts.operation.warned,
        "duration_s": round((now() - started_at).total_seconds(), 3),
    }
