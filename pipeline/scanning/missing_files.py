"""Documents whose files a scan did not find: of moved files they keep their chunks, the others are removed or marked.

A file in a folder that could not be read is not missing. Neither is any file of a source that is empty all of a sudden,
like the mount point of a disk that is away. Hashing runs in threads, everything else on the loop.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Set
from dataclasses import replace
from pathlib import Path

from pipeline import failpoints
from pipeline.context.context import OperationContext
from pipeline.scanning.parts import mark_missing, move
from pipeline.scanning.removal import remove_documents
from pipeline.scanning.seen_files import folder_of
from pipeline.scanning.source_scan import SourceScan
from semantik.core.kept_files import kept_file
from semantik.core.models import Document, Source
from semantik.core.passed_over import is_passed_over
from semantik.core.upload_paths import is_upload
from semantik.storage.mongo.known_files import KnownPath

_BLOCK_BYTES = 1 << 20
_DOCUMENTS_AT_ONCE = 500  # whole rows hold the loop
_MAX_FOLDER_QUERIES = 1000  # with more changed folders, all documents of the source are read instead

# Ids of missing documents whose files may exist under another name, by size and by content hash.
_MissingBySize = dict[int, dict[str, list[str]]]


async def resolve_missing(context: OperationContext, source: Source, scan: SourceScan) -> None:
    """Find the documents of a source that miss their files, and move, mark or remove them as the settings say.

    The operation's result has their numbers. The documents are read twice, since a million of them may be too many for
    the memory.
    """
    if scan.truncated:
        return
    number, missing = 0, _MissingBySize()
    async for page in _unseen_documents(context, source, scan):
        number += len(page)
        for document in page:
            if document.status == "indexed" and document.due is None and document.content_hash:
                same_size = missing.setdefault(document.size, {})
                same_size.setdefault(document.content_hash, []).append(document.id)
    # Of a source that is no folder the list was complete.
    if number and not scan.files and source.is_folder and not is_upload(source.path):
        context.warn(
            f"{source.path} is empty, and had {number} documents: they are kept. Is a disk not mounted?"
        )
        await _save_counts(context, source, 0, number)
        return
    scan.moved = await _move_documents(context, missing)
    await _save_counts(context, source, scan.moved, number - scan.moved)
    if number > scan.moved:
        await _remove_or_mark(context, source, scan)
    scan.complete = True


async def _remove_or_mark(context: OperationContext, source: Source, scan: SourceScan) -> None:
    remove_all = context.deps.settings.documents.missing == "remove" or is_upload(source.path)
    async for page in _unseen_documents(context, source, scan):
        kept = [] if remove_all else [one for one in page if not _is_nothing_to_keep(one, source)]
        kept_ids = {one.id for one in kept}
        if to_remove := [one for one in page if one.id not in kept_ids]:
            await context.mark_dirty()
            await remove_documents(context, to_remove)
        _clear_digests(scan, [one.path for one in kept])
        if to_mark := [one for one in kept if not one.missing or one.due is not None]:
            await context.mark_dirty()
            await mark_missing(context, to_mark)


def _is_nothing_to_keep(document: Document, source: Source) -> bool:
    """Whether a document was never read, or is none: an earlier version read files that scans pass over now."""
    return document.status == "pending" or is_passed_over(document.path.removeprefix(source.path).lstrip("/"))


async def _save_counts(context: OperationContext, source: Source, moved: int, missing: int) -> None:
    """Save the counts before anything is removed: when the scan is resumed, it finds only the rest."""
    counts = counts_by_source(context)
    before = counts.get(source.id, {"moved": 0, "missing": 0})
    counts[source.id] = {"moved": before["moved"] + moved, "missing": max(before["missing"], missing)}
    await context.save(result={"folders": counts})


def counts_by_source(context: OperationContext) -> dict[str, dict[str, int]]:
    """How many files the operation has found "moved" and "missing" so far, by the ids of the sources."""
    counts = (context.operation.result or {}).get("folders", {})
    assert isinstance(counts, dict)
    return dict(counts)


async def _unseen_documents(
    context: OperationContext, source: Source, scan: SourceScan
) -> AsyncIterator[list[Document]]:
    """The documents whose files are missing, in pages."""
    unread = {path.rstrip("/") for path in scan.unread}
    async for page in _paths_to_check(context, source, scan):
        unseen = [one for one in page if not one.is_part and one.path not in scan.seen]
        _clear_digests(scan, [one.path for one in unseen if _is_below(one.path, unread)])
        missing = [one.id for one in unseen if not _is_below(one.path, unread)]
        for at in range(0, len(missing), _DOCUMENTS_AT_ONCE):
            found = await context.deps.store.documents.by_ids(missing[at : at + _DOCUMENTS_AT_ONCE])
            yield [found[key] for key in missing[at : at + _DOCUMENTS_AT_ONCE] if key in found]


async def _paths_to_check(
    context: OperationContext, source: Source, scan: SourceScan
) -> AsyncIterator[list[KnownPath]]:
    """The documents of a source, without those of unchanged folders, in pages."""
    known, previous = context.deps.store.known_files, scan.previous_digests
    changed = (
        None if previous is None else [one for one in previous if one not in scan.seen.unchanged_folders]
    )
    if changed is None or len(changed) > _MAX_FOLDER_QUERIES:
        async for page in known.of_source(context.generation, source.id):
            yield page
    else:
        for folder in changed:
            async for page in known.of_folder(context.generation, source.id, folder):
                yield page


def _clear_digests(scan: SourceScan, paths: list[str]) -> None:
    """Have every later scan compare the folders of documents, at `paths`, that are kept without their files."""
    for path in paths:
        scan.digests[folder_of(path)] = b""


async def _move_documents(context: OperationContext, missing: _MissingBySize) -> int:
    """Give documents whose files exist under another name that name; nothing is read again. Returns their number.

    Only new files of this operation whose size fits are hashed, wherever in its sources they are.
    """
    moved = 0
    if not missing:
        return moved
    documents, settings = context.deps.store.documents, context.deps.settings.documents
    limit = max(settings.max_file_bytes, settings.max_container_bytes)
    kept = await context.kept_folders()
    async for page in documents.due(context.operation.id):
        for new in page:
            same_size = missing.get(new.size)
            if not same_size or new.status != "pending" or new.is_part or new.size > limit:
                continue
            place = kept_file(kept[new.source_id], new.path) if new.source_id in kept else Path(new.path)
            content_hash = await asyncio.to_thread(_hash, place)
            if content_hash is not None and (ids := same_size.get(content_hash)):
                moved += 1
                await context.mark_dirty()
                document_id = ids.pop(0)
                if not ids:
                    del same_size[content_hash]
                known = await documents.by_ids([document_id])
                await move(context, known[document_id], new)
                if known[document_id].sidecar != new.sidecar:  # it says something else by now
                    again = replace(new, id=document_id, reader=None)
                    await documents.mark_changed([again], context.operation.id, context.fence)
                failpoints.die_at("scanning.renamed")
    return moved


def _hash(path: Path) -> str | None:
    """The SHA-256 of a file, in hex; None when it cannot be read, which its extraction will report."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


def _is_below(path: str, folders: Set[str]) -> bool:
    """Whether the path is one of the folders, or lies in one; "" is the root."""
    while path and path not in folders:
        path = path.rpartition("/")[0]
    return path in folders
