"""REMOVE_SOURCE: a folder goes, and with it the documents that no other folder of the collection holds.

    removing_documents… → remove_source_completed

Each page of documents goes in one step for who searches. Cancelled, what is left stays, and so does the folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipeline import failpoints
from pipeline.context.context import OperationContext
from pipeline.ingest.writer import DocumentWriter
from pipeline.operations.ingestion import finalize_scan
from pipeline.scanning.removal import remove
from semantik.core.models import Counts, Document, Source, now


async def remove_source(run: OperationContext) -> dict[str, object]:
    """Run a REMOVE_SOURCE operation to its end and return its result for the record."""
    storer = DocumentWriter(run)
    await storer.recover()
    collections, documents = run.deps.store.collections, run.deps.store.documents
    source = await collections.source(run.collection.id, run.operation.source_id or "")
    if source is not None:
        await run.mark_dirty()
        others = [
            one for one in await run.sources_of_collection() if one.id != source.id and not one.removing
        ]
        if run.operation.result is None:
            await run.save(result=await _survey(run, source, others))
        total = _number(run, "total")
        left = await documents.count_of_source(run.generation, source.id)
        await run.stage("removing_documents", **_course(total - left, total))
        async for page in documents.of_source(run.generation, source.id):
            shared = _shared(page, others)
            for holder, ids in shared.items():
                await documents.reassign_source(ids, holder)
            held = {key for ids in shared.values() for key in ids}
            await remove(run, [one for one in page if one.id not in held])
            left -= len(page)
            course = _course(total - left, total)
            counts = asdict(Counts(pending=max(left, 0), indexed=total - left))
            await run.save(counts=counts, progress_percent=course["progress_percent"])
            run.reporter.publish_latest("removing_documents", **course)
        await collections.remove_source(source.id)
        failpoints.die_at("remove_source.source")
    await storer.recount_generation()
    await finalize_scan(run, [])
    kept = _number(run, "kept")
    outcome: dict[str, Any] = {
        "documents": _number(run, "total") - kept,
        "kept": kept,
        "chunks": run.generation.counts.chunks,
        "failed": 0,
        "duration_s": round((now() - (run.operation.started_at or now())).total_seconds(), 3),
    }
    await run.stage("remove_source_completed", **outcome)
    return outcome


async def stay(run: OperationContext) -> None:
    """The operation ends early: the folder stays a source of its collection."""
    source = await run.deps.store.collections.source(run.collection.id, run.operation.source_id or "")
    if source is not None:
        await run.deps.store.collections.update_source(source, {"removing": False})
    if run.has_started:
        counts = run.operation.counts
        await DocumentWriter(run).recover()
        await run.save(counts=asdict(counts))


async def _survey(run: OperationContext, source: Source, others: Sequence[Source]) -> dict[str, object]:
    """How many documents the folder has, and how many of them another folder holds as well."""
    total = kept = 0
    async for page in run.deps.store.documents.of_source(run.generation, source.id):
        total += len(page)
        kept += sum(map(len, _shared(page, others).values()))
    return {"total": total, "kept": kept}


def _number(run: OperationContext, name: str) -> int:
    return int(str((run.operation.result or {}).get(name, 0)))


def _course(done: int, total: int) -> dict[str, Any]:
    percent = round(100 * done / total, 1) if total else 0.0
    return {"removed": done, "total": total, "progress_percent": percent}


def _shared(page: Sequence[Document], others: Sequence[Source]) -> dict[str, list[str]]:
    """Of the documents those that lie in other folders of the collection as well, by the nearest of these."""
    shared: dict[str, list[str]] = {}
    for document in page:
        holders = [one for one in others if document.path.startswith(one.path.rstrip("/") + "/")]
        if holders:
            nearest = max(holders, key=lambda one: len(one.path))
            shared.setdefault(nearest.id, []).append(document.id)
    return shared
