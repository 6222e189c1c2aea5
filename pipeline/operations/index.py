"""INDEX: a folder that was never seen becomes documents, chunks and vectors.

    scanning_documents → scanning_completed → processing_embeddings → document_processed… → index_completed

Each stage is saved before it is told; taken up again after a crash, it goes on in the stage it had reached.
"""

from __future__ import annotations

from pipeline.context.context import OperationContext
from pipeline.ingest.writer import DocumentWriter
from pipeline.operations.ingestion import SCANNING, Scanned, finalize_scan, ingest, record_model, result, scan


async def index(run: OperationContext) -> dict[str, object]:
    """Run an INDEX operation to its end and return its result for the record."""
    storer = DocumentWriter(run)
    await storer.recover()
    scanned: Scanned = []
    if run.operation.stage in SCANNING:
        scanned = await scan(run, storer)
    model = await record_model(run)
    await run.stage(
        "processing_embeddings",
        total_files=storer.counts.total,
        model=model.name,
        precision=model.precision,
        workers=run.deps.pool.batch_workers,
    )
    await ingest(run, storer)
    await finalize_scan(run, scanned)
    outcome = result(run, storer)
    await run.stage("index_completed", **outcome)
    return outcome
