"""Saved searches, and the alerts that they give: one for each newly indexed chunk that matches strongly. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from semantik.core.models.filters import Filters


@dataclass(frozen=True)
class SavedSearch:
    """A search that is done again for whatever is indexed; `collection_ids` None: in all that its user may read.

    Chunks that were indexed before `begins_at` give no alerts; `version` goes up when it begins anew. Each alert is
    sent to the webhooks of `webhook_ids`, and with `mail` to the user's address. `feed_hash` is the SHA-256 of the
    secret in the feed's address, or "". `problem` says why it could not be done the last time.
    """

    id: str
    user_id: str
    name: str
    query: str
    mode: str
    created_at: datetime
    begins_at: datetime
    filters: Filters = field(default_factory=Filters)
    collection_ids: tuple[str, ...] | None = None
    paused: bool = False
    webhook_ids: tuple[str, ...] = ()
    mail: bool = False
    version: int = 0
    feed_hash: str = ""
    problem: str | None = None


@dataclass(frozen=True)
class Alert:
    """A chunk that a saved search has found, as it was then. `number` counts the alerts of a user, with holes.

    `id` is `<search>:<collection>:<seq>`, so that a chunk gives a search one alert, however often it is found. `seq` is
    the chunk's, and `path` that of its document. It is not `queued` until its deliveries are.
    """

    id: str
    number: int
    user_id: str
    search_id: str
    search_name: str
    collection_id: str
    generation: int
    seq: int
    document_id: str
    path: str
    name: str
    title: str | None
    page: int | None
    heading: str | None
    text: str
    score: float | None
    created_at: datetime
    queued: bool = False
