"""Which operations are under way, for those who watch all of theirs: one look a second for all of them.

Knows no sockets: whoever listens gives a plain callable. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

from semantik.core.errors import Unavailable
from semantik.core.models import Operation, now
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.operations")

_LOOK_S = 1.0
_RECENT = timedelta(seconds=30)  # an operation may begin and end between two looks, or while MongoDB is away


@dataclass(eq=False)
class _Listener:
    user_id: str
    hear: Callable[[Operation], None]
    since: datetime
    heard: set[str] = field(default_factory=set)
    looked: asyncio.Event = field(default_factory=asyncio.Event)


class ActiveOperations:
    """`run` looks; `wake` makes it look at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: set[_Listener] = set()
        self._news = asyncio.Event()

    async def run(self) -> NoReturn:
        while True:
            self._news.clear()
            if self._listeners:
                try:
                    await self._look()
                except Unavailable as error:
                    log.debug("Operations are looked for again later: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._news.wait()

    def wake(self) -> None:
        self._news.set()

    @contextmanager
    def subscribe(
        self, user_id: str, since: datetime, hear: Callable[[Operation], None]
    ) -> Iterator[asyncio.Event]:
        """While inside, `hear(operation)` is called once for each operation of the user's collections that is under
        way, begins, or has ended after `since`. The event is set once those that are there now were told."""
        listener = _Listener(user_id, hear, since)
        self._listeners.add(listener)
        self.wake()
        try:
            yield listener.looked
        finally:
            self._listeners.discard(listener)

    async def _look(self) -> None:
        listeners = list(self._listeners)
        since = min(listener.since for listener in listeners)
        found = await self._store.operations.active_or_ended_since(since)
        collections = await self._store.collections.get_many(sorted({o.collection_id for o in found}))
        for operation in found:
            collection = collections.get(operation.collection_id)
            for listener in listeners:
                if collection is not None and collection.owner_id == listener.user_id:
                    self._tell(listener, operation)
        for listener in listeners:
            listener.since = max(listener.since, now() - _RECENT)
            listener.looked.set()

    def _tell(self, listener: _Listener, operation: Operation) -> None:
        late = operation.completed_at is not None and operation.completed_at < listener.since
        if operation.id not in listener.heard and not late:
            listener.heard.add(operation.id)
            listener.hear(operation)
