"""The scan stage of INDEX and APPEND: the operation's sources are compared with their documents. Runs on the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline import failpoints
from pipeline.context.context import OperationContext, overlap
from pipeline.ingest.document_counts import DocumentCounts
from pipeline.scanning.missing_files import counts_by_source, resolve_missing
from pipeline.scanning.outdated_documents import is_outdated, mark_outdated
from pipeline.scanning.registration import register_files
from pipeline.scanning.removal import remove_documents
from pipeline.scanning.seen_files import SeenFiles
from pipeline.scanning.source_scan import SourceScan
from semantik.core.errors import Forbidden, Invalid
from semantik.core.models import Source, StageName, now

SCAN_STAGES: tuple[StageName | None, ...] = (None, "scanning_documents")

_REMOVED_AT_ONCE = 200

ScanResults = list[tuple[Source, SourceScan]]


async def scan(context: OperationContext, counts: DocumentCounts) -> ScanResults:
    """Scan the operation's sources: all of them before missing files are resolved, as a file may move between them."""
    sources = await context.sources()
    path = sources[0].path if len(sources) == 1 else None
    await context.stage("scanning_documents", status="scanning", source_path=path, scanned=0)
    scanned = await _register(context, sources)
    for source, found in scanned:
        await resolve_missing(context, source, found)
    outdated = sum([await mark_outdated(context, source, found) for source, found in scanned])
    for source, _ in scanned:
        await context.deps.store.collections.update_source(source, {"scanned_at": now()})
    missing_files = counts_by_source(context).values()
    moved = sum(numbers["moved"] for numbers in missing_files)
    results = [found for _, found in scanned]
    moved_now = sum(found.moved for found in results)
    await _complete_scan(
        context,
        counts,
        total_files_found=sum(found.files for found in results),
        new_documents_registered=sum(found.new for found in results) - moved_now,
        changed_documents=sum(found.changed for found in results),
        # Files that an earlier attempt found moved count as unchanged now.
        unchanged_documents=sum(found.unchanged for found in results) - (moved - moved_now),
        moved_documents=moved,
        missing_documents=sum(numbers["missing"] for numbers in missing_files),
        outdated_documents=outdated,
        scan_duration=round(sum(found.duration_s for found in results), 3),
    )
    return scanned


async def finalize_scan(context: OperationContext, scanned: ScanResults) -> None:
    """All documents are done: save the folders' digests, so that the next scan can skip unchanged folders."""
    await context.save()  # raises LeaseLost: without the lease nothing may be saved
    for source, found in scanned:
        if found.complete and found.digests != found.previous_digests:
            await context.deps.store.folder_digests.put(context.generation, source.id, found.digests)
    any_due = context.deps.store.documents.any_due
    if not context.collection.clean and not await any_due(context.generation):
        collections = context.deps.store.collections
        context.refresh(await collections.mark_clean(context.collection.id, context.fence))


async def retry_documents(context: OperationContext, counts: DocumentCounts) -> None:
    """Instead of a scan: make failed documents due again, those that the option `retry` lists, or all."""
    await context.stage("scanning_documents", status="scanning", source_path=None, scanned=0)
    await context.mark_dirty()
    option = context.operation.options["retry"]
    ids = option if isinstance(option, list) else None
    documents = context.deps.store.documents
    await documents.mark_for_retry(context.generation, ids, context.operation.id, context.fence)
    files, _ = await documents.due_totals(context.operation.id)
    await _complete_scan(context, counts, total_files_found=files, changed_documents=files)


async def remove_chosen(context: OperationContext, counts: DocumentCounts) -> None:
    """Instead of a scan: remove the documents that the option `remove` lists, with what is inside them."""
    await context.stage("scanning_documents", status="scanning", source_path=None, scanned=0)
    await context.mark_dirty()
    ids = context.operation.options["remove"]
    assert isinstance(ids, list)
    documents, generation = context.deps.store.documents, context.generation
    for at in range(0, len(ids), _REMOVED_AT_ONCE):
        found = await documents.by_ids(ids[at : at + _REMOVED_AT_ONCE])
        own = [
            one
            for one in found.values()
            if one.collection_id == context.collection.id and one.generation == generation.number
        ]
        await remove_documents(context, own)
    await context.save(result={**(context.operation.result or {}), "removed": len(ids)})
    await _complete_scan(context, counts)


async def _register(context: OperationContext, sources: Sequence[Source]) -> ScanResults:
    """Walk the sources. One that cannot be read is skipped with a warning; of the only one the error is raised."""
    store, generation = context.deps.store, context.generation
    digests_hold = context.collection.clean and not await store.documents.any_due(generation)
    seen_files = SeenFiles()
    scanned: ScanResults = []
    for source in sources:
        # Where sources overlap, one scan may skip what belongs to the other: its digests would not hold for both.
        alone = not any(overlap(source, other) for other in sources if other.id != source.id)
        # Another version may know more of an unchanged file, like what its sidecar says.
        trusted = digests_hold and alone and not is_outdated(context, source)
        digests = await store.folder_digests.get(generation, source.id) if trusted else None
        found = SourceScan(seen_files, digests)
        try:
            await register_files(context, source, found)
            scanned.append((source, found))
        except (Invalid, Forbidden) as error:
            if len(sources) == 1:
                raise
            context.warn(f"The folder was skipped: {error}")
    if sources and not scanned:
        raise Invalid("None of the folders can be read: " + " ".join(context.warnings))
    return scanned


async def _complete_scan(context: OperationContext, counts: DocumentCounts, **found: Any) -> None:
    names = ["new_documents_registered", "changed_documents", "unchanged_documents"]
    names += ["moved_documents", "missing_documents", "outdated_documents", "scan_duration"]
    fields: dict[str, Any] = dict.fromkeys(names, 0) | found
    if context.collection.clean:  # no document has changed
        await context.save_counts(counts.operation)
    else:
        await counts.recount()
    keys = ("new", "changed", "unchanged", "moved", "missing", "outdated")
    saved = {key: fields[name] for key, name in zip(keys, names, strict=False)}
    await context.save(result={**(context.operation.result or {}), **saved})
    await context.stage(
        "scanning_completed",
        status="scanning_completed",
        total_files=counts.operation.total,
        warnings=context.warnings,
        **fields,
    )
    failpoints.die_at("scanning.completed")
