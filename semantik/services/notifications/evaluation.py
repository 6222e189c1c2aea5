"""Does saved searches again for what is newly indexed, and saves what they find as alerts. Runs on the loop.

    wake | timer -> collections that have grown -> searches that have not looked at that yet
                 -> lease of the user -> new chunks -> search -> alerts -> deliveries -> cursor

Each step may be done again: an alert's id is made of search, collection and chunk, a delivery's of alert and target,
and the cursor moves last. A server that dies on the way leaves the rest to the next one that takes the lease.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from semantik.auth.authorization import access_of
from semantik.auth.principal import Principal
from semantik.config.settings import Settings
from semantik.core.errors import Conflict, SemantikError, Unavailable
from semantik.core.models import Collection, SavedSearch, new_id
from semantik.services.notifications.alert_finder import AlertFinder
from semantik.services.notifications.alert_saver import AlertSaver
from semantik.services.notifications.new_chunks import NewChunkReader
from semantik.services.notifications.readers import Readers
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.alerts")

BLOCK = 20_000  # chunks that a search looks at in one step
_IDLE_S = 30.0  # without saved searches; one that is saved here is noticed at once
_ALL_ROUNDS = (
    12  # in one of so many, collections that have not grown are looked at, too: they may have been shared
)
_REST = 3.0  # times the duration of a round: however many searches there are, three quarters of the time are for others
_RENEWALS = 3  # in the time of a lease, operations.lease_s


@dataclass
class _Lease:
    """The right to make a user's alerts, and the last number that was given."""

    user_id: str
    token: str
    number: int
    renewed_at: float


class LeaseHeld(Unavailable):
    """Another server makes the user's alerts now."""


class AlertEvaluator:
    """`reached(stage)` is called between steps, for tests that crash there."""

    def __init__(
        self,
        store: Store,
        readers: Readers,
        finder: AlertFinder,
        saver: AlertSaver,
        current: Callable[[], Settings],
        reached: Callable[[str], None],
    ) -> None:
        self._store = store
        self._readers = readers
        self._finder = finder
        self._saver = saver
        self._current = current
        self._reached = reached
        self._wake = asyncio.Event()
        self._grown_to: dict[str, tuple[int, int]] = {}  # generation and settled seq, by collection
        self._again: set[str] = set()  # users with something left to do

    @property
    def _lease_s(self) -> float:
        return self._current().operations.lease_s

    def wake(self) -> None:
        """Look at once: something was indexed, or a search was saved."""
        self._wake.set()

    async def run(self) -> NoReturn:
        number = 0
        while True:
            self._wake.clear()
            pause_s = self._current().alerts.interval_s
            begun = time.monotonic()
            try:
                searches = await self._store.saved_searches.active()
                if searches:
                    await self._round(searches, everything=number % _ALL_ROUNDS == 0)
                    number += 1
                else:
                    pause_s = _IDLE_S
            except Unavailable as error:
                log.debug("Saved searches wait for a store: %s", error)
            await asyncio.sleep(_REST * (time.monotonic() - begun))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()

    async def _round(self, searches: Sequence[SavedSearch], everything: bool) -> None:
        collections = await self._store.collections.all()
        grown = {each.id: (each.generation, each.current.settled_seq) for each in collections}
        changed = [each for each in collections if self._grown_to.get(each.id) != grown[each.id]]
        by_user: dict[str, list[SavedSearch]] = {}
        for each in searches:
            by_user.setdefault(each.user_id, []).append(each)
        again, self._again = self._again, set()
        users = {key for key in by_user if everything or changed or key in again}
        readers = await self._readers.of(users)
        chunks = NewChunkReader(self._store)
        for user_id, reader in readers.items():
            full = everything or user_id in again
            candidates = _in_scope(reader, by_user[user_id], collections if full else changed)
            try:
                await self._of_user(user_id, reader, candidates, chunks)
            except (LeaseHeld, Conflict) as error:
                log.debug("Alerts of %s are made by another server: %s", user_id, error)
                self._again.add(user_id)
        self._grown_to = grown

    async def _of_user(
        self,
        user_id: str,
        reader: Principal,
        candidates: Sequence[tuple[SavedSearch, Collection]],
        chunks: NewChunkReader,
    ) -> None:
        cursors = await self._store.saved_searches.cursors([search for search, _ in candidates])
        if not any(_is_behind(cursors.get((s.id, c.id)), c) for s, c in candidates):
            return
        token = new_id()
        number = await self._store.alerts.claim(user_id, token, self._lease_s)
        if number is None:
            raise LeaseHeld("The lease is held.")
        lease = _Lease(user_id, token, number, time.monotonic())
        try:
            await self._saver.queue_deliveries(user_id)  # what a crash may have left
            cursors = await self._store.saved_searches.cursors([search for search, _ in candidates])
            for search, collection in candidates:
                cursor = cursors.get((search.id, collection.id))
                if _is_behind(cursor, collection):
                    await self._try(search, collection, cursor, reader, chunks, lease)
        finally:
            await self._store.alerts.release(user_id, token)

    async def _try(
        self,
        search: SavedSearch,
        collection: Collection,
        cursor: int | None,
        reader: Principal,
        chunks: NewChunkReader,
        lease: _Lease,
    ) -> None:
        """Evaluate one search; what keeps it from that is noted, and it is tried again in the next round."""
        problem = None
        try:
            await self._evaluate(search, collection, cursor, reader, chunks, lease)
        except (LeaseHeld, Conflict):
            raise
        except SemantikError as error:
            log.debug("The saved search %s is done again later: %s", search.id, error)
            self._again.add(search.user_id)
            problem = str(error)
        if problem != search.problem:
            await self._store.saved_searches.update(search.id, {"problem": problem})

    async def _evaluate(
        self,
        search: SavedSearch,
        collection: Collection,
        cursor: int | None,
        reader: Principal,
        chunks: NewChunkReader,
        lease: _Lease,
    ) -> None:
        end = collection.current.settled_seq
        if cursor is None:  # all of a collection that is newer than the search is new
            cursor = -1 if collection.created_at >= search.begins_at else end
            await self._store.saved_searches.set_cursor(search, collection.id, cursor)
        while cursor < end:
            block_end = min(end, cursor + BLOCK)
            await self._renew(lease)
            new = await chunks.read(collection.current, cursor, block_end)
            if new:
                found = await self._finder.find(
                    search, collection, reader, new, self._current().alerts.per_block
                )
                lease.number = await self._saver.save(found, lease.token, lease.number)
            self._reached("alerts.saved")
            await self._store.saved_searches.set_cursor(search, collection.id, block_end)
            cursor = block_end

    async def _renew(self, lease: _Lease) -> None:
        """Raises LeaseHeld when it has been lost."""
        if time.monotonic() - lease.renewed_at >= self._lease_s / _RENEWALS:
            number = await self._store.alerts.claim(lease.user_id, lease.token, self._lease_s)
            if number is None:
                raise LeaseHeld("The lease was lost.")
            lease.renewed_at = time.monotonic()


def _in_scope(
    reader: Principal, searches: Sequence[SavedSearch], collections: Sequence[Collection]
) -> list[tuple[SavedSearch, Collection]]:
    """The pairs of searches and collections that the user may read, without those that hold no chunks."""
    readable = [each for each in collections if access_of(reader, each) is not None]
    return [
        (search, each)
        for search in searches
        for each in readable
        if search.collection_ids is None or each.id in search.collection_ids
    ]


def _is_behind(cursor: int | None, collection: Collection) -> bool:
    return cursor is None or cursor < collection.current.settled_seq
