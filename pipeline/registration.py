"""The scan: what is in the folder becomes documents, marked pending. The walk itself runs in a thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pipeline.run import Run
from pipeline.scan import FoundFile, ScanRules, ScanWarning, resolve_source, walk
from semantik.records import Document, new_id

_TOGETHER = 500


@dataclass(frozen=True)
class Registered:
    """What a scan found, in files, and how long it took."""

    found: int
    new: int
    unchanged: int
    duration_s: float


async def register(run: Run) -> Registered:
    """Walk the operation's folder and register what is new. Raises Invalid or Forbidden for the folder itself."""
    settings = run.parts.settings
    source = await run.source()
    forbidden = (settings.data.resolve(),)
    root = await asyncio.to_thread(resolve_source, source.path, settings.documents.roots, forbidden)
    rules = ScanRules(settings.documents.roots, settings.documents.exclude, forbidden)
    begun = time.monotonic()
    await run.parts.store.documents.adopt(source.id, run.operation.id)
    found = new = 0
    run.teller.update("scanning_documents", status="scanning", source_path=source.path, scanned=0)
    steps = walk(root, rules)
    while batch := await asyncio.to_thread(_take, steps):
        for warning in batch:
            if isinstance(warning, ScanWarning):
                run.warn(f"{warning.path}: {warning.message}")
        files = [step for step in batch if isinstance(step, FoundFile)]
        if found + len(files) > settings.documents.max_files:
            files = files[: settings.documents.max_files - found]
            run.warn(f"The scan stopped after documents.max_files = {settings.documents.max_files} files.")
            batch = []
        new += await _add(run, source.id, files)
        found += len(files)
        run.teller.update("scanning_documents", status="scanning", source_path=source.path, scanned=found)
        if not batch:
            break
    return Registered(found, new, found - new, round(time.monotonic() - begun, 3))


def _take(steps: Iterator[FoundFile | ScanWarning]) -> list[FoundFile | ScanWarning]:
    return list(islice(steps, _TOGETHER))


async def _add(run: Run, source_id: str, files: Sequence[FoundFile]) -> int:
    """Register the files that the collection does not know; those of an earlier try of this operation are new too."""
    collection = run.collection
    documents = run.parts.store.documents
    known = await documents.known(collection.id, collection.generation, [file.path for file in files])
    fresh = [
        Document(
            id=new_id(),
            collection_id=collection.id,
            generation=collection.generation,
            source_id=source_id,
            operation_id=run.operation.id,
            path=file.path,
            size=file.size,
            modified_ns=file.modified_ns,
            status="pending",
        )
        for file in files
        if file.path not in known
    ]
    await documents.register(fresh)
    return len(fresh) + sum(document.operation_id == run.operation.id for document in known.values())
