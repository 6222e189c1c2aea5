"""What INDEX and APPEND have in common: scanning folders, and taking in what was found. Runs on the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline import failpoints
from pipeline.compute.messages import ModelSpec
from pipeline.context.context import OperationContext, overlap
from pipeline.context.rate import weight
from pipeline.ingest.pipeline import IngestPipeline
from pipeline.ingest.writer import DocumentWriter
from pipeline.scanning.missing_files import noted, resolve_missing
from pipeline.scanning.registration import RegistrationResult, register
from pipeline.scanning.seen_files import SeenFiles
from semantik.core.errors import Forbidden, Invalid
from semantik.core.models import Source, StageName, now

SCANNING: tuple[StageName | None, ...] = (None, "scanning_documents")
_ROUNDS = 3


Scanned = list[tuple[Source, RegistrationResult]]


async def scan(run: OperationContext, storer: DocumentWriter) -> Scanned:
    """Compare the operation's folders with what is known of them, all first, so that a file may move between them."""
    sources = await run.sources()
    path = sources[0].path if len(sources) == 1 else None
    await run.stage("scanning_documents", status="scanning", source_path=path, scanned=0)
    found = await _register(run, sources)
    for source, one in found:
        await resolve_missing(run, source, one)
    for source, _ in found:
        await run.deps.store.collections.update_source(source, {"scanned_at": now()})
    folders = noted(run).values()
    moved = sum(folder["moved"] for folder in folders)
    each = [one for _, one in found]
    moved_now = sum(one.moved for one in each)
    await _scanned(
        run,
        storer,
        total_files_found=sum(one.files for one in each),
        new_documents_registered=sum(one.new for one in each) - moved_now,
        changed_documents=sum(one.changed for one in each),
        # An earlier try's moves are met again under their new names, like what has not changed.
        unchanged_documents=sum(one.unchanged for one in each) - (moved - moved_now),
        moved_documents=moved,
        missing_documents=sum(folder["missing"] for folder in folders),
        scan_duration=round(sum(one.duration_s for one in each), 3),
    )
    return found


async def finalize_scan(run: OperationContext, scanned: Scanned) -> None:
    """All is done: keep what the scan saw, so that the next one need not compare it file by file."""
    await run.save()  # who has lost the operation keeps nothing
    for source, found in scanned:
        if found.settled and found.listing != found.before:
            await run.deps.store.folder_digests.put(run.generation, source.id, found.listing)
    if not run.collection.clean and not await run.deps.store.documents.any_due(run.generation):
        run.refresh(await run.deps.store.collections.mark_clean(run.collection.id, run.fence))


async def _register(run: OperationContext, sources: Sequence[Source]) -> Scanned:
    """Walk the folders. One that cannot be read holds up no other; raises its error when there is no other."""
    store, generation = run.deps.store, run.generation
    trusted = run.collection.clean and not await store.documents.any_due(generation)
    met = SeenFiles()
    found: Scanned = []
    for source in sources:
        # Of folders that overlap, one may pass over what is the other's: what was seen of both would not hold for each.
        alone = not any(overlap(source, other) for other in sources if other.id != source.id)
        one = RegistrationResult(
            met, await store.folder_digests.get(generation, source.id) if trusted and alone else None
        )
        try:
            await register(run, source, one)
            found.append((source, one))
        except (Invalid, Forbidden) as error:
            if len(sources) == 1:
                raise
            run.warn(f"The folder was passed over: {error}")
    if sources and not found:
        raise Invalid("None of the folders can be read: " + " ".join(run.warnings))
    return found


async def retry_documents(run: OperationContext, storer: DocumentWriter) -> None:
    """Take up documents that failed, as the operation's wish says: those that it names, or all."""
    await run.stage("scanning_documents", status="scanning", source_path=None, scanned=0)
    await run.mark_dirty()
    wished = run.operation.options["retry"]
    ids = wished if isinstance(wished, list) else None
    await run.deps.store.documents.mark_for_retry(run.generation, ids, run.operation.id, run.fence)
    files, _ = await run.deps.store.documents.due_totals(run.operation.id)
    await _scanned(run, storer, total_files_found=files, changed_documents=files)


async def _scanned(run: OperationContext, storer: DocumentWriter, **found: Any) -> None:
    names = ["new_documents_registered", "changed_documents", "unchanged_documents"]
    names += ["moved_documents", "missing_documents", "scan_duration"]
    fields: dict[str, Any] = dict.fromkeys(names, 0) | found
    if run.collection.clean:  # nothing has changed
        await run.save_counts(storer.counts)
    else:
        await storer.recount()
    kept = ("new", "changed", "unchanged", "moved", "missing")
    counts = {word: fields[name] for word, name in zip(kept, names, strict=False)}
    await run.save(result={**(run.operation.result or {}), **counts})
    await run.stage(
        "scanning_completed",
        status="scanning_completed",
        total_files=storer.counts.total,
        warnings=run.warnings,
        **fields,
    )
    failpoints.die_at("scanning.completed")


async def record_model(run: OperationContext) -> ModelSpec:
    """Load the generation's model, and keep what it is and what the operation runs with. Raises Invalid."""
    model = await run.deps.pool.describe(ModelSpec(run.generation.model, run.generation.precision))
    await run.record_model(model)
    await run.save(settings=run.settings_used(model.precision))
    return ModelSpec(model.name, model.precision)


async def ingest(run: OperationContext, storer: DocumentWriter) -> None:
    """Take every document that is due to its end."""
    documents = run.deps.store.documents
    for _ in range(_ROUNDS):
        files, size = await documents.due_totals(run.operation.id)
        run.pace.begin(files * weight(0) + size)
        await IngestPipeline(run, storer).run()
        await storer.recount()
        if not storer.counts.pending:
            return
        # Registered by a server that had lost the operation already, and so not claimed by this one.
        await documents.claim(run.operation.id, run.fence)
    raise RuntimeError(f"{storer.counts.pending} documents were passed over")


async def cleanup(run: OperationContext) -> None:
    """The operation ends early: what it has half-done goes, and what it has not read stays due for the next one."""
    if run.has_started:
        await DocumentWriter(run).recover()


def result(run: OperationContext, storer: DocumentWriter) -> dict[str, Any]:
    """How the operation ended, for its record and its last messages."""
    return {
        **(run.operation.result or {}),
        "documents": storer.counts.indexed,
        "chunks": storer.counts.chunks,
        "failed": storer.counts.failed,
        "skipped": storer.counts.skipped,
        "duration_s": round((now() - (run.operation.started_at or now())).total_seconds(), 3),
    }
