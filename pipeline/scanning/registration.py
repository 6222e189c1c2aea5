"""Compares the files of a source with its documents: new and changed files become due for reading.

A folder that is exactly as the last complete scan saw it is not compared file by file. Files that are gone are left to
`missing_files.py`. The walk runs in a thread, everything else on the loop.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import Task
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from threading import Event

from pipeline import failpoints
from pipeline.context.context import OperationContext
from pipeline.scanning.fetching import fetched_listings
from pipeline.scanning.parts import give_way, mark_found
from pipeline.scanning.seen_files import folder_of
from pipeline.scanning.source_scan import SourceScan
from pipeline.scanning.walk_rules import WalkRules
from pipeline.scanning.walker import walk
from semantik.core.document_roots import resolve_source
from semantik.core.models import Document, Source, new_id
from semantik.core.path_metadata import path_metadata
from semantik.core.scan_entries import FolderListing, hashed
from semantik.core.sidecars import with_sidecars
from semantik.core.upload_paths import is_upload
from semantik.storage.mongo.known_files import FileState, KnownFile

_FILES_PER_QUERY = 500
_QUERIES_PER_STEP = 8
# Of unchanged folders: one step in a thread looks at no more files unless one folder has more.
_FILES_PER_STEP = 20_000


@dataclass(frozen=True)
class _Folder:
    """A folder that the walk has listed; `unchanged` since the last complete scan."""

    listing: FolderListing
    digest: bytes
    unchanged: bool


async def register_files(context: OperationContext, source: Source, scan: SourceScan) -> None:
    """Walk a source, and register what is new or changed. Raises Invalid or Forbidden for the source's folder, or for
    the server that another source is on."""
    started = time.monotonic()
    _publish_progress(context, source, scan)
    stop = Event()
    try:
        await _register(context, source, scan, await _listings(context, source, stop))
    finally:
        stop.set()  # a cancelled operation does not wait for the thread that walks
    scan.duration_s = time.monotonic() - started


async def _listings(context: OperationContext, source: Source, stop: Event) -> Iterator[FolderListing]:
    if is_upload(source.path):
        return await _list_uploads(context, source)
    return (
        await _walk_folder(context, source, stop)
        if source.is_folder
        else await fetched_listings(context, source)
    )


async def _register(
    context: OperationContext, source: Source, scan: SourceScan, listings: Iterator[FolderListing]
) -> None:
    templates = context.deps.settings.documents.path_metadata
    previous = scan.previous_digests
    adopted = previous is not None  # digests are only trusted while no document is due
    while not scan.truncated and (
        folders := await asyncio.to_thread(_next_folders, listings, previous or {}, templates)
    ):
        files = await asyncio.to_thread(_record_all, context, folders, scan)
        if files and not adopted:
            # Not before the first file is seen: while the source's disk is away, its due documents wait.
            await context.mark_dirty()  # adopted documents will be read, and counted
            await context.deps.store.documents.reassign_due(
                context.generation, source.id, context.operation.id, context.fence
            )
            adopted = True
        async with aclosing(_with_known(context, files)) as queries:
            async for some, known in queries:
                await _compare(context, source.id, some, known, scan)
        _publish_progress(context, source, scan)


async def _walk_folder(context: OperationContext, source: Source, stop: Event) -> Iterator[FolderListing]:
    settings = context.deps.settings
    forbidden = settings.private_paths
    roots = (await context.roots_of_sources()).get(source.id, ())
    root = await asyncio.to_thread(resolve_source, source.path, roots, forbidden)
    exclude = (*settings.documents.exclude, *source.exclude)
    rules = WalkRules(roots, exclude, forbidden, excluded=frozenset(source.excluded))
    return walk(root, rules, stop.is_set)


async def _list_uploads(context: OperationContext, source: Source) -> Iterator[FolderListing]:
    """The uploads of the source, each as the only file of a folder, which its content names."""
    return iter(
        [
            FolderListing(folder_of(one.path), [(one.name, one.size, one.modified_ns)], [])
            async for page in context.deps.store.uploads.all_stored(source.collection_id)
            for one in page
        ]
    )


def _next_folders(
    listings: Iterator[FolderListing], previous: Mapping[str, bytes], templates: Sequence[str]
) -> list[_Folder]:
    """The next folders of the walk, as many as one step is to look at; empty at its end."""
    folders: list[_Folder] = []
    files = 0
    for listing in listings:
        # With other templates, paths say something else.
        digest = listing.digest if not templates else hashed(listing.digest, *templates)
        folders.append(_Folder(listing, digest, previous.get(listing.folder) == digest))
        files += len(listing.files) + 1
        if files >= (_FILES_PER_STEP if folders[-1].unchanged else _QUERIES_PER_STEP * _FILES_PER_QUERY):
            break
    return folders


def _record_all(context: OperationContext, folders: Sequence[_Folder], scan: SourceScan) -> list[FileState]:
    """In a thread, as a folder may have very many files; meanwhile nothing else of the operation runs."""
    return [file for folder in folders for file in _record(context, folder, scan)]


def _record(context: OperationContext, folder: _Folder, scan: SourceScan) -> Iterator[FileState]:
    """Record what the walk saw in a folder; yields the files that have to be compared one by one."""
    if scan.truncated:
        return
    listing, max_files = folder.listing, context.deps.settings.documents.max_files
    for warning in listing.warnings:
        if warning.hides_files:
            scan.unread.append(warning.path)
        context.warn(f"{warning.path}: {warning.message}")
    files, sidecars = with_sidecars(listing.files)
    if scan.files + len(files) > max_files:
        scan.truncated = True
        files = files[: max_files - scan.files]
        context.warn(f"The scan stopped after documents.max_files = {max_files} files.")
    if listing.files or listing.warnings:
        scan.digests[listing.folder] = folder.digest
    scan.files += len(files)
    if folder.unchanged and not scan.truncated:
        scan.seen.unchanged_folders.add(listing.folder)
        scan.unchanged += len(files)
    else:
        templates = context.deps.settings.documents.path_metadata
        for name, size, modified_ns in files:
            path = listing.path(name)
            by_path = path_metadata(path, templates)
            yield FileState(path, size, modified_ns, sidecars.get(name), by_path, listing.origins.get(name))


def _publish_progress(context: OperationContext, source: Source, scan: SourceScan) -> None:
    context.reporter.publish_latest(
        "scanning_documents", status="scanning", source_path=source.path, scanned=scan.files
    )


async def _with_known(
    context: OperationContext, files: Sequence[FileState]
) -> AsyncGenerator[tuple[Sequence[FileState], dict[str, KnownFile]], None]:
    """The files, some at a time, with what is known of their paths: the next ones are looked up meanwhile."""

    def look_up(at: int) -> Task[dict[str, KnownFile]]:
        paths = [file.path for file in files[at : at + _FILES_PER_QUERY]]
        return asyncio.create_task(context.deps.store.known_files.at(context.generation, paths))

    following = look_up(0)
    try:
        for at in range(0, len(files), _FILES_PER_QUERY):
            known = await following
            following = look_up(at + _FILES_PER_QUERY)
            yield files[at : at + _FILES_PER_QUERY], known
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _compare(
    context: OperationContext,
    source_id: str,
    files: Sequence[FileState],
    known: Mapping[str, KnownFile],
    scan: SourceScan,
) -> None:
    """Register the files that the generation does not know, and those whose size or time has changed.

    Files that an earlier attempt of this operation registered count again.
    """
    documents, operation_id = context.deps.store.documents, context.operation.id
    new: list[Document] = []
    changed: dict[str, FileState] = {}
    found_again: list[str] = []
    if parts := [one.id for one in known.values() if one.is_part]:  # a file may have the name of a part
        await context.mark_dirty()
        await give_way(context, list((await documents.by_ids(parts)).values()))
    for file in files:
        scan.seen.add(file.path)
        document = known.get(file.path)
        if document is None or document.is_part:
            new.append(_new_document(context, source_id, file))
        elif file != document.state or (document.missing and document.status != "indexed"):
            changed[document.id] = file
        elif document.due == operation_id:
            scan.new += document.status == "pending"
            scan.changed += document.status != "pending"
        else:
            scan.unchanged += 1
            if document.missing:
                found_again.append(document.id)
    if new or changed or found_again:
        await context.mark_dirty()
    await documents.register(new)
    if changed or found_again:
        before = await documents.by_ids([*changed, *found_again])
        as_found = [_as_found(before[key], file) for key, file in changed.items() if key in before]
        await documents.mark_changed(as_found, operation_id, context.fence)
        if found_again:
            await mark_found(context, [before[key] for key in found_again if key in before])
    failpoints.die_at("scanning.registered")
    scan.new += len(new)
    scan.changed += len(changed)


def _as_found(document: Document, file: FileState) -> Document:
    """A document as its file is now; one whose sidecar has changed is to be read again, whatever its content."""
    return replace(
        document,
        size=file.size,
        modified_ns=file.modified_ns,
        sidecar=file.sidecar,
        by_path=file.by_path,
        origin=file.origin,
        reader=document.reader if document.sidecar == file.sidecar else None,
    )


def _new_document(context: OperationContext, source_id: str, file: FileState) -> Document:
    return Document(
        id=new_id(),
        collection_id=context.collection.id,
        generation=context.generation.number,
        source_id=source_id,
        operation_id=context.operation.id,
        path=file.path,
        size=file.size,
        modified_ns=file.modified_ns,
        status="pending",
        due=context.operation.id,
        fence=context.fence,
        sidecar=file.sidecar,
        by_path=file.by_path,
        origin=file.origin,
    )
