"""Reports to the listeners of this process how many watch an operation, over all processes.

Polls once a second, and only while somebody listens, so many who join at once are one change. Must not know sockets.
Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from semantik.connection_limits.counter_store import START_ID, CounterStore

POLL_S = 1.0


@dataclass(frozen=True)
class WatcherCount:
    """How many watch an operation, over all processes: how many sockets, of how many users."""

    sockets: int
    users: int


@dataclass(eq=False)
class _Listener:
    on_change: Callable[[str, WatcherCount], None]
    last: WatcherCount | None = None


class WatcherCounts:
    """`wake` is set when `poll` has become due. A process that died is noticed after `all_s` at the latest."""

    def __init__(self, store: CounterStore, all_s: float, wake: asyncio.Event) -> None:
        self._store = store
        self._all_s = all_s
        self._wake = wake
        self._listeners: dict[str, set[_Listener]] = {}
        self._new: set[str] = set()  # operations with listeners that were never called
        self._last_id = START_ID
        self._poll_at = self._poll_all_at = 0.0

    @contextmanager
    def subscribe(self, operation_id: str, on_change: Callable[[str, WatcherCount], None]) -> Iterator[None]:
        listener = _Listener(on_change)
        listeners = self._listeners.setdefault(operation_id, set())
        listeners.add(listener)
        self._new.add(operation_id)
        self._wake.set()
        try:
            yield
        finally:
            listeners.discard(listener)
            if not listeners and self._listeners.get(operation_id) is listeners:
                del self._listeners[operation_id]

    def due_in_s(self) -> float:
        """Seconds until `poll` is due; infinite while nobody listens."""
        return self._poll_at - self._now() if self._listeners else float("inf")

    def reset(self) -> None:
        """Redis was away, and may have lost the changes: poll soon, and poll everything."""
        self._poll_at = self._poll_all_at = 0.0
        self._last_id = START_ID

    async def poll(self) -> None:
        """Call the listeners whose count has changed, if it is time; Unavailable when Redis is away."""
        now = self._now()
        if self.due_in_s() > 0:
            return
        self._poll_at = now + POLL_S
        self._last_id, changed = await self._store.changed_watchers(self._last_id)
        due = changed | self._new
        if now >= self._poll_all_at:
            due, self._poll_all_at = set(self._listeners), now + self._all_s
        self._new = set()
        await self._report([operation_id for operation_id in due if operation_id in self._listeners])

    async def _report(self, operation_ids: list[str]) -> None:
        if not operation_ids:
            return
        found = await self._store.count_watchers(operation_ids)
        for operation_id, (sockets, users) in zip(operation_ids, found, strict=True):
            count = WatcherCount(sockets, users)
            for listener in tuple(self._listeners.get(operation_id, ())):
                if listener.last != count:
                    listener.last = count
                    listener.on_change(operation_id, count)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
