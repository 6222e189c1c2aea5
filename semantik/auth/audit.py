"""The audit trail: `record` notes an event without waiting, and a task writes them to MongoDB once a second.

An event is lost only if the server is killed within that second, or if MongoDB is away until the queue is full; how
many were lost for the latter is recorded. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import NoReturn, Self

from semantik.auth.principal import Principal
from semantik.auth.refusals import RefusalCounter
from semantik.config.audit_settings import AuditSettings
from semantik.core.errors import Forbidden, SemantikError
from semantik.core.models import AuditEvent, AuditFilter, AuditOutcome, User, now
from semantik.core.pagination import Page, decode_cursor, encode_cursor, page_of
from semantik.storage.mongo import Store
from semantik.storage.mongo.audit import id_at

log = logging.getLogger("semantik.audit")

LOST = "audit.lost"  # the action of the event that says how many were lost
_WRITE_S = 1.0
_BATCH = 500
_REMOVE_S = 3600.0
_STOP_S = 3.0
_MAX_TEXT = 500  # characters of a text in an event
_LOGIN = "login"  # the detail that the writer replaces: a mistyped name may be a password


class AuditLog:
    """`async with AuditLog(store, limits) as audit`, with `audit.run()` as a task; on exit the queue is written."""

    def __init__(self, store: Store, limits: Callable[[], AuditSettings]) -> None:
        self._store = store
        self._limits = limits
        self._queue: list[AuditEvent] = []
        self._lost = 0
        self._refusals = RefusalCounter(lambda: limits().refusals_per_minute)
        self._server = secrets.token_hex(4)  # keeps the ids of several servers apart
        self._numbers = count()
        self._last = ""
        self._reachable = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for event in self._refusals.ended(stopping=True):
            self._append(event)
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                while self._queue and await self._write():
                    pass
        if self._queue:
            log.warning("%d events of the audit trail could not be written", len(self._queue))

    def record(
        self,
        action: str,
        *,
        principal: Principal | None,
        address: str,
        request_id: str,
        target: str = "",
        outcome: AuditOutcome = "done",
        details: Mapping[str, object] | None = None,
        user: User | None = None,
    ) -> None:
        """Note an event; never waits and never fails.

        `user` acted where there is no principal yet. A detail `login` is the name that somebody signed in with: it is
        recorded only if a user has it.
        """
        user = principal.user if principal else user
        event = AuditEvent(
            id="",
            at=now(),
            action=action,
            outcome=outcome,
            user_id=user.id if user else None,
            username=user.username if user else "",
            credential=_credential(principal),
            address=address,
            request_id=request_id,
            target=target[:_MAX_TEXT],
            details={name: _short(value) for name, value in (details or {}).items()},
        )
        if outcome != "refused" or self._refusals.admit(event):
            self._append(event)

    async def run(self) -> NoReturn:
        """Write what was recorded, and remove what is older than `audit.keep_days`, for ever."""
        loop = asyncio.get_running_loop()
        remove_at = loop.time()
        while True:
            await asyncio.sleep(_WRITE_S)
            for event in self._refusals.ended():
                self._append(event)
            while self._queue and await self._write():
                pass
            if loop.time() >= remove_at and self._reachable:
                remove_at = loop.time() + _REMOVE_S
                await self._remove_old()

    async def page(
        self, principal: Principal, only: AuditFilter, user: str | None, cursor: str | None, limit: int
    ) -> Page[AuditEvent]:
        """The newest events first, for administrators (else Forbidden); `user` is a name or an id of who acted."""
        if not principal.user.is_admin:
            raise Forbidden("Only an administrator may read the audit trail.")
        before = decode_cursor(cursor, 1)[0] if cursor else None
        only = await with_user(self._store, only, user)
        found = await self._store.audit.page(only, before, limit + 1)
        return page_of(found, limit, encode_cursor(found[min(limit, len(found)) - 1].id) if found else "")

    def _append(self, event: AuditEvent) -> None:
        if len(self._queue) >= self._limits().queue_events:
            self._lost += 1
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            self._append(_lost_event(lost))
        # Ids of one server never sort before earlier ones, even when the clock is set back.
        self._last = max(self._last, id_at(moment := now()))
        event_id = f"{self._last}-{self._server}-{next(self._numbers):09d}"
        self._queue.append(replace(event, id=event_id, at=moment))

    async def _write(self) -> bool:
        """Write the first events of the queue; False when MongoDB does not take them now."""
        batch = self._queue[:_BATCH]
        try:
            await self._store.audit.add(await self._with_names(batch))
        except SemantikError as error:
            if self._reachable:
                log.warning("the audit trail waits in memory: %s", error)
            self._reachable = False
            return False
        del self._queue[: len(batch)]
        self._reachable = True
        return True

    async def _with_names(self, events: Sequence[AuditEvent]) -> list[AuditEvent]:
        """The events with the users that were meant in place of the names that were typed."""
        logins = {str(event.details[_LOGIN]) for event in events if _LOGIN in event.details}
        users = await self._store.users.by_logins(sorted(logins)) if logins else {}
        return [_with_name(event, users) if _LOGIN in event.details else event for event in events]

    async def _remove_old(self) -> None:
        try:
            await self._store.audit.remove_before(now() - timedelta(days=self._limits().keep_days))
        except SemantikError as error:
            log.debug("old events of the audit trail are removed later: %s", error)


async def with_user(store: Store, only: AuditFilter, user: str | None) -> AuditFilter:
    """The filter with the user of this name, e-mail address or id; also one that was removed since."""
    if user is None:
        return only
    known = await store.users.by_login(user)
    if known is not None:
        return replace(only, user_id=known.id)
    if await store.users.get(user) is not None:
        return replace(only, user_id=user)
    return replace(only, username=user)


def _with_name(event: AuditEvent, users: Mapping[str, User]) -> AuditEvent:
    details = {name: value for name, value in event.details.items() if name != _LOGIN}
    user = users.get(str(event.details[_LOGIN]).strip().lower())
    if user is None:
        return replace(event, details={**details, "unknown_user": True})
    if event.outcome == "done":
        return replace(event, user_id=user.id, username=user.username, details=details)
    return replace(event, target=f"users/{user.id}", details={**details, "username": user.username})


def _lost_event(number: int) -> AuditEvent:
    return AuditEvent("", now(), LOST, "failed", None, "", "", "", "", "", {"events": number})


def _credential(principal: Principal | None) -> str:
    if principal is None:
        return ""
    return f"{'key' if principal.by_key else 'session'}:{principal.credential_id}"


def _short(value: object) -> object:
    """The value itself, or as a text of limited length."""
    return value if value is None or isinstance(value, (bool, int)) else str(value)[:_MAX_TEXT]
