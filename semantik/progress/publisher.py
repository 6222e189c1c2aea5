"""Publishes the messages of one operation in the order of the calls; updates are coalesced.

One sender task per publisher, so no message overtakes another. Must not know the subscribers. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

from semantik.config.settings import ProgressSettings
from semantik.core.errors import Unavailable
from semantik.progress.envelope import encode_data, timestamp
from semantik.progress.redis_client import backoff_delays
from semantik.progress.stream_store import RUNNING_S, StreamStore

PUBLISH_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0

Kind = Literal["update", "event", "terminal"]  # as the script has it

log = logging.getLogger("semantik.progress")


@dataclass(frozen=True, eq=False)
class _PendingMessage:
    number: int  # counts this publisher's messages; a retry keeps its number
    type: str
    timestamp: str
    body: bytes
    flat: bytes
    idempotency_key: str
    kind: Kind
    published: asyncio.Future[str] | None  # None: an update, which nobody awaits


class Publisher:
    """`async with progress.publisher(operation_id, min_seq) as publisher:`, or end it with `close()`."""

    def __init__(
        self,
        store: StreamStore,
        settings: ProgressSettings,
        operation_id: str,
        min_seq: int,
        on_done: Callable[[asyncio.Task[None]], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._operation_id = operation_id
        self._last_seq = min_seq
        self._name = secrets.token_hex(8)
        self._number = 0
        self._due_number = 0  # messages up to this number are due; later updates wait for the next tick
        self._next_tick = 0.0
        self._queue: deque[_PendingMessage] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._sender = asyncio.create_task(self._send(), name=f"publisher {operation_id}")
        self._sender.add_done_callback(on_done)

    async def __aenter__(self) -> Publisher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def last_seq(self) -> int:
        """The seq of the last message that Redis took from this publisher, at least `min_seq`."""
        return self._last_seq

    def publish_latest(self, type: str, /, **data: Any) -> None:
        """Publish soon, the newest of its type at most `updates_per_s` times a second; never waits, may be lost."""
        self._append(type, data, "", "update", None)

    async def publish(
        self, type: str, /, *, idempotency_key: str | None = None, terminal: bool = False, **data: Any
    ) -> str:
        """Publish now, after all earlier updates; returns the message's stream id when Redis has it.

        `idempotency_key`: published only the first time that this operation uses the key; later calls return the
        earlier id. `terminal`: the operation's last message; the history expires `keep_s` later.
        Raises Unavailable when that took too long. Redis may have taken the message even so, which only the key can
        tell: call again with the same one.
        """
        published: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        kind: Kind = "terminal" if terminal else "event"
        message = self._append(type, data, idempotency_key or "", kind, published)
        self._due_number = message.number
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                return await published
        except TimeoutError as error:
            raise Unavailable(
                f"The message {type} of operation {self._operation_id} could not be published within "
                f"{PUBLISH_TIMEOUT_S:g} s."
            ) from error
        finally:
            self._queue = _coalesce(self._queue)

    async def close(self) -> None:
        """Send what is queued, then stop; what Redis does not take in time is dropped."""
        self._closing = True
        self._due_number = self._number
        self._wake.set()
        try:
            await asyncio.wait({self._sender}, timeout=CLOSE_TIMEOUT_S)
        finally:
            if self._sender.cancel():
                log.warning("Operation %s: Redis did not take its last updates", self._operation_id)
            await asyncio.gather(self._sender, return_exceptions=True)

    def _append(
        self,
        type: str,
        data: Mapping[str, Any],
        idempotency_key: str,
        kind: Kind,
        published: asyncio.Future[str] | None,
    ) -> _PendingMessage:
        body, flat = encode_data(data)
        self._number += 1
        message = _PendingMessage(
            self._number, type, timestamp(), body, flat, idempotency_key, kind, published
        )
        self._queue = _coalesce((*self._queue, message))
        self._wake.set()
        return message

    async def _send(self) -> None:
        delays = backoff_delays()
        failing = False
        while await self._wait_until_due():
            message = self._queue.popleft()
            try:
                message_id = await self._publish(message)
            except Unavailable as error:
                self._queue = _coalesce((message, *self._queue))
                if not failing:
                    log.warning("Operation %s: its progress waits. %s", self._operation_id, error)
                failing = True
                await asyncio.sleep(next(delays))
                continue
            if failing:
                delays, failing = backoff_delays(), False
            if message.published is None:
                self._next_tick = self._now() + 1 / self._settings.updates_per_s
            elif not message.published.done():
                message.published.set_result(message_id)

    async def _wait_until_due(self) -> bool:
        """Wait until the head of the queue may be sent; False when closing and nothing is left."""
        while not (self._queue and self._queue[0].number <= self._due_number):
            wait_s = self._next_tick - self._now() if self._queue else None
            if wait_s is not None and (wait_s <= 0 or self._closing):
                self._due_number = self._number
            elif self._closing:
                return False
            else:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):  # the next tick
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
        return True

    async def _publish(self, message: _PendingMessage) -> str:
        m, settings = message, self._settings
        content: list[str | bytes | int] = [m.type, m.timestamp, m.body, m.flat, m.idempotency_key, m.kind]
        arguments = [self._name, m.number, self._last_seq, *content]
        arguments += [settings.history_messages, RUNNING_S, settings.keep_s]
        message_id, seq = await self._store.publish(self._operation_id, arguments)
        self._last_seq = max(self._last_seq, seq)
        return message_id

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _coalesce(queue: Iterable[_PendingMessage]) -> deque[_PendingMessage]:
    """The queue without messages that nobody awaits any more, and without updates that a newer one of their type
    replaces.

    An event is a boundary: the updates before it are sent before it.
    """
    kept: deque[_PendingMessage] = deque()
    newer: set[str] = set()
    for message in reversed(tuple(queue)):
        if message.published is None:
            if message.type in newer:
                continue
            newer.add(message.type)
        elif message.published.done():
            continue
        else:
            newer.clear()
        kept.appendleft(message)
    return kept
