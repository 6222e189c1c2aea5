"""Goes through what is new in a collection, block by block, for all saved searches that stand at the same place.

Runs on the loop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from semantik.config.settings import Settings
from semantik.core.errors import Conflict, SemantikError
from semantik.core.models import Alert, Collection, SavedSearch
from semantik.search.percolator import Percolator
from semantik.services.notifications.alert_collector import AlertCollector, FoundAlerts
from semantik.services.notifications.alert_saver import AlertSaver
from semantik.services.notifications.new_chunks import new_chunks
from semantik.services.notifications.user_leases import UserLeases
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.alerts")

_BLOCK = 20_000  # chunks after which alerts are saved


@dataclass(frozen=True)
class Span:
    """The chunks of a collection above the seq `cursor`, and the searches that have not looked at them."""

    collection: Collection
    cursor: int
    searches: list[SavedSearch]


class _Outcome:
    """How a round ended for each search that was done, and the users for whom something is left to do."""

    def __init__(self) -> None:
        self.problems: dict[SavedSearch, str | None] = {}
        self.left: set[str] = set()

    def done(self, search: SavedSearch) -> None:
        self.problems.setdefault(search, None)

    def failed(self, search: SavedSearch, error: SemantikError) -> None:
        log.debug("The saved search %s is done again later: %s", search.id, error)
        self.problems[search] = str(error)
        self.left.add(search.user_id)

    def lost(self, user_id: str) -> None:
        log.debug("Alerts of %s are made by another server.", user_id)
        self.left.add(user_id)


class BlockEvaluator:
    """`reached(stage)` is called between steps, for tests that crash there."""

    def __init__(
        self,
        store: Store,
        percolator: Percolator,
        saver: AlertSaver,
        current: Callable[[], Settings],
        reached: Callable[[str], None],
    ) -> None:
        self._store = store
        self._percolator = percolator
        self._saver = saver
        self._current = current
        self._reached = reached

    async def queue_deliveries(self, user_id: str) -> None:
        await self._saver.queue_deliveries(user_id)

    async def evaluate(self, spans: Sequence[Span], leases: UserLeases) -> set[str]:
        """Go through all of them; what keeps a search from being done is noted, and it is tried again in the next
        round. Returns the users for whom something is left to do. Raises Unavailable while the store is away.
        """
        outcome = _Outcome()
        for span in spans:
            await self._span(span, leases, outcome)
        for search, problem in outcome.problems.items():
            if problem != search.problem:
                await self._store.saved_searches.update(search.id, {"problem": problem})
        return outcome.left

    async def _span(self, span: Span, leases: UserLeases, outcome: _Outcome) -> None:
        cursor, end = span.cursor, span.collection.current.settled_seq
        searches: Sequence[SavedSearch] = span.searches
        while cursor < end and searches:
            block_end = min(end, cursor + _BLOCK)
            try:
                found = await self._find(span.collection, searches, (cursor, block_end), leases)
            except SemantikError as error:
                for each in searches:
                    outcome.failed(each, error)
                return
            for each in searches:
                if problem := found.problems.get(each.id):
                    outcome.failed(each, problem)
            done = [each for each in searches if each.id not in found.problems]
            searches = await self._save(span.collection, done, found, block_end, leases, outcome)
            cursor = block_end

    async def _find(
        self,
        collection: Collection,
        searches: Sequence[SavedSearch],
        block: tuple[int, int],
        leases: UserLeases,
    ) -> FoundAlerts:
        limit = self._current().alerts.per_block
        collector = AlertCollector(self._percolator, searches, collection, limit)
        async for new in new_chunks(self._store, collection.current, *block):
            await leases.renew()
            await collector.add(new)
        return collector.found()

    async def _save(
        self,
        collection: Collection,
        searches: Iterable[SavedSearch],
        found: FoundAlerts,
        end: int,
        leases: UserLeases,
        outcome: _Outcome,
    ) -> list[SavedSearch]:
        """Save the alerts, user by user, and move the cursors; returns the searches whose cursors were moved."""
        by_user: dict[str, list[SavedSearch]] = {}
        for each in searches:
            by_user.setdefault(each.user_id, []).append(each)
        moved: list[SavedSearch] = []
        for user_id, own in by_user.items():
            await leases.renew()
            lease = leases.get(user_id)
            if lease is None:
                outcome.lost(user_id)
                continue
            alerts: list[Alert] = [alert for each in own for alert in found.alerts.get(each.id, ())]
            try:
                lease.number = await self._saver.save(alerts, lease.token, lease.number)
            except Conflict:
                leases.drop(user_id)
                outcome.lost(user_id)
                continue
            self._reached("alerts.saved")
            await self._store.saved_searches.move_cursors(own, collection.id, end)
            for each in own:
                outcome.done(each)
            moved += own
        return moved
