"""REMOVE_SOURCE: a source is removed with its documents, except those that lie in another source of the collection.

    removing_documents… → remove_source_completed

Each page of documents disappears from searches in one step. After a cancellation the remaining documents stay, and so
does the source.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipeline import failpoints
from pipeline.connectors.upkeep import remove_kept
from pipeline.context.context import OperationContext
from pipeline.ingest.recovery import recover
from pipeline.operations.scan_stage import finalize_scan
from pipeline.scanning.removal import remove_documents
from semantik.core.models import Counts, Document, Source, now
from semantik.core.upload_paths import is_upload


async def remove_source(context: OperationContext) -> dict[str, object]:
    """Run a REMOVE_SOURCE operation to its end and return its result for the record."""
    counts = await recover(context)
    source = await _source(context)
    if source is not None:
        await context.mark_dirty()
        others = [
            one for one in await context.sources_of_collection() if one.id != source.id and not one.removing
        ]
        if context.operation.result is None:
            await context.save(result=await _survey(context, source, others))
        await _remove_documents(context, source, others)
        if is_upload(source.path):
            await context.deps.store.uploads.remove_all(source.collection_id)
        await context.deps.store.collections.remove_source(source.id)
        if not source.is_folder:
            await asyncio.to_thread(remove_kept, context.deps.settings.data, source.id)
        failpoints.die_at("remove_source.source")
    await counts.recount_generation()
    await finalize_scan(context, [])
    kept = _saved_number(context, "kept")
    outcome: dict[str, Any] = {
        "documents": _saved_number(context, "total") - kept,
        "kept": kept,
        "chunks": context.generation.counts.chunks,
        "failed": 0,
        "duration_s": round((now() - (context.operation.started_at or now())).total_seconds(), 3),
    }
    await context.stage("remove_source_completed", **outcome)
    return outcome


async def keep_source(context: OperationContext) -> None:
    """End the operation early: the source stays in its collection."""
    source = await _source(context)
    if source is not None:
        await context.deps.store.collections.update_source(source, {"removing": False})
    if context.has_started:
        counts = context.operation.counts
        await recover(context)
        await context.save(counts=asdict(counts))


async def _remove_documents(context: OperationContext, source: Source, others: Sequence[Source]) -> None:
    documents = context.deps.store.documents
    total = _saved_number(context, "total")
    left = await documents.count_of_source(context.generation, source.id)
    await context.stage("removing_documents", **_progress(total - left, total))
    nearest: dict[str, str] = {}
    gone: set[str] = set()  # containers that were removed, with their parts
    async for page in documents.of_source(context.generation, source.id):
        nearest |= await _reassigned_before(context, source, page, nearest)
        shared = _shared(page, others, nearest)
        for other_id, ids in shared.items():
            await documents.reassign_source(ids, other_id)
        kept = {document_id for ids in shared.values() for document_id in ids}
        to_remove: list[Document] = []
        for one in page:
            if one.id in kept:
                continue
            if one.container_id not in gone:
                to_remove.append(one)
            if one.is_container:
                gone.add(one.id)
        left -= len(kept) + await remove_documents(context, to_remove)
        progress = _progress(total - left, total)
        counts = asdict(Counts(pending=max(left, 0), indexed=total - left))
        await context.save(counts=counts, progress_percent=progress["progress_percent"])
        context.reporter.publish_latest("removing_documents", **progress)


async def _reassigned_before(
    context: OperationContext, source: Source, page: Sequence[Document], known: Mapping[str, str]
) -> dict[str, str]:
    """The sources of containers that have one already, as an earlier attempt or page left their parts behind."""
    ids = {one.container_id for one in page if one.container_id is not None} - known.keys()
    ids -= {one.id for one in page}
    found = await context.deps.store.documents.by_ids(sorted(ids)) if ids else {}
    return {key: one.source_id for key, one in found.items() if one.source_id != source.id}


async def _source(context: OperationContext) -> Source | None:
    source_id = context.operation.source_id or ""
    return await context.deps.store.collections.source(context.collection.id, source_id)


async def _survey(context: OperationContext, source: Source, others: Sequence[Source]) -> dict[str, object]:
    """How many documents the source has, and how many of them lie in another source, too."""
    total = kept = 0
    nearest: dict[str, str] = {}
    async for page in context.deps.store.documents.of_source(context.generation, source.id):
        total += len(page)
        kept += sum(map(len, _shared(page, others, nearest).values()))
    return {"total": total, "kept": kept}


def _saved_number(context: OperationContext, name: str) -> int:
    return int(str((context.operation.result or {}).get(name, 0)))


def _progress(done: int, total: int) -> dict[str, Any]:
    percent = round(100 * done / total, 1) if total else 0.0
    return {"removed": done, "total": total, "progress_percent": percent}


def _shared(
    page: Sequence[Document], others: Sequence[Source], nearest: dict[str, str]
) -> dict[str, list[str]]:
    """The ids of those documents that lie in another source, too, by the id of the nearest such source.

    A part goes with its container, whose path comes before: `nearest` has the source of each container that is shared.
    """
    shared: dict[str, list[str]] = {}
    for document in page:
        if document.container_id is not None:
            source_id = nearest.get(document.container_id)
        else:
            holders = [one for one in others if document.path.startswith(one.path.rstrip("/") + "/")]
            source_id = max(holders, key=lambda one: len(one.path)).id if holders else None
        if source_id is not None:
            shared.setdefault(source_id, []).append(document.id)
            if document.is_container:
                nearest[document.id] = source_id
    return shared
