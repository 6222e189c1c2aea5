"""The alerts of a user: listed, and followed live. Runs on the loop.

One query a second serves all that follow. An alert is shown only while its user may read its collection, and while its
document is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NoReturn

from semantik.auth.authorization import access_of
from semantik.auth.groups import GroupService
from semantik.auth.principal import Principal
from semantik.core.errors import Unavailable
from semantik.core.models import Alert, Collection
from semantik.core.pagination import Page, decode_cursor, encode_cursor, page_of
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.alerts")

_POLL_S = 1.0
_BATCH = 100
_FIRST = 1 << 53  # above every number


@dataclass(frozen=True)
class VisibleAlert:
    """An alert that its user may read, and its collection."""

    alert: Alert
    collection: Collection


@dataclass(eq=False)
class _Follower:
    user_id: str
    number: int
    behind: asyncio.Event = field(default_factory=asyncio.Event)


class AlertService:
    """`run` polls for those that follow; `wake` makes it poll at once."""

    def __init__(self, store: Store, groups: GroupService) -> None:
        self._store = store
        self._groups = groups
        self._followers: set[_Follower] = set()
        self._wake_event = asyncio.Event()

    def wake(self) -> None:
        self._wake_event.set()

    async def run(self) -> NoReturn:
        while True:
            self._wake_event.clear()
            if not self._followers:
                await self._wake_event.wait()
                continue
            try:
                await self._poll()
            except Unavailable as error:
                log.debug("Alerts are polled again later: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self._wake_event.wait()

    async def visible(self, principal: Principal, alerts: Sequence[Alert]) -> list[VisibleAlert]:
        """Those that the principal may read now, in their order."""
        if not alerts:
            return []
        groups = await self._groups.of_user(principal.user.id)
        present = replace(principal, groups=groups)
        found = await self._store.collections.get_many(sorted({each.collection_id for each in alerts}))
        readable = {key: each for key, each in found.items() if access_of(present, each) is not None}
        paths: dict[str, set[str]] = {}
        for each in alerts:
            if each.collection_id in readable:
                paths.setdefault(each.collection_id, set()).add(each.path)
        there: set[tuple[str, str]] = set()
        for key, wanted in paths.items():
            documents = await self._store.documents.by_paths(readable[key].current, sorted(wanted))
            there |= {(key, path) for path, one in documents.items() if one.status != "removing"}
        return [
            VisibleAlert(each, readable[each.collection_id])
            for each in alerts
            if (each.collection_id, each.path) in there
        ]

    async def page(
        self, principal: Principal, search_id: str | None, cursor: str | None, limit: int
    ) -> Page[VisibleAlert]:
        """The newest first; a page may have fewer than `limit`, since what may not be read any more is left out."""
        before = int(decode_cursor(cursor, 1)[0]) if cursor else _FIRST
        alerts = await self._store.alerts.before(principal.user.id, search_id, before, limit + 1)
        last = str(alerts[min(limit, len(alerts)) - 1].number) if alerts else ""
        page = page_of(alerts, limit, encode_cursor(last))
        return Page(tuple(await self.visible(principal, page.items)), page.next_cursor)

    async def last_number(self, principal: Principal) -> int:
        return (await self._store.alerts.last_numbers([principal.user.id]))[principal.user.id]

    async def follow(
        self, principal: Principal, since: int
    ) -> AsyncGenerator[tuple[int, list[VisibleAlert]], None]:
        """For ever: the number that has been looked at, and the visible alerts up to it, in order."""
        follower = _Follower(principal.user.id, since)
        self._followers.add(follower)
        self.wake()
        try:
            while True:
                alerts = await self._store.alerts.after(principal.user.id, follower.number, _BATCH)
                if alerts:
                    follower.number = alerts[-1].number
                    yield follower.number, await self.visible(principal, alerts)
                    continue
                follower.behind.clear()
                await follower.behind.wait()
        finally:
            self._followers.discard(follower)

    async def _poll(self) -> None:
        followers = list(self._followers)
        numbers = await self._store.alerts.last_numbers({each.user_id for each in followers})
        for each in followers:
            if numbers[each.user_id] > each.number:
                each.behind.set()
