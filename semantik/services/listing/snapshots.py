"""The columns of collections' documents, kept in memory and read again when the documents have changed.

A list may be a few seconds old while an operation changes its documents: to read the columns of a hundred thousand
takes seconds, and the rows that are shown are read anew anyway. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import Invalid, SemantikError
from semantik.core.models import Collection
from semantik.services.listing.ordering import ListingQuery, ordered
from semantik.storage.mongo import Store
from semantik.storage.mongo.listing_columns import ListingColumns

MAX_DOCUMENTS = 500_000
_MAX_BYTES = 192 << 20
_ORDERS = 8
_PAUSE = 4  # times as long as the last reading took
_MIN_PAUSE_S = 0.25
_WAIT_S = 0.4  # for a newer state, before an older one is shown

log = logging.getLogger(__name__)


@dataclass
class Snapshot:
    """A collection's documents at one time; `read_s`: how long it took to read them."""

    collection: Collection
    columns: ListingColumns
    read_at: float
    read_s: float
    _orders: OrderedDict[ListingQuery, NDArray[np.int64]] = field(default_factory=OrderedDict)

    async def order(self, query: ListingQuery) -> NDArray[np.int64]:
        """The numbers of the documents of a list; the last lists are remembered."""
        found = self._orders.get(query)
        if found is None:
            found = self._orders[query] = await asyncio.to_thread(ordered, self.columns, query)
            while len(self._orders) > _ORDERS:
                self._orders.popitem(last=False)
        return found

    def is_of(self, collection: Collection) -> bool:
        """Whether nothing can have changed since."""
        return collection.clean and collection.running is None and _content(collection) == self.collection


class ListingSnapshots:
    """Reads each collection once at a time. `close()` ends what is still being read."""

    def __init__(self, store: Store, max_bytes: int = _MAX_BYTES) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._known: OrderedDict[str, Snapshot] = OrderedDict()
        self._reading: dict[str, asyncio.Task[Snapshot]] = {}

    async def close(self) -> None:
        tasks = list(self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def peek(self, collection: Collection) -> Snapshot | None:
        """What is known of a collection's documents, however old; reading begins where nothing is."""
        known = self._known_of(collection)
        if known is None:
            self._read(collection)
        return known

    async def get(self, collection: Collection) -> tuple[Snapshot, bool]:
        """The newest state that can be had quickly, and whether a newer one is about to come.

        Raises Invalid for a collection that is too large, and Unavailable.
        """
        known = self._known_of(collection)
        if known is None:
            return await asyncio.shield(self._read(collection)), not collection.clean
        if known.is_of(collection):
            return known, False
        if time.monotonic() - known.read_at >= max(_MIN_PAUSE_S, _PAUSE * known.read_s):
            done, _ = await asyncio.wait((self._read(collection),), timeout=_WAIT_S)
            for task in done:
                fresh = task.result()
                return fresh, not fresh.is_of(collection)
        return known, True

    def _known_of(self, collection: Collection) -> Snapshot | None:
        known = self._known.get(collection.id)
        if known is None or known.collection.generation != collection.generation:
            return None
        self._known.move_to_end(collection.id)
        return known

    def _read(self, collection: Collection) -> asyncio.Task[Snapshot]:
        task = self._reading.get(collection.id)
        if task is None:
            task = asyncio.create_task(self._load(collection), name="document list")
            self._reading[collection.id] = task
            task.add_done_callback(lambda done: self._ended(collection.id, done))
        return task

    def _ended(self, collection_id: str, task: asyncio.Task[Snapshot]) -> None:
        del self._reading[collection_id]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, SemantikError):
            log.info("the documents of collection %s were not read: %s", collection_id, error)

    async def _load(self, collection: Collection) -> Snapshot:
        if collection.current.counts.total > MAX_DOCUMENTS:
            raise _too_large()
        started = time.monotonic()
        columns = await self._store.documents.listed(collection.current, MAX_DOCUMENTS)
        if columns is None:
            raise _too_large()
        ended = time.monotonic()
        snapshot = Snapshot(_content(collection), columns, ended, ended - started)
        self._known[collection.id] = snapshot
        self._known.move_to_end(collection.id)
        while (
            len(self._known) > 1 and sum(one.columns.bytes for one in self._known.values()) > self._max_bytes
        ):
            self._known.popitem(last=False)
        return snapshot


def _content(collection: Collection) -> Collection:
    """The collection without what says nothing of the list of its documents."""
    return replace(collection, tagging=0, tag_version=0, tagged_at=None, shares=())


def _too_large() -> Invalid:
    return Invalid(
        f"A collection of more than {MAX_DOCUMENTS:,} documents can be listed by path only: leave out sort, order, "
        "offset, at, type, folder and reason, and use cursor."
    )
