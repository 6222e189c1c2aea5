"""Compares the vectors in an engine that servers share with MongoDB: abandoned collections, surplus and missing rows.

Nothing to check where `index.engine` is on this machine. Servers may run while something is repaired: each step is one
that they might take themselves.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import ConfigError
from semantik.core.models import Collection, Filters, Generation
from semantik.index.inspection import exact_ranges, is_within
from semantik.index.milvus import MISSING
from semantik.integrity.issue import CheckContext, Issue

if TYPE_CHECKING:
    from semantik.index.milvus.inspection import MilvusInspector


def _inspector(context: CheckContext) -> AbstractAsyncContextManager[MilvusInspector]:
    try:
        from semantik.index.milvus.inspection import milvus_inspector
    except ModuleNotFoundError as error:
        raise ConfigError(MISSING) from error
    return milvus_inspector(context.settings.milvus)


async def abandoned_in_engine(context: CheckContext) -> AsyncIterator[Issue]:
    """The engine's names are read before the collections: the collection of one that is made meanwhile is known."""
    if context.settings.index.engine != "milvus":
        return
    async with _inspector(context) as engine:
        names = await engine.names()
        collections = context.store.collections
        numbers = await collections.generation_numbers(await collections.all_ids())
        known = {engine.name(id_, number) for id_, several in numbers.items() for number in several}
    for name in names:
        if name not in known:
            yield Issue(
                "abandoned index",
                name,
                f"The collection {name} of Milvus belongs to a collection or generation that does not exist.",
                "it is dropped",
                partial(_drop, context, name),
            )


async def engine_checks(context: CheckContext) -> AsyncIterator[Issue]:
    """Compares each generation's rows with the chunks of indexed documents."""
    if context.settings.index.engine != "milvus":
        return
    for collection_id in await context.store.collections.all_ids():
        collection = await context.store.collections.get(collection_id)
        for generation in collection.generations if collection else ():
            if collection is not None and generation.dimension is not None:
                async for issue in _compared(context, collection, generation):
                    yield issue


async def _compared(
    context: CheckContext, collection: Collection, generation: Generation
) -> AsyncIterator[Issue]:
    async with _inspector(context) as engine:
        name = engine.name(collection.id, generation.number)
        there = await engine.stored(name, collection.next_seq)
        if there is None:
            return
        last, seqs = there
        chunks = await _chunk_seqs(context, generation)
        surplus = np.setdiff1d(seqs, chunks)
        if len(surplus) and (again := await engine.stored(name, collection.next_seq)):
            surplus = np.intersect1d(surplus, again[1])  # one that was removed meanwhile is no surplus
    if len(surplus):
        yield Issue(
            "vectors without chunks",
            name,
            f"Vectors in Milvus of the collection {collection.name} of chunks that do not exist: {len(surplus)}, "
            f"from {surplus[0]} to {surplus[-1]}.",
            "they are deleted there",
            partial(_delete, context, name, surplus),
            informational=context.served,  # a search that finds one drops it
        )
    spans = await context.store.documents.spans(generation, Filters())
    expected = chunks[is_within(chunks, spans)]
    missing = np.setdiff1d(expected[expected <= last], seqs)
    if len(missing):
        yield Issue(
            "missing vectors",
            name,
            f"Vectors missing in Milvus of the collection {collection.name}: of {len(missing)} chunks, from "
            f"{missing[0]} to {missing[-1]}.",
            "they are added from MongoDB",
            partial(_add, context, name, generation, missing),
        )


async def _chunk_seqs(context: CheckContext, generation: Generation) -> NDArray[np.int64]:
    pages = [page async for page in context.store.chunks.seqs(generation)]
    return np.concatenate(pages) if pages else np.empty(0, np.int64)


async def _drop(context: CheckContext, name: str) -> None:
    async with _inspector(context) as engine:
        await engine.drop(name)


async def _delete(context: CheckContext, name: str, seqs: NDArray[np.int64]) -> None:
    async with _inspector(context) as engine:
        await engine.delete(name, exact_ranges(seqs))


async def _add(context: CheckContext, name: str, generation: Generation, seqs: NDArray[np.int64]) -> None:
    async with _inspector(context) as engine:
        async for block in context.store.chunks.vectors(generation, int(seqs[0]) - 1, int(seqs[-1])):
            chosen = np.isin(block.seqs, seqs)
            await engine.add(name, block.seqs[chosen], block.vectors[chosen])
