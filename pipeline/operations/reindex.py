"""REINDEX: the documents are read, split and embedded again into a new generation, which then replaces the old one.

    reindex_preflight → staging_created → reprocessing_progress… → validation_complete → reindex_completed

The new (staging) generation is built beside the one that is searched, and one write switches between them. Until then a
REINDEX that is cancelled or fails changes nothing.
"""

from __future__ import annotations

from pipeline import failpoints
from pipeline.compute.messages import ModelSpec
from pipeline.context.context import OperationContext
from pipeline.ingest.pipeline import ingest
from pipeline.ingest.recovery import recover
from pipeline.operations.ingestion import record_model, result
from pipeline.operations.recognition import recognise
from pipeline.operations.staging import create_staging, drop_staging, planned_staging, register_documents
from pipeline.operations.validation import check_disk_space, validate
from pipeline.scanning.fetching import fetch_what_is_lost

_PREFLIGHT, _STAGED, _REPROCESSED, _VALIDATED = 10.0, 20.0, 70.0, 90.0  # percent


async def reindex(context: OperationContext) -> dict[str, object]:
    """Run a REINDEX operation to its end and return its result for the record."""
    staging = context.collection.staging
    if staging is not None and staging.operation_id != context.operation.id:
        await drop_staging(context, staging)
    if context.collection.staging is None and context.operation.stage in (None, "reindex_preflight"):
        await _preflight(context)
    if context.collection.staging is not None:
        await _build(context)
        await _switch(context)
    outcome = dict(context.operation.result or {})
    await context.stage("reindex_completed", 100.0, **outcome)
    return outcome


async def discard(context: OperationContext) -> dict[str, object] | None:
    """End the operation early: drop its generation. Returns the result if the generations were switched already."""
    if not context.has_started:
        return None
    staging = context.collection.staging
    if staging is None:
        return context.operation.result
    await drop_staging(context, staging)
    return None


async def _preflight(context: OperationContext) -> None:
    """Check that the REINDEX is possible, and create its generation. Raises Invalid."""
    current, staging = context.collection.current, planned_staging(context)
    await check_disk_space(context)
    model = await context.deps.pool.describe(ModelSpec(staging.model, staging.precision))
    await context.stage(
        "reindex_preflight",
        _PREFLIGHT,
        documents=current.counts.total,
        chunks=current.counts.chunks,
        model=model.name,
        precision=model.precision,
        chunk_size=staging.chunk_size,
        chunk_overlap=staging.chunk_overlap,
    )
    failpoints.die_at("reindex.preflight")
    await create_staging(context, staging)
    failpoints.die_at("reindex.staged")


async def _build(context: OperationContext) -> None:
    staging = context.collection.staging
    assert staging is not None
    context.refresh(context.collection, staging.number)
    context.percent_range = (_STAGED, _REPROCESSED)
    counts = await recover(context)
    await register_documents(context)
    await counts.recount()
    await context.stage(
        "staging_created", _STAGED, generation=staging.number, total_files=counts.operation.total
    )
    await fetch_what_is_lost(context)
    await record_model(context)
    await ingest(context, counts, progress_message="reprocessing_progress")
    await recognise(context, counts, progress_message="reprocessing_progress")
    failpoints.die_at("reindex.reprocessed")
    checks = await validate(context)
    await context.save(result=result(context, counts))
    await context.stage("validation_complete", _VALIDATED, **checks)
    failpoints.die_at("reindex.validated")


async def _switch(context: OperationContext) -> None:
    grace_s = context.deps.settings.reindex.grace_s
    # Users may have changed tags since the documents were registered.
    await context.deps.store.documents.copy_user_tags(context.collection.current, context.generation)
    collection = await context.deps.store.collections.switch_generation(
        context.generation, grace_s, context.fence
    )
    failpoints.die_at("reindex.switched")
    context.refresh(collection)
