"""REINDEX: the documents are cut and embedded anew beside what is searched, which is then exchanged in one step.

    reindex_preflight → staging_created → reprocessing_progress… → validation_complete → reindex_completed

Until the exchange nothing that is searched is touched, so a REINDEX that is cancelled, or fails, leaves no trace.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace

from pipeline import failpoints
from pipeline.compute.messages import ModelSpec
from pipeline.context.context import OperationContext
from pipeline.ingest.writer import DocumentWriter
from pipeline.operations.ingestion import ingest, record_model, result
from pipeline.operations.validation import validate
from semantik.core.errors import Invalid
from semantik.core.models import Document, Generation, new_id

_PREFLIGHT, _STAGED, _REPROCESSED, _VALIDATED = 10.0, 20.0, 70.0, 90.0
_CHUNK_BYTES = 4096  # what a chunk takes in MongoDB and in the index, generously


async def reindex(run: OperationContext) -> dict[str, object]:
    """Run a REINDEX operation to its end and return its result for the record."""
    staging = run.collection.staging
    if staging is not None and staging.operation_id != run.operation.id:
        await _drop(run, staging)
    if run.collection.staging is None and run.operation.stage in (None, "reindex_preflight"):
        await _stage(run)
    if run.collection.staging is not None:
        await _build(run)
        await _switch(run)
    outcome = dict(run.operation.result or {})
    await run.stage("reindex_completed", 100.0, **outcome)
    return outcome


async def discard(run: OperationContext) -> dict[str, object] | None:
    """The operation ends early: what it has built goes. Returns its result if the exchange has been made already."""
    if not run.has_started:
        return None
    staging = run.collection.staging
    if staging is None:
        return run.operation.result
    await _drop(run, staging)
    return None


async def _drop(run: OperationContext, staging: Generation) -> None:
    store = run.deps.store
    await run.deps.vectors.drop_generation(staging)
    # Read anew: a step that was cut off may have taken chunk numbers that the run does not know of.
    collection = await store.collections.get_including_deleted(run.collection.id)
    await store.chunks.remove_generation(staging, collection.next_seq)
    await store.documents.remove(run.collection.id, staging.number)
    failpoints.die_at("reindex.discarded")
    await store.collections.drop_generation(staging)
    collection = await store.collections.get_including_deleted(run.collection.id)
    run.refresh(collection, collection.generation)


async def _stage(run: OperationContext) -> None:
    """Look whether it can be done, and make room for it."""
    wish, current = run.operation.options, run.collection.current
    size = int(str(wish.get("chunk_size", current.chunk_size)))
    staging = Generation(
        run.collection.id,
        number=0,  # it gets one when it is sure to be built
        model=str(wish.get("embedding_model", current.model)),
        precision=str(wish.get("precision", current.precision)),
        chunk_size=size,
        chunk_overlap=int(str(wish.get("chunk_overlap", min(current.chunk_overlap, size // 4)))),
        settled_seq=run.collection.next_seq - 1,
        operation_id=run.operation.id,
    )
    await asyncio.to_thread(_look_for_room, run)
    model = await run.deps.pool.describe(ModelSpec(staging.model, staging.precision))
    await run.stage(
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
    collections = run.deps.store.collections
    number = await collections.allocate_generation(run.collection.id, run.fence)
    run.refresh(await collections.add_generation(replace(staging, number=number), run.fence))
    failpoints.die_at("reindex.staged")


def _look_for_room(run: OperationContext) -> None:
    """Raises Invalid when the disk would be full before the end. A MongoDB of one's own has its own disk."""
    settings = run.deps.settings
    needed = run.collection.current.counts.chunks * _CHUNK_BYTES // (4 if settings.mongo_url else 1)
    free = shutil.disk_usage(settings.data).free
    if free < needed:
        raise Invalid(
            f"A REINDEX needs about {needed >> 20} MiB beside what is searched meanwhile, and {free >> 20} MiB are "
            f"free on the disk of {settings.data}: make room first."
        )


async def _build(run: OperationContext) -> None:
    staging = run.collection.staging
    assert staging is not None
    run.refresh(run.collection, staging.number)
    run.span = (_STAGED, _REPROCESSED)
    storer = DocumentWriter(run, "reprocessing_progress")
    await storer.recover()
    await _register(run)
    await storer.recount()
    await run.stage("staging_created", _STAGED, generation=staging.number, total_files=storer.counts.total)
    await record_model(run)
    await ingest(run, storer)
    failpoints.die_at("reindex.reprocessed")
    checks = await validate(run)
    await run.save(result=result(run, storer))
    await run.stage("validation_complete", _VALIDATED, **checks)
    failpoints.die_at("reindex.validated")


async def _register(run: OperationContext) -> None:
    """Every document that is known becomes one that is due in the new generation."""
    documents = run.deps.store.documents
    async for page in documents.of_generation(run.collection.current):
        there = await documents.by_paths(run.generation, [one.path for one in page])
        await documents.register([_anew(run, one) for one in page if one.path not in there])
        failpoints.die_at("reindex.registered")


def _anew(run: OperationContext, document: Document) -> Document:
    return Document(
        id=new_id(),
        collection_id=document.collection_id,
        generation=run.generation.number,
        source_id=document.source_id,
        operation_id=run.operation.id,
        path=document.path,
        size=document.size,
        modified_ns=document.modified_ns,
        missing=document.missing,
        status="pending",
        due=run.operation.id,
        fence=run.fence,
    )


async def _switch(run: OperationContext) -> None:
    grace_s = run.deps.settings.reindex.grace_s
    collection = await run.deps.store.collections.switch_generation(run.generation, grace_s, run.fence)
    failpoints.die_at("reindex.switched")
    run.refresh(collection)
