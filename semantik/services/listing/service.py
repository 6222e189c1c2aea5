"""Lists and statistics of a collection's documents, on behalf of users. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.core.errors import Invalid
from semantik.core.models import Collection, Document
from semantik.services.listing.ordering import ListingQuery, place_of
from semantik.services.listing.snapshots import ListingSnapshots
from semantik.services.listing.statistics import (
    DocumentStatistics,
    length_bars,
    sampled_seqs,
    statistics,
)
from semantik.storage.mongo import Store

MAX_CHOSEN = 10_000
_REMEMBERED = 16  # collections whose statistics are


@dataclass(frozen=True)
class Listing:
    """Documents from `offset` on, of `total`; `changing`: a newer order is about to come.

    `found` is False where a document was asked for by name, and none has it.
    """

    items: tuple[Document, ...]
    offset: int
    total: int
    changing: bool
    found: bool = True


class ListingService:
    """`close()` ends what is still being read."""

    def __init__(self, store: Store, authorizer: Authorizer) -> None:
        self._store = store
        self._authorizer = authorizer
        self._snapshots = ListingSnapshots(store)
        self.close = self._snapshots.close
        self._counted: dict[str, tuple[float, DocumentStatistics]] = {}

    async def page(
        self,
        principal: Principal,
        collection_id: str,
        query: ListingQuery,
        offset: int,
        limit: int,
        at: str | None = None,
    ) -> Listing:
        """`limit` documents from `offset` on, or from the first whose name begins with `at`, or else contains it."""
        collection = await self._authorizer.collection(principal, collection_id)
        if query.is_plain and offset == 0 and at is None and self._snapshots.peek(collection) is None:
            return await self._beginning(collection, limit)
        snapshot, changing = await self._snapshots.get(collection)
        order = await snapshot.order(query)
        found = True
        if at is not None:
            place = await asyncio.to_thread(place_of, snapshot.columns, order, at)
            offset, found = (0, False) if place is None else (place, True)
        numbers = order[offset : offset + limit]
        ids = [snapshot.columns.ids[number] for number in numbers]
        rows = await self._store.documents.by_ids(ids) if ids else {}
        items = tuple(rows[key] for key in ids if key in rows and rows[key].status != "removing")
        return Listing(items, offset, len(order), changing or len(items) < len(ids), found)

    async def chosen(self, collection: Collection, query: ListingQuery) -> list[str]:
        """The ids of all documents of a list. Raises Invalid where there are too many."""
        snapshot, _ = await self._snapshots.get(collection)
        numbers = await snapshot.order(query)
        if len(numbers) > MAX_CHOSEN:
            raise Invalid(
                f"where chooses {len(numbers):,} documents, and {MAX_CHOSEN:,} is the most at once."
            )
        return [snapshot.columns.ids[number] for number in numbers]

    async def statistics(self, principal: Principal, collection_id: str) -> DocumentStatistics:
        """Those of the newest state that can be had quickly."""
        collection = await self._authorizer.collection(principal, collection_id)
        snapshot, _ = await self._snapshots.get(collection)
        known = self._counted.get(collection_id)
        if known is not None and known[0] == snapshot.read_at:
            return known[1]
        counted = await asyncio.to_thread(statistics, snapshot.columns)
        lengths = await self._lengths(collection, await asyncio.to_thread(sampled_seqs, snapshot.columns))
        if lengths:
            counted = replace(
                counted,
                chunk_lengths=length_bars(lengths),
                sampled_chunks=len(lengths),
                mean_chunk_length=round(sum(lengths) / len(lengths)),
            )
        if len(self._counted) >= _REMEMBERED:
            self._counted.clear()
        self._counted[collection_id] = snapshot.read_at, counted
        return counted

    async def _lengths(self, collection: Collection, seqs: Sequence[int]) -> list[int]:
        found = await self._store.chunks.by_seqs(collection.id, seqs)
        return [chunk.end - chunk.start for chunk in found.values()]

    async def _beginning(self, collection: Collection, limit: int) -> Listing:
        """The first documents by path, from the index of the database, while the columns are being read."""
        items = await self._store.documents.page(collection.current, None, None, "", limit)
        shown = tuple(one for one in items if one.status != "removing")
        total = max(collection.current.counts.total, len(shown))
        return Listing(shown, 0, total, not collection.clean)
