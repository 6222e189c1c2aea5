"""What filters need of each collection's documents, kept in memory while nothing changes them. Runs on the loop.

A collection's record is marked before its documents change, and again afterwards. What was read while the record said
that nothing is about to change, and that it still says, is right as long as the record stays the same.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semantik.core.models import Collection, Filters, now
from semantik.query import DocumentColumns, matching
from semantik.storage.mongo import Store
from semantik.storage.mongo.collections import TAGGING_MS

_MAX_BYTES = 64 << 20
_BYTES_PER_DOCUMENT = 350  # beside its path and its title, which is there in two spellings


_TAGGING = timedelta(milliseconds=TAGGING_MS)


@dataclass
class CatalogDocuments:
    """Indexed documents; the one with number n has the chunks `spans[n]`, a half-open range; int64 (n, 2)."""

    spans: NDArray[np.int64]
    columns: DocumentColumns

    def numbers_of(self, seqs: Sequence[int]) -> NDArray[np.int64]:
        """The number of the document of each chunk; -1 for a chunk of none."""
        wanted = np.asarray(seqs, np.int64)
        order, starts = self._by_start
        at = np.searchsorted(starts, wanted, "right") - 1
        numbers = order[np.maximum(at, 0)] if len(order) else np.full(len(wanted), -1, np.int64)
        within = (at >= 0) & (wanted < self.spans[numbers, 1]) if len(order) else np.zeros(len(wanted), bool)
        return np.where(within, numbers, -1)

    @cached_property
    def _by_start(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        order = np.argsort(self.spans[:, 0], kind="stable")
        return order, self.spans[order, 0]


@dataclass(frozen=True)
class _Entry:
    """The documents of a collection as it was."""

    collection: Collection
    documents: CatalogDocuments
    bytes: int

    @property
    def spans(self) -> NDArray[np.int64]:
        return self.documents.spans

    @property
    def columns(self) -> DocumentColumns:
        return self.documents.columns


class DocumentCatalog:
    """Answers which documents satisfy filters. Collections that are being changed are read anew each time."""

    def __init__(self, store: Store, max_bytes: int = _MAX_BYTES) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._too_large: dict[str, Collection] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def spans(self, collection: Collection, filters: Filters) -> NDArray[np.int64]:
        """The seqs of the indexed documents that satisfy `filters`: half-open ranges, int64 (n, 2), in no order.

        Raises Unavailable when MongoDB does not answer.
        """
        entry = await self._entry(collection)
        if entry is None:
            return await self._store.documents.spans(collection.current, filters)
        found = await asyncio.to_thread(matching, entry.columns, filters)
        return entry.spans[list(found)]

    async def newest(self, collection: Collection, filters: Filters, limit: int) -> list[int]:
        """The first chunks, by their seqs, of the documents that satisfy `filters`: the newest first, by the date that
        a document states itself, else by its file's time. Raises Unavailable."""
        entry = await self._entry(collection)
        if entry is not None:
            return await asyncio.to_thread(_newest, [(entry.spans, entry.columns)], filters, limit)
        pages = [
            (page.spans, page.columns)
            async for page in self._store.documents.scan(collection.current, filters)
        ]
        return await asyncio.to_thread(_newest, pages, filters, limit)

    async def documents(self, collection: Collection) -> CatalogDocuments:
        """All indexed documents of a collection. Raises Unavailable."""
        entry = await self._entry(collection)
        if entry is not None:
            return entry.documents
        spans, columns = [np.empty((0, 2), np.int64)], DocumentColumns()
        async for page in self._store.documents.scan(collection.current):
            spans.append(page.spans)
            columns.extend(page.columns)
        return CatalogDocuments(np.concatenate(spans), columns)

    async def _entry(self, collection: Collection) -> _Entry | None:
        """What is known of a collection's documents; None while it must not be kept."""
        if not collection.clean or collection.running is not None or _is_being_tagged(collection):
            return None
        async with self._locks.setdefault(collection.id, asyncio.Lock()):
            entry = self._entries.get(collection.id)
            if entry is not None and entry.collection == collection:
                self._entries.move_to_end(collection.id)
                return entry
            if self._too_large.get(collection.id) == collection:
                return None
            return await self._load(collection)

    async def _load(self, collection: Collection) -> _Entry | None:
        spans, columns, size = [np.empty((0, 2), np.int64)], DocumentColumns(), 0
        async for page in self._store.documents.scan(collection.current):
            spans.append(page.spans)
            columns.extend(page.columns)
            texts = zip(page.columns.paths, page.columns.titles, strict=True)
            size += sum(_BYTES_PER_DOCUMENT + len(path) + 2 * len(title) for path, title in texts)
            if size > self._max_bytes:
                self._too_large[collection.id] = collection
                return None
        if await self._store.collections.get(collection.id) != collection:
            return None  # it was changed meanwhile
        entry = self._entries[collection.id] = _Entry(
            collection, CatalogDocuments(np.concatenate(spans), columns), size
        )
        self._entries.move_to_end(collection.id)
        while sum(each.bytes for each in self._entries.values()) > self._max_bytes:
            self._entries.popitem(last=False)
        return entry


def _is_being_tagged(collection: Collection) -> bool:
    """Whether users are changing tags; a change that takes longer was broken off."""
    return bool(collection.tagging and collection.tagged_at and now() - collection.tagged_at < _TAGGING)


def _newest(
    pages: list[tuple[NDArray[np.int64], DocumentColumns]], filters: Filters, limit: int
) -> list[int]:
    found = [
        (columns.days[number], columns.modified_ns[number], int(spans[number, 0]))
        for spans, columns in pages
        for number in matching(columns, filters)
    ]
    return [seq for _, _, seq in sorted(found, reverse=True)[:limit]]
