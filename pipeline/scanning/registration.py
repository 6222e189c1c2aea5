"""The scan: what is in a folder is compared with what is known of it. The walk itself runs in a thread.

New and changed files become due; files that are gone are moved, marked or removed (`missing.py`). A folder in which the
last finished scan saw just what this one sees is not compared file by file.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline import failpoints
from pipeline.context.context import OperationContext
from pipeline.scanning.seen_files import SeenFiles
from pipeline.scanning.walker import WalkRules, resolve_source, walk
from semantik.core.models import Document, Source, new_id
from semantik.core.scan_entries import FolderListing

_TOGETHER = 500
_AT_ONCE = 20_000  # files that one step in a thread looks at, at most, if no folder has more


@dataclass(frozen=True)
class RegisteredFile:
    """A file that the walk has found."""

    path: str
    size: int
    modified_ns: int


@dataclass
class RegistrationResult:
    """What the scan of a folder has found so far, in files. `met` is shared by the scans of the operation;
    `unread` are the paths whose insides this one could not see; `cut` when it stopped early. `moved` of the new ones
    turned out to be known.

    `before` is what the last finished scan kept of each folder, None if that does not hold any more; `listing` is what
    this one will keep, once `settled`.
    """

    met: SeenFiles
    before: dict[str, bytes] | None
    listing: dict[str, bytes] = field(default_factory=dict)
    settled: bool = False
    files: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    unread: list[str] = field(default_factory=list)
    cut: bool = False
    moved: int = 0
    duration_s: float = 0.0


async def register(run: OperationContext, source: Source, found: RegistrationResult) -> None:
    """Walk a folder and register what is new or changed. Raises Invalid or Forbidden for the folder itself."""
    settings = run.deps.settings
    forbidden = (settings.data.resolve(),)
    root = await asyncio.to_thread(resolve_source, source.path, settings.documents.roots, forbidden)
    rules = WalkRules(settings.documents.roots, settings.documents.exclude, forbidden)
    begun = time.monotonic()
    _publish(run, source, found)
    listings = walk(root, rules)
    adopted = found.before is not None  # what was kept is only taken for right when nothing is due
    while not found.cut and (seen := await asyncio.to_thread(_take, listings, found.before or {})):
        files = [file for one in seen for file in _look(run, one, found)]
        if files and not adopted:
            # Where nothing is, a disk may be away: what is to be read of it can wait.
            await run.mark_dirty()  # what is taken over has to be read, and counted
            await run.deps.store.documents.reassign_due(
                run.generation, source.id, run.operation.id, run.fence
            )
            adopted = True
        for at in range(0, len(files), _TOGETHER):
            await _compare(run, source.id, files[at : at + _TOGETHER], found)
        _publish(run, source, found)
    found.duration_s = time.monotonic() - begun


@dataclass(frozen=True)
class _ScanState:
    """A folder that the walk has been to; of one that is `unchanged` the number of its files is enough."""

    listing: FolderListing
    digest: bytes
    unchanged: bool


def _take(listings: Iterator[FolderListing], before: Mapping[str, bytes]) -> list[_ScanState]:
    seen: list[_ScanState] = []
    files = 0
    for listing in listings:
        digest = listing.digest
        seen.append(_ScanState(listing, digest, before.get(listing.folder) == digest))
        files += len(listing.files) + 1
        if files >= (_AT_ONCE if seen[-1].unchanged else _TOGETHER):
            break
    return seen


def _look(run: OperationContext, seen: _ScanState, found: RegistrationResult) -> Iterator[RegisteredFile]:
    """Note what was seen of a folder; returns the files that are to be compared one by one."""
    if found.cut:
        return
    listing, most = seen.listing, run.deps.settings.documents.max_files
    for warning in listing.warnings:
        if not warning.seen:
            found.unread.append(warning.path)
        run.warn(f"{warning.path}: {warning.message}")
    files = listing.files
    if found.files + len(files) > most:
        found.cut = True
        files = files[: most - found.files]
        run.warn(f"The scan stopped after documents.max_files = {most} files.")
    if files or listing.warnings:
        found.listing[listing.folder] = seen.digest
    found.files += len(files)
    if seen.unchanged and not found.cut:
        found.met.unchanged.add(listing.folder)
        found.unchanged += len(files)
    else:
        yield from (
            RegisteredFile(listing.path(name), size, modified_ns) for name, size, modified_ns in files
        )


def _publish(run: OperationContext, source: Source, found: RegistrationResult) -> None:
    run.reporter.publish_latest(
        "scanning_documents", status="scanning", source_path=source.path, scanned=found.files
    )


async def _compare(
    run: OperationContext, source_id: str, files: Sequence[RegisteredFile], found: RegistrationResult
) -> None:
    """Register the files that the generation does not know, and those that have another size or time.

    Those of an earlier try of this operation count again.
    """
    documents, operation_id = run.deps.store.documents, run.operation.id
    known = await documents.by_paths(run.generation, [file.path for file in files])
    fresh: list[Document] = []
    changed: list[Document] = []
    back: list[str] = []
    for file in files:
        found.met.add(file.path)
        document = known.get(file.path)
        if document is None:
            fresh.append(_document(run, source_id, file))
            continue
        as_found = replace(document, size=file.size, modified_ns=file.modified_ns)
        if as_found != document or (document.missing and document.status != "indexed"):
            changed.append(as_found)
        elif document.due == operation_id:
            found.new += document.status == "pending"
            found.changed += document.status != "pending"
        else:
            found.unchanged += 1
            if document.missing:
                back.append(document.id)
    if fresh or changed or back:
        await run.mark_dirty()
    await documents.register(fresh)
    await documents.mark_changed(changed, operation_id, run.fence)
    if back:
        await documents.mark_found(back)
    failpoints.die_at("scanning.registered")
    found.new += len(fresh)
    found.changed += len(changed)


def _document(run: OperationContext, source_id: str, file: RegisteredFile) -> Document:
    return Document(
        id=new_id(),
        collection_id=run.collection.id,
        generation=run.generation.number,
        source_id=source_id,
        operation_id=run.operation.id,
        path=file.path,
        size=file.size,
        modified_ns=file.modified_ns,
        status="pending",
        due=run.operation.id,
        fence=run.fence,
    )
