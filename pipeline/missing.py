"""Documents whose files a scan did not find: moved ones keep their passages, the others are removed, or only marked.

What could not be looked at is not missing; nor is anything when a folder that had files is empty all of a sudden, as
the mount point of a disk that is away. Hashing runs in threads.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

from pipeline import failpoints
from pipeline.registration import Found
from pipeline.removal import remove
from pipeline.run import Run
from semantik.records import Document, Source

_BLOCK = 1 << 20


async def settle_missing(run: Run, source: Source, found: Found) -> None:
    """Find what is missing of a source, and do with it what the settings say; the operation's result notes how many."""
    if found.cut:
        return
    gone = await _not_seen(run, source, found)
    if gone and not found.files:
        run.warn(
            f"{source.path} is empty, and had {len(gone)} documents: they are kept. Is a disk not mounted?"
        )
        await _note(run, source, 0, len(gone))
        return
    moved = await _follow_moves(run, gone)
    found.moved = len(moved)
    gone = [document for document in gone if document.id not in moved]
    documents = run.parts.store.documents
    await _note(run, source, len(moved), len(gone))
    removing = run.parts.settings.documents.missing == "remove"
    for at in range(0, len(gone), 500):
        page = gone[at : at + 500]
        # Of what was never read nothing can be kept.
        if going := [one for one in page if removing or one.status == "pending"]:
            await remove(run, going)
        if not removing:
            await documents.mark_missing([one.id for one in page if one.status != "pending"])


async def _note(run: Run, source: Source, moved: int, gone: int) -> None:
    """Keep the numbers before anything is removed: a scan that is taken up again finds only what is left of them."""
    folders = noted(run)
    before = folders.get(source.id, {"moved": 0, "missing": 0})
    folders[source.id] = {"moved": before["moved"] + moved, "missing": max(before["missing"], gone)}
    await run.save(result={"folders": folders})


def noted(run: Run) -> dict[str, dict[str, int]]:
    """How many files were moved, and are missing, by source, as far as the operation has found out."""
    folders = (run.operation.result or {}).get("folders", {})
    assert isinstance(folders, dict)
    return dict(folders)


async def _not_seen(run: Run, source: Source, found: Found) -> list[Document]:
    unread = tuple(path.rstrip("/") for path in found.unread)
    gone: list[Document] = []
    async for page in run.parts.store.documents.of_source(run.generation, source.id):
        for document in page:
            if document.id not in found.seen and not _below(document.path, unread):
                gone.append(document)
    return gone


async def _follow_moves(run: Run, gone: Sequence[Document]) -> set[str]:
    """Documents whose files are there under another name: the name changes, and nothing is read again.

    A new file of the same size is hashed; the operation's own new files are asked, wherever in its folders they lie.
    """
    moved: set[str] = set()
    by_size: dict[int, list[Document]] = {}
    for document in gone:
        if document.status == "indexed" and document.due is None:
            by_size.setdefault(document.size, []).append(document)
    if not by_size:
        return moved
    documents, limit = run.parts.store.documents, run.parts.settings.documents.max_file_bytes
    async for page in documents.due(run.operation.id):
        for fresh in page:
            candidates = by_size.get(fresh.size)
            if not candidates or fresh.status != "pending" or fresh.size > limit:
                continue
            content_hash = await asyncio.to_thread(_hash, fresh.path)
            same = next((one for one in candidates if one.content_hash == content_hash), None)
            if same is not None:
                candidates.remove(same)
                await documents.move(same, fresh)
                failpoints.die_at("scanning.renamed")
                moved.add(same.id)
    return moved


def _hash(path: str) -> str | None:
    """The SHA-256 of a file, in hex; None when it cannot be read, which its reading will tell."""
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:
        return None
    return digest.hexdigest()


def _below(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)
