"""INDEX: a folder that was never seen becomes documents, chunks and vectors.

    scanning_documents → scanning_completed → processing_embeddings → document_processed… → index_completed

Each stage is saved before it is told; taken up again after a crash, it goes on in the stage it had reached.
"""

from __future__ import annotations

from pipeline.run import Run
from pipeline.storing import Storer
from pipeline.taking_in import SCANNING, Scanned, know_model, rest, result, scan, take_in


async def index(run: Run) -> dict[str, object]:
    """Run an INDEX operation to its end and return its result for the record."""
    storer = Storer(run)
    await storer.recover()
    scanned: Scanned = []
    if run.operation.stage in SCANNING:
        scanned = await scan(run, storer)
    model = await know_model(run)
    await run.stage(
        "processing_embeddings",
        total_files=storer.counts.total,
        model=model.name,
        precision=model.precision,
        workers=run.parts.pool.batch_workers,
    )
    await take_in(run, storer)
    await rest(run, scanned)
    outcome = result(run, storer)
    await run.stage("index_completed", **outcome)
    return outcome
