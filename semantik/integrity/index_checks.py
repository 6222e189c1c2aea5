"""Compares the index folder of this machine with MongoDB: abandoned folders, surplus vectors and missing ones.

A server's index may contain chunks that another server has removed: a search that finds one drops it. An index is
repaired only while no server runs on the data folder; abandoned folders, which no server uses, always.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import Unavailable
from semantik.core.models import Collection, Filters, Generation
from semantik.index import inspection
from semantik.index.inspection import IndexFolder, StoredVectors
from semantik.integrity.issue import CheckContext, Issue


async def abandoned_folders(context: CheckContext) -> AsyncIterator[Issue]:
    """Folders are read before collections: the collection of a folder that is created meanwhile is then known."""
    folders = await _folders(context)
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
    """Compares the vectors in the segments with the chunks of indexed documents."""
    for folder in await _folders(context):
        collection = await context.store.collections.get(folder.collection_id)
        generation = _generation(collection, folder) if collection else None
        indexed = await asyncio.to_thread(inspection.stored_vectors, folder.directory)
        if collection is None or generation is None or indexed is None:
            continue
        chunks = await _chunk_seqs(context, generation)
        async for issue in _surplus_vectors(context, collection, folder, indexed, chunks):
            yield issue
        spans = await context.store.documents.spans(generation, Filters())
        expected = chunks[inspection.is_within(chunks, spans)]
        missing = np.setdiff1d(expected[expected <= indexed.last_seq], indexed.seqs)
        if len(missing):
            yield Issue(
                "missing vectors",
                str(folder.directory),
                f"Vectors missing in the index of the collection {collection.name}: {len(missing)}, from "
                f"{missing[0]} to {missing[-1]}.",
                "stop the server, and repair it then"
                if context.served
                else "it is deleted, and rebuilt from MongoDB when it is needed",
                None if context.served else partial(_discard, folder),
                folder.bytes,
            )


async def _surplus_vectors(
    context: CheckContext,
    collection: Collection,
    folder: IndexFolder,
    indexed: StoredVectors,
    chunks: NDArray[np.int64],
) -> AsyncIterator[Issue]:
    surplus = np.setdiff1d(indexed.seqs, chunks)
    if len(surplus):
        # A chunk is removed from the index before it is removed from MongoDB: one that was removed since the first
        # read is not in the index any more.
        again = await asyncio.to_thread(inspection.stored_vectors, folder.directory)
        surplus = np.intersect1d(surplus, again.seqs) if again else surplus[:0]
    if len(surplus):
        yield Issue(
            "vectors without chunks",
            str(folder.directory),
            f"Vectors in the index of the collection {collection.name} whose chunks do not exist: {len(surplus)}, "
            f"from {surplus[0]} to {surplus[-1]}.",
            "a search that finds one drops it" if context.served else "they are deleted there",
            None if context.served else partial(_delete_vectors, folder, indexed.dimension, surplus),
            informational=context.served,
        )


async def _folders(context: CheckContext) -> list[IndexFolder]:
    return await asyncio.to_thread(inspection.find_index_folders, context.settings.data / "index")


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


async def _delete_vectors(folder: IndexFolder, dimension: int, seqs: NDArray[np.int64]) -> None:
    try:
        await asyncio.to_thread(
            inspection.delete_vectors, folder.directory, dimension, inspection.exact_ranges(seqs)
        )
    except OSError as error:
        raise Unavailable(f"The index {folder.directory} cannot be written: {error.strerror}.") from error
