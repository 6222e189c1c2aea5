"""APPEND: folders are scanned again, or added, and only what is new or changed is read.

    scanning_documents → scanning_completed → document_processed… → append_completed

With the wish to retry, the documents that failed are read again instead. Taken up after a crash, it goes on in the
stage it had reached.
"""

from __future__ import annotations

from pipeline.context.context import OperationContext
from pipeline.ingest.writer import DocumentWriter
from pipeline.operations.ingestion import (
    SCANNING,
    Scanned,
    finalize_scan,
    ingest,
    record_model,
    result,
    retry_documents,
    scan,
)


async def append(run: OperationContext) -> dict[str, object]:
    """Run an APPEND operation to its end and return its result for the record."""
    storer = DocumentWriter(run)
    if run.operation.stage is None and run.collection.clean:
        storer.start()
    else:
        await storer.recover()
    scanned: Scanned = []
    if run.operation.stage in SCANNING:
        if "retry" in run.operation.options:
            await retry_documents(run, storer)
        else:
            scanned = await scan(run, storer)
    if storer.counts.pending:
        await record_model(run)
        await ingest(run, storer)
    await finalize_scan(run, scanned)
    outcome = result(run, storer)
    await run.stage("append_completed", **outcome)
    return outcome
