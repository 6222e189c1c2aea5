"""Reports active operations to clients that watch all that they may see: one query a second for all of them.

Knows no sockets: each listener is a plain callable. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NoReturn

from semantik.auth.authorization import access_of
from semantik.auth.groups import GroupService
from semantik.auth.principal import Principal
from semantik.core.errors import Unavailable
from semantik.core.models import Operation, now
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.operations")

_POLL_S = 1.0
_RECENT = timedelta(
    seconds=30
)  # an operation may start and end between two polls, or while MongoDB does not answer


@dataclass(eq=False)
class _Listener:
    principal: Principal
    on_operation: Callable[[Operation], None]
    since: datetime
    reported: set[str] = field(default_factory=set)
    polled: asyncio.Event = field(default_factory=asyncio.Event)


class ActiveOperations:
    """`run` polls; `wake` makes it poll at once."""

    def __init__(self, store: Store, groups: GroupService) -> None:
        self._store = store
        self._groups = groups
        self._listeners: set[_Listener] = set()
        self._wake_event = asyncio.Event()

    async def run(self) -> NoReturn:
        while True:
            self._wake_event.clear()
            if self._listeners:
                try:
                    await self._poll()
                except Unavailable as error:
                    log.debug("Operations are polled again later: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self._wake_event.wait()

    def wake(self) -> None:
        self._wake_event.set()

    @contextmanager
    def subscribe(
        self, principal: Principal, since: datetime, on_operation: Callable[[Operation], None]
    ) -> Iterator[asyncio.Event]:
        """While inside, `on_operation(operation)` is called once for each operation that the principal may see and
        that is active, starts, or ended after `since`. The event is set once the present ones have been reported."""
        listener = _Listener(principal, on_operation, since)
        self._listeners.add(listener)
        self.wake()
        try:
            yield listener.polled
        finally:
            self._listeners.discard(listener)

    async def _poll(self) -> None:
        listeners = list(self._listeners)
        since = min(listener.since for listener in listeners)
        found = await self._store.operations.active_or_ended_since(since)
        collections = await self._store.collections.get_many(sorted({o.collection_id for o in found}))
        groups = await self._groups.of_users({listener.principal.user.id for listener in listeners})
        for listener in listeners:
            listener.principal = replace(listener.principal, groups=groups[listener.principal.user.id])
        for operation in found:
            collection = collections.get(operation.collection_id)
            for listener in listeners:
                if collection is not None and access_of(listener.principal, collection):
                    self._report(listener, operation)
                else:
                    listener.reported.discard(operation.id)  # so that it appears again with the access
        for listener in listeners:
            listener.since = max(listener.since, now() - _RECENT)
            listener.polled.set()

    def _report(self, listener: _Listener, operation: Operation) -> None:
        ended_before = operation.completed_at is not None and operation.completed_at < listener.since
        if operation.id not in listener.reported and not ended_before:
            listener.reported.add(operation.id)
            listener.on_operation(operation)
