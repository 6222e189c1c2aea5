"""APPEND: folders are scanned again, or added, and only what is new or changed is read.

    scanning_documents → scanning_completed → document_processed… → append_completed

With the wish to retry, the documents that failed are read again instead. Taken up after a crash, it goes on in the
stage it had reached.
"""

from __future__ import annotations

from pipeline.run import Run
from pipeline.storing import Storer
from pipeline.taking_in import SCANNING, Scanned, know_model, look_again, rest, result, scan, take_in


async def append(run: Run) -> dict[str, object]:
    """Run an APPEND operation to its end and return its result for the record."""
    storer = Storer(run)
    if run.operation.stage is None and run.collection.at_rest:
        storer.begin()
    else:
        await storer.recover()
    scanned: Scanned = []
    if run.operation.stage in SCANNING:
        if "retry" in run.operation.wish:
            await look_again(run, storer)
        else:
            scanned = await scan(run, storer)
    if storer.counts.pending:
        await know_model(run)
        await take_in(run, storer)
    await rest(run, scanned)
    outcome = result(run, storer)
    await run.stage("append_completed", **outcome)
    return outcome
