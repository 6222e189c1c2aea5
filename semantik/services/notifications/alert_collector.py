"""The alerts of saved searches for new chunks of a collection. Runs on the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest

from semantik.core.errors import SemantikError
from semantik.core.models import Alert, Collection, SavedSearch, now
from semantik.search.percolation import NewChunks, StandingQuery, StrongMatch
from semantik.search.percolator import Percolator
from semantik.search.query import MODES
from semantik.services.notifications.new_chunks import origin_of

_MAX_TEXT = 2000  # characters of a chunk that an alert keeps


@dataclass
class FoundAlerts:
    """Alerts without numbers, by the search's id; and of searches that cannot be done now, why not."""

    alerts: dict[str, list[Alert]] = field(default_factory=dict)
    problems: dict[str, SemantikError] = field(default_factory=dict)


class AlertCollector:
    """Collects, page by page, the `limit` best alerts of each search among chunks of one block."""

    def __init__(
        self, percolator: Percolator, searches: Sequence[SavedSearch], collection: Collection, limit: int
    ) -> None:
        self._percolator = percolator
        self._searches = searches
        self._collection = collection
        self._limit = limit
        self._matches: dict[str, list[StrongMatch]] = {}
        self._problems: dict[str, SemantikError] = {}

    async def add(self, new: NewChunks) -> None:
        """Raises Unavailable while no search can be done."""
        asked = [each for each in self._searches if each.id not in self._problems]
        outcomes = await self._percolator.find(self._collection, [_query(each) for each in asked], new)
        for search, outcome in zip(asked, outcomes, strict=True):
            if isinstance(outcome, SemantikError):
                self._problems[search.id] = outcome
            elif outcome:
                known = [*self._matches.get(search.id, ()), *outcome]
                self._matches[search.id] = nlargest(self._limit, known, key=_rank)

    def found(self) -> FoundAlerts:
        """The best alerts first; a search with a problem gives none, so that all of it can be done again."""
        moment = now()
        done: Mapping[str, SavedSearch] = {
            each.id: each for each in self._searches if each.id not in self._problems
        }
        alerts = {
            key: [_alert(done[key], self._collection, match, moment) for match in matches]
            for key, matches in self._matches.items()
            if key in done
        }
        return FoundAlerts(alerts, self._problems)


def _query(search: SavedSearch) -> StandingQuery:
    mode = next(each for each in MODES if each == search.mode)
    return StandingQuery(search.query, mode, search.filters)


def _rank(match: StrongMatch) -> tuple[float, int]:
    return match.evidence, -match.chunk.seq


def _alert(search: SavedSearch, collection: Collection, match: StrongMatch, moment: datetime) -> Alert:
    chunk, document = match.chunk, match.document
    return Alert(
        id=f"{search.id}:{collection.id}:{origin_of(chunk)}",
        number=0,
        user_id=search.user_id,
        search_id=search.id,
        search_name=search.name,
        collection_id=collection.id,
        generation=collection.generation,
        seq=chunk.seq,
        document_id=document.id,
        path=document.path,
        name=document.name,
        title=document.metadata.title,
        page=chunk.page,
        heading=chunk.heading,
        text=chunk.text[:_MAX_TEXT],
        score=match.meaning,
        created_at=moment,
    )
