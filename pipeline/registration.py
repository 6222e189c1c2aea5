"""The scan: what is in a folder is compared with what is known of it. The walk itself runs in a thread.

New and changed files become due; files that are gone are moved, marked or removed (`missing.py`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from pipeline import failpoints
from pipeline.run import Run
from pipeline.scan import FoundFile, ScanRules, ScanWarning, resolve_source, walk
from semantik.records import Document, Source, new_id

_TOGETHER = 500


@dataclass
class Found:
    """What the scan of a folder has found so far, in files. `seen` are the known documents that the scans of all the
    operation's folders met, `unread` the paths whose insides this one could not see; `cut` when it stopped early.
    `moved` of the new ones turned out to be known."""

    seen: set[str]
    files: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    unread: list[str] = field(default_factory=list)
    cut: bool = False
    moved: int = 0
    duration_s: float = 0.0


async def register(run: Run, source: Source, seen: set[str]) -> Found:
    """Walk a folder and register what is new or changed; the documents that are met are added to `seen`.

    Raises Invalid or Forbidden for the folder itself.
    """
    settings = run.parts.settings
    forbidden = (settings.data.resolve(),)
    root = await asyncio.to_thread(resolve_source, source.path, settings.documents.roots, forbidden)
    rules = ScanRules(settings.documents.roots, settings.documents.exclude, forbidden)
    begun = time.monotonic()
    found = Found(seen)
    _tell(run, source, found)
    steps = walk(root, rules)
    while not found.cut and (batch := await asyncio.to_thread(_take, steps)):
        for warning in batch:
            if isinstance(warning, ScanWarning):
                if not warning.seen:
                    found.unread.append(warning.path)
                run.warn(f"{warning.path}: {warning.message}")
        files = [step for step in batch if isinstance(step, FoundFile)]
        if found.files + len(files) > settings.documents.max_files:
            found.cut = True
            files = files[: settings.documents.max_files - found.files]
            run.warn(f"The scan stopped after documents.max_files = {settings.documents.max_files} files.")
        if files and not found.files:
            # Where nothing is, a disk may be away: what is to be read of it can wait.
            await run.parts.store.documents.adopt(run.generation, source.id, run.operation.id, run.fence)
        await _compare(run, source.id, files, found)
        _tell(run, source, found)
    found.duration_s = time.monotonic() - begun
    return found


def _take(steps: Iterator[FoundFile | ScanWarning]) -> list[FoundFile | ScanWarning]:
    return list(islice(steps, _TOGETHER))


def _tell(run: Run, source: Source, found: Found) -> None:
    run.teller.update("scanning_documents", status="scanning", source_path=source.path, scanned=found.files)


async def _compare(run: Run, source_id: str, files: Sequence[FoundFile], found: Found) -> None:
    """Register the files that the generation does not know, and those that have another size or time.

    Those of an earlier try of this operation count again.
    """
    documents, operation_id = run.parts.store.documents, run.operation.id
    known = await documents.known(run.generation, [file.path for file in files])
    fresh: list[Document] = []
    changed: list[Document] = []
    back: list[str] = []
    for file in files:
        document = known.get(file.path)
        if document is None:
            fresh.append(_document(run, source_id, file))
            continue
        found.seen.add(document.id)
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
    await documents.register(fresh)
    await documents.mark_changed(changed, operation_id, run.fence)
    if back:
        await documents.mark_found(back)
    failpoints.die_at("scanning.registered")
    found.seen |= {document.id for document in fresh}
    found.files += len(files)
    found.new += len(fresh)
    found.changed += len(changed)


def _document(run: Run, source_id: str, file: FoundFile) -> Document:
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
