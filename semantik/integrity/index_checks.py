"""The index folder of this machine against MongoDB: folders that nobody needs, vectors too many and too few.

A server's index may know chunks that another server has removed: a search that meets one lets it go. What is changed
here is changed only while no server runs on the folder, except what no server needs.
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


async def abandoned_folders(grounds: CheckContext) -> AsyncIterator[Issue]:
    """The folders are read before the collections, so that what was made meanwhile is known."""
    folders = await _folders(grounds)
    there = await grounds.store.collections.all_ids()
    for folder in folders:
        collection = await grounds.store.collections.get(folder.collection_id)
        if folder.collection_id in there and (collection is None or _generation(collection, folder)):
            continue
        yield Issue(
            "abandoned index",
            str(folder.home),
            f"The index {folder.home} is of a collection or generation that is not there.",
            "it is removed",
            partial(_discard, folder),
            folder.bytes,
        )


async def index_checks(grounds: CheckContext) -> AsyncIterator[Issue]:
    """What the segments on the disk hold, against what can be found of MongoDB."""
    for folder in await _folders(grounds):
        collection = await grounds.store.collections.get(folder.collection_id)
        generation = _generation(collection, folder) if collection else None
        held = await asyncio.to_thread(inspection.stored_vectors, folder.home)
        if collection is None or generation is None or held is None:
            continue
        stored = await _stored(grounds, generation)
        async for finding in _too_many(grounds, collection, folder, held, stored):
            yield finding
        spans = await grounds.store.documents.spans(generation, Filters())
        found = stored[inspection.within(stored, spans)]
        lacking = np.setdiff1d(found[found <= held.last_seq], held.seqs)
        if len(lacking):
            yield Issue(
                "lacking vectors",
                str(folder.home),
                f"Vectors that the index of the collection {collection.name} lacks: {len(lacking)}, from "
                f"{lacking[0]} to {lacking[-1]}.",
                "stop the server, and repair it then"
                if grounds.served
                else "it is thrown away, and made from MongoDB when it is needed",
                None if grounds.served else partial(_discard, folder),
                folder.bytes,
            )


async def _too_many(
    grounds: CheckContext,
    collection: Collection,
    folder: IndexFolder,
    held: StoredVectors,
    stored: NDArray[np.int64],
) -> AsyncIterator[Issue]:
    extra = np.setdiff1d(held.seqs, stored)
    if len(extra):
        # A chunk leaves the index before it leaves MongoDB: one that was removed just now is not there any more.
        again = await asyncio.to_thread(inspection.stored_vectors, folder.home)
        extra = np.intersect1d(extra, again.seqs) if again else extra[:0]
    if len(extra):
        yield Issue(
            "vectors without chunks",
            str(folder.home),
            f"Vectors in the index of the collection {collection.name} whose chunks are gone: {len(extra)}, from "
            f"{extra[0]} to {extra[-1]}.",
            "a search that meets one lets it go" if grounds.served else "they are deleted there",
            None if grounds.served else partial(_delete_vectors, folder, held.dimension, extra),
            note=grounds.served,
        )


async def _folders(grounds: CheckContext) -> list[IndexFolder]:
    return await asyncio.to_thread(inspection.folders, grounds.settings.data / "index")


def _generation(collection: Collection, folder: IndexFolder) -> Generation | None:
    return next((one for one in collection.generations if one.number == folder.generation), None)


async def _stored(grounds: CheckContext, generation: Generation) -> NDArray[np.int64]:
    pages = [page async for page in grounds.store.chunks.seqs(generation)]
    return np.concatenate(pages) if pages else np.empty(0, np.int64)


async def _discard(folder: IndexFolder) -> None:
    try:
        await asyncio.to_thread(inspection.discard, folder.home)
    except FileNotFoundError:
        return  # a server was faster
    except OSError as error:
        raise Unavailable(f"The index {folder.home} cannot be removed: {error.strerror}.") from error


async def _delete_vectors(folder: IndexFolder, dimension: int, seqs: NDArray[np.int64]) -> None:
    try:
        await asyncio.to_thread(inspection.delete_vectors, folder.home, dimension, inspection.spans_of(seqs))
    except OSError as error:
        raise Unavailable(f"The index {folder.home} cannot be written: {error.strerror}.") from error
