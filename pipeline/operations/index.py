"""INDEX: a folder that was never seen becomes documents, chunks and vectors.

    scanning_documents → scanning_completed → processing_embeddings → document_processed… → index_completed

Each stage is saved before it is told; taken up again after a crash, it goes on in the stage it had reached.
"""

from __future__ import annotations

from pipeline.batch import ModelSpec
from pipeline.flow import Flow
from pipeline.pace import weight
from pipeline.registration import register
from pipeline.run import Run
from pipeline.storing import Storer
from semantik.records import now

SCANNING = (None, "scanning_documents")


async def index(run: Run) -> dict[str, object]:
    """Run an INDEX operation to its end and return its result for the record."""
    storer = Storer(run)
    await storer.recover()
    if run.operation.stage in SCANNING:
        await scan(run, storer)
    await embed(run, storer)
    await storer.recount()
    if storer.counts.pending:
        raise RuntimeError(f"{storer.counts.pending} documents were passed over")
    result: dict[str, object] = {
        "documents": storer.counts.indexed,
        "chunks": storer.counts.chunks,
        "failed": storer.counts.failed,
        "skipped": storer.counts.skipped,
        "duration_s": round((now() - (run.operation.started_at or now())).total_seconds(), 3),
    }
    await run.stage("index_completed", **result)
    return result


async def scan(run: Run, storer: Storer) -> None:
    """Find the files and register them as pending documents."""
    source = await run.source()
    await run.stage("scanning_documents", status="scanning", source_path=source.path, scanned=0)
    registered = await register(run)
    await storer.recount()
    await run.stage(
        "scanning_completed",
        status="scanning_completed",
        total_files_found=registered.found,
        new_documents_registered=registered.new,
        changed_documents=0,
        unchanged_documents=registered.unchanged,
        missing_documents=0,
        total_files=storer.counts.total,
        scan_duration=registered.duration_s,
        warnings=run.warnings,
    )


async def embed(run: Run, storer: Storer) -> None:
    """Take every pending document to its end."""
    model = await run.parts.pool.describe(ModelSpec(run.collection.model, run.collection.precision))
    await run.know_model(model)
    await run.stage(
        "processing_embeddings",
        total_files=storer.counts.total,
        model=model.name,
        precision=model.precision,
        workers=run.parts.pool.batch_workers,
    )
    files, size = await run.parts.store.documents.pending_bytes(run.operation.id)
    run.pace.begin(files * weight(0) + size)
    await Flow(run, storer).go()
