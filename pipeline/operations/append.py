"""APPEND: sources are scanned again, or added, and files that are new or have changed are read.

    scanning_documents → scanning_completed → document_processed… → append_completed

With the option `retry`, the documents that failed are read again instead; with `remove`, chosen documents are removed.
After a crash the operation resumes at the last saved stage.
"""

from __future__ import annotations

from pipeline.context.context import OperationContext
from pipeline.ingest.document_counts import DocumentCounts
from pipeline.ingest.pipeline import ingest
from pipeline.ingest.recovery import recover
from pipeline.operations.ingestion import record_model, result
from pipeline.operations.recognition import recognise
from pipeline.operations.scan_stage import (
    SCAN_STAGES,
    ScanResults,
    finalize_scan,
    remove_chosen,
    retry_documents,
    scan,
)
from pipeline.scanning.fetching import fetch_what_is_lost


async def append(context: OperationContext) -> dict[str, object]:
    """Run an APPEND operation to its end and return its result for the record."""
    if context.operation.stage is None and context.collection.clean:
        counts = DocumentCounts(context)
        counts.resume()
    else:
        counts = await recover(context)
    scanned: ScanResults = []
    if context.operation.stage in SCAN_STAGES:
        if "retry" in context.operation.options:
            await retry_documents(context, counts)
        elif "remove" in context.operation.options:
            await remove_chosen(context, counts)
        else:
            scanned = await scan(context, counts)
    if counts.operation.pending:
        await fetch_what_is_lost(context)
        await record_model(context)
        await ingest(context, counts)
    await recognise(context, counts)
    await finalize_scan(context, scanned)
    outcome = result(context, counts)
    await context.stage("append_completed", **outcome)
    return outcome
