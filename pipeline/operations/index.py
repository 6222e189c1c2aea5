"""INDEX: the files of a new source become documents, chunks and vectors.

    scanning_documents → scanning_completed → processing_embeddings → document_processed… → index_completed

Where there are pictures, the text in them is recognised before the last stage (`recognition.py`).

Each stage is saved before it is published; after a crash the operation resumes at the last saved stage.
"""

from __future__ import annotations

from pipeline.context.context import OperationContext
from pipeline.ingest.pipeline import ingest
from pipeline.ingest.recovery import recover
from pipeline.operations.ingestion import record_model, result
from pipeline.operations.recognition import recognise
from pipeline.operations.scan_stage import SCAN_STAGES, ScanResults, finalize_scan, scan
from pipeline.scanning.fetching import fetch_what_is_lost


async def index(context: OperationContext) -> dict[str, object]:
    """Run an INDEX operation to its end and return its result for the record."""
    counts = await recover(context)
    scanned: ScanResults = []
    if context.operation.stage in SCAN_STAGES:
        scanned = await scan(context, counts)
    else:
        await fetch_what_is_lost(context)
    model = await record_model(context)
    await context.stage(
        "processing_embeddings",
        total_files=counts.operation.total,
        model=model.name,
        precision=model.precision,
        workers=context.deps.pool.batch_workers,
    )
    await ingest(context, counts)
    await recognise(context, counts)
    await finalize_scan(context, scanned)
    outcome = result(context, counts)
    await context.stage("index_completed", **outcome)
    return outcome
