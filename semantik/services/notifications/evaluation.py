"""Looks for saved searches that match what is newly indexed, and saves the matches as alerts. Runs on the loop.

    wake | timer -> collections that have grown -> searches that have not looked at that yet
                 -> leases of their users -> new chunks, for all searches at once -> alerts -> deliveries -> cursors

Each step may be done again: an alert's id is made of search, collection and chunk, a delivery's of alert and target,
and the cursor moves last. A server that dies on the way leaves the rest to the next one that takes the lease.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from semantik.auth.authorization import access_of
from semantik.auth.principal import Principal
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import Collection, SavedSearch
from semantik.services.notifications.block_evaluation import BlockEvaluator, Span
from semantik.services.notifications.readers import Readers
from semantik.services.notifications.user_leases import UserLeases
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.alerts")

_IDLE_S = 30.0  # without saved searches; one that is saved here is noticed at once
_ALL_ROUNDS = (
    12  # in one of so many, collections that have not grown are looked at, too: they may have been shared
)
_REST = 3.0  # times the duration of a round: however many searches there are, three quarters of the time are for others


@dataclass(frozen=True)
class _Pair:
    """A search, and a collection in which it looks."""

    search: SavedSearch
    collection: Collection

    @property
    def key(self) -> tuple[str, str]:
        return self.search.id, self.collection.id


class AlertEvaluator:
    """`blocks` finds and saves; it says for which users something is left to do."""

    def __init__(
        self, store: Store, readers: Readers, blocks: BlockEvaluator, current: Callable[[], Settings]
    ) -> None:
        self._store = store
        self._readers = readers
        self._blocks = blocks
        self._current = current
        self._wake = asyncio.Event()
        self._grown_to: dict[str, tuple[int, int]] = {}  # generation and settled seq, by collection
        self._again: set[str] = set()  # users with something left to do

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
        again = self._again
        users = {key for key in by_user if everything or changed or key in again}
        pairs = [
            pair
            for user_id, reader in (await self._readers.of(users)).items()
            for pair in _in_scope(
                reader, by_user[user_id], collections if everything or user_id in again else changed
            )
        ]
        behind = await self._behind(pairs)
        left = await self._evaluate(behind) if behind else set()
        # Only now: what a failure of a store has broken off is done again.
        self._again, self._grown_to = left, grown

    async def _behind(self, pairs: Sequence[_Pair]) -> list[_Pair]:
        cursors = await self._cursors(pairs)
        return [pair for pair in pairs if _is_behind(cursors.get(pair.key), pair.collection)]

    async def _cursors(self, pairs: Iterable[_Pair]) -> Mapping[tuple[str, str], int]:
        searches = {pair.search.id: pair.search for pair in pairs}
        return await self._store.saved_searches.cursors(list(searches.values()))

    async def _evaluate(self, pairs: Sequence[_Pair]) -> set[str]:
        """Returns the users for whom something is left to do."""
        leases = UserLeases(self._store, lambda: self._current().operations.lease_s)
        try:
            users = sorted({pair.search.user_id for pair in pairs})
            held = {user_id for user_id in users if await leases.claim(user_id)}
            for user_id in held:
                await self._blocks.queue_deliveries(user_id)  # what a crash may have left
            own = [pair for pair in pairs if pair.search.user_id in held]
            left = await self._blocks.evaluate(await self._spans(own), leases)
        finally:
            await leases.release()
        return left | (set(users) - held)

    async def _spans(self, pairs: Sequence[_Pair]) -> list[Span]:
        """What is new, for all searches at once that stand at the same place."""
        cursors = await self._cursors(pairs)
        spans: dict[tuple[str, int], Span] = {}
        for pair in pairs:
            search, collection = pair.search, pair.collection
            cursor = cursors.get(pair.key)
            if cursor is None:  # all of a collection that is newer than the search is new
                is_newer = collection.created_at >= search.begins_at
                cursor = -1 if is_newer else collection.current.settled_seq
                await self._store.saved_searches.set_cursor(search, collection.id, cursor)
            if cursor < collection.current.settled_seq:
                key = (collection.id, cursor)
                spans.setdefault(key, Span(collection, cursor, [])).searches.append(search)
        return list(spans.values())


def _in_scope(
    reader: Principal, searches: Sequence[SavedSearch], collections: Sequence[Collection]
) -> list[_Pair]:
    """The pairs of searches and collections that the user may read."""
    readable = [each for each in collections if access_of(reader, each) is not None]
    return [
        _Pair(search, each)
        for search in searches
        for each in readable
        if search.collection_ids is None or each.id in search.collection_ids
    ]


def _is_behind(cursor: int | None, collection: Collection) -> bool:
    return cursor is None or cursor < collection.current.settled_seq
