"""Documents whose files a scan did not find: moved ones keep their passages, the others are removed, or only marked.

What could not be looked at is not missing; nor is anything when a folder that had files is empty all of a sudden, as
the mount point of a disk that is away. Hashing runs in threads.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Set
from pathlib import Path

from pipeline import failpoints
from pipeline.context.context import OperationContext
from pipeline.scanning.registration import RegistrationResult
from pipeline.scanning.removal import remove
from pipeline.scanning.seen_files import folder_of
from semantik.core.models import Document, Source

_BLOCK = 1 << 20
_FOLDERS = 1000  # more are not asked for one by one


# Documents whose files may be there under another name: their ids, by size and by content hash.
_Lost = dict[int, dict[str, list[str]]]


async def resolve_missing(run: OperationContext, source: Source, found: RegistrationResult) -> None:
    """Find what is missing of a source, and do with it what the settings say; the operation's result notes how many.

    It is gone through twice, since a million documents had better not be held.
    """
    if found.cut:
        return
    number, lost = 0, _Lost()
    async for page in _not_seen(run, source, found):
        number += len(page)
        for document in page:
            if document.status == "indexed" and document.due is None and document.content_hash:
                alike = lost.setdefault(document.size, {})
                alike.setdefault(document.content_hash, []).append(document.id)
    if number and not found.files:
        run.warn(f"{source.path} is empty, and had {number} documents: they are kept. Is a disk not mounted?")
        await _note(run, source, 0, number)
        return
    found.moved = await _follow_moves(run, lost)
    await _note(run, source, found.moved, number - found.moved)
    if number > found.moved:
        await _remove_or_mark(run, source, found)
    found.settled = True


async def _remove_or_mark(run: OperationContext, source: Source, found: RegistrationResult) -> None:
    documents = run.deps.store.documents
    removing = run.deps.settings.documents.missing == "remove"
    async for page in _not_seen(run, source, found):
        # Of what was never read nothing can be kept.
        if going := [one for one in page if removing or one.status == "pending"]:
            await run.mark_dirty()
            await remove(run, going)
        if not removing:
            kept = [one for one in page if one.status != "pending"]
            _look_again(found, kept)
            if fresh := [one.id for one in kept if not one.missing or one.due is not None]:
                await run.mark_dirty()
                await documents.mark_missing(fresh)


async def _note(run: OperationContext, source: Source, moved: int, gone: int) -> None:
    """Keep the numbers before anything is removed: a scan that is taken up again finds only what is left of them."""
    folders = noted(run)
    before = folders.get(source.id, {"moved": 0, "missing": 0})
    folders[source.id] = {"moved": before["moved"] + moved, "missing": max(before["missing"], gone)}
    await run.save(result={"folders": folders})


def noted(run: OperationContext) -> dict[str, dict[str, int]]:
    """How many files were moved, and are missing, by source, as far as the operation has found out."""
    folders = (run.operation.result or {}).get("folders", {})
    assert isinstance(folders, dict)
    return dict(folders)


async def _not_seen(
    run: OperationContext, source: Source, found: RegistrationResult
) -> AsyncIterator[list[Document]]:
    unread = {path.rstrip("/") for path in found.unread}
    async for page in _to_look_at(run, source, found):
        gone = [one for one in page if one.path not in found.met]
        _look_again(found, [one for one in gone if _below(one.path, unread)])
        if gone := [one for one in gone if not _below(one.path, unread)]:
            yield gone


async def _to_look_at(
    run: OperationContext, source: Source, found: RegistrationResult
) -> AsyncIterator[list[Document]]:
    """The source's documents, less those of folders that are as they were."""
    documents = run.deps.store.documents
    folders = (
        None if found.before is None else [one for one in found.before if one not in found.met.unchanged]
    )
    if folders is None or len(folders) > _FOLDERS:
        async for page in documents.of_source(run.generation, source.id):
            yield page
    else:
        for folder in folders:
            async for page in documents.of_folder(run.generation, source.id, folder):
                yield page


def _look_again(found: RegistrationResult, kept: list[Document]) -> None:
    """What is kept without its file is asked for with every scan."""
    for document in kept:
        found.listing[folder_of(document.path)] = b""


async def _follow_moves(run: OperationContext, lost: _Lost) -> int:
    """Documents whose files are there under another name: the name changes, and nothing is read again. Returns their
    number.

    A new file of the same size is hashed; the operation's own new files are asked, wherever in its folders they lie.
    """
    moved = 0
    if not lost:
        return moved
    documents, limit = run.deps.store.documents, run.deps.settings.documents.max_file_bytes
    async for page in documents.due(run.operation.id):
        for fresh in page:
            alike = lost.get(fresh.size)
            if not alike or fresh.status != "pending" or fresh.size > limit:
                continue
            content_hash = await asyncio.to_thread(_hash, fresh.path)
            if content_hash is not None and (same := alike.get(content_hash)):
                moved += 1
                await run.mark_dirty()
                await documents.move(same.pop(0), fresh)
                if not same:
                    del alike[content_hash]
                failpoints.die_at("scanning.renamed")
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


def _below(path: str, folders: Set[str]) -> bool:
    """Whether the path is one of the folders, or lies in one; "" is the root."""
    while path and path not in folders:
        path = path.rpartition("/")[0]
    return path in folders
