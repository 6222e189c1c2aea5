"""Compares the index folders of this machine with MongoDB: abandoned folders, surplus entries and missing ones.

A server's index may contain chunks that another server has removed: a search that finds one drops it. An index is
repaired only while no server runs on the data folder; abandoned folders, which no server uses, always.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import Unavailable
from semantik.core.models import Collection, Filters, Generation
from semantik.index import inspection
from semantik.index.inspection import IndexFolder
from semantik.index.keyword.inspection import delete_words, stored_words
from semantik.index.ranges import Ranges
from semantik.integrity.issue import CheckContext, Issue


class Stored(Protocol):
    """What an index has on disk: the seqs (int64, ascending) that can be found; all up to `last_seq` were added."""

    @property
    def last_seq(self) -> int: ...

    @property
    def seqs(self) -> NDArray[np.int64]: ...


@dataclass(frozen=True)
class Kind:
    """A kind of indexes: its folder below the data folder, what it holds of each chunk, and how to read and repair it.

    `read` gives None for an index that is empty or damaged; `delete` raises OSError.
    """

    folder: str
    entries: str
    read: Callable[[Path], Stored | None]
    delete: Callable[[Path, Ranges], None]


KINDS = (
    Kind("index", "vectors", inspection.stored_vectors, inspection.delete_vectors),
    Kind("keywords", "words", stored_words, delete_words),
)


async def abandoned_folders(context: CheckContext) -> AsyncIterator[Issue]:
    """Folders are read before collections: the collection of a folder that is created meanwhile is then known."""
    folders = [folder for kind in KINDS for folder in await _folders(context, kind)]
    existing = await context.store.collections.all_ids()
    for folder in folders:
        collection = await context.store.collections.get(folder.collection_id)
        if folder.collection_id in existing and (collection is None or _generation(collection, folder)):
            continue
        yield Issue(
            "abandoned index",
            str(folder.directory),
            f"The index {folder.directory} belongs to a collection or generation that does not exist.",
            "it is removed",
            partial(_discard, folder),
            folder.bytes,
        )


async def index_checks(context: CheckContext) -> AsyncIterator[Issue]:
    """Compares what was saved of each index with the chunks of indexed documents."""
    for kind in KINDS:
        for folder in await _folders(context, kind):
            collection = await context.store.collections.get(folder.collection_id)
            generation = _generation(collection, folder) if collection else None
            indexed = await asyncio.to_thread(kind.read, folder.directory)
            if collection is None or generation is None or indexed is None:
                continue
            chunks = await _chunk_seqs(context, generation)
            async for issue in _surplus(context, kind, collection, folder, indexed, chunks):
                yield issue
            spans = await context.store.documents.spans(generation, Filters())
            expected = chunks[inspection.is_within(chunks, spans)]
            missing = np.setdiff1d(expected[expected <= indexed.last_seq], indexed.seqs)
            if len(missing):
                yield _missing(context, kind, collection, folder, missing)


def _missing(
    context: CheckContext, kind: Kind, collection: Collection, folder: IndexFolder, missing: NDArray[np.int64]
) -> Issue:
    return Issue(
        f"missing {kind.entries}",
        str(folder.directory),
        f"{kind.entries.capitalize()} missing in the index of the collection {collection.name}: of {len(missing)} "
        f"chunks, from {missing[0]} to {missing[-1]}.",
        "stop the server, and repair it then"
        if context.served
        else "it is deleted, and rebuilt from MongoDB when it is needed",
        None if context.served else partial(_discard, folder),
        folder.bytes,
    )


async def _surplus(
    context: CheckContext,
    kind: Kind,
    collection: Collection,
    folder: IndexFolder,
    indexed: Stored,
    chunks: NDArray[np.int64],
) -> AsyncIterator[Issue]:
    surplus = np.setdiff1d(indexed.seqs, chunks)
    if len(surplus):
        # A chunk is removed from the index before it is removed from MongoDB: one that was removed since the first
        # read is not in the index any more.
        again = await asyncio.to_thread(kind.read, folder.directory)
        surplus = np.intersect1d(surplus, again.seqs) if again else surplus[:0]
    if len(surplus):
        yield Issue(
            f"{kind.entries} without chunks",
            str(folder.directory),
            f"{kind.entries.capitalize()} in the index of the collection {collection.name} of chunks that do not "
            f"exist: {len(surplus)}, from {surplus[0]} to {surplus[-1]}.",
            "a search that finds one drops it" if context.served else "they are deleted there",
            None if context.served else partial(_delete, kind, folder, surplus),
            informational=context.served,
        )


async def _folders(context: CheckContext, kind: Kind) -> list[IndexFolder]:
    return await asyncio.to_thread(inspection.find_index_folders, context.settings.data / kind.folder)


def _generation(collection: Collection, folder: IndexFolder) -> Generation | None:
    return next((one for one in collection.generations if one.number == folder.generation), None)


async def _chunk_seqs(context: CheckContext, generation: Generation) -> NDArray[np.int64]:
    pages = [page async for page in context.store.chunks.seqs(generation)]
    return np.concatenate(pages) if pages else np.empty(0, np.int64)


async def _discard(folder: IndexFolder) -> None:
    try:
        await asyncio.to_thread(inspection.remove_index, folder.directory)
    except FileNotFoundError:
        return  # a server has removed it meanwhile
    except OSError as error:
        raise Unavailable(f"The index {folder.directory} cannot be removed: {error.strerror}.") from error


async def _delete(kind: Kind, folder: IndexFolder, seqs: NDArray[np.int64]) -> None:
    try:
        await asyncio.to_thread(kind.delete, folder.directory, inspection.exact_ranges(seqs))
    except OSError as error:
        raise Unavailable(f"The index {folder.directory} cannot be written: {error.strerror}.") from error
