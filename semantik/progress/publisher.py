"""Tells the messages of one operation, in the order of the calls: told ones surely, updates coalesced.

One sender task per publisher, so nothing overtakes anything. Must not know who listens. Runs on the loop.
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
from typing import Any

from semantik.config import settings
from semantik.core.errors import Unavailable
from semantik.progress.message import encoded, now
from semantik.progress.redis_client import RUNNING_S, RedisClient, backoff_delays

TELL_S = 5.0
CLOSE_S = 2.0

log = logging.getLogger("semantik.progress")


@dataclass(frozen=True, eq=False)
class _PendingMessage:
    number: int  # counts this publisher's messages; a repeated try keeps its number
    type: str
    at: str
    body: bytes
    flat: bytes
    once: str
    kind: str  # update, told or terminal, as the script has it
    told: asyncio.Future[str] | None  # None: an update, nobody waits for it


class Publisher:
    """`async with progress.publisher(operation_id, floor) as publisher:` or end it with `close()`."""

    def __init__(
        self,
        link: RedisClient,
        limits: settings.ProgressSettings,
        operation_id: str,
        floor: int,
        on_end: Callable[[asyncio.Task[None]], None],
    ) -> None:
        self._link = link
        self._limits = limits
        self._operation_id = operation_id
        self._last_seq = floor
        self._name = secrets.token_hex(8)
        self._number = 0
        self._through = 0  # messages up to this number are due; later updates wait for the next tick
        self._next_tick = 0.0
        self._queue: deque[_PendingMessage] = deque()
        self._news = asyncio.Event()
        self._closing = False
        self._sender = asyncio.create_task(self._send(), name=f"publisher {operation_id}")
        self._sender.add_done_callback(on_end)

    async def __aenter__(self) -> Publisher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def last_seq(self) -> int:
        """The seq of the last message that Redis took from here, at least the floor."""
        return self._last_seq

    def publish_latest(self, type: str, /, **data: Any) -> None:
        """Tell soon, the newest of its type at most `updates_per_s` times a second; never waits, may be lost."""
        self._append(type, data, "", "update", None)

    async def publish(
        self, type: str, /, *, idempotency_key: str | None = None, terminal: bool = False, **data: Any
    ) -> str:
        """Tell now, after all earlier updates; returns the message's stream id when Redis has it.

        `once`: told only the first time that this operation uses the token; later calls return the earlier id.
        `terminal`: the operation's last message; the history expires `keep_s` later.
        Raises Unavailable when that took too long. Redis may have taken the message even so, which only `once`
        can tell: call again with the same token.
        """
        told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        message = self._append(type, data, idempotency_key or "", "terminal" if terminal else "told", told)
        self._through = message.number
        try:
            async with asyncio.timeout(TELL_S):
                return await told
        except TimeoutError as error:
            raise Unavailable(
                f"The message {type} of operation {self._operation_id} could not be told within {TELL_S:g} s."
            ) from error
        finally:
            self._queue = _tidy(self._queue)

    async def close(self) -> None:
        """Send what waits, then stop; what Redis does not take in time is given up."""
        self._closing = True
        self._through = self._number
        self._news.set()
        try:
            await asyncio.wait({self._sender}, timeout=CLOSE_S)
        finally:
            if self._sender.cancel():
                log.warning("Operation %s: Redis did not take its last updates", self._operation_id)
            await asyncio.gather(self._sender, return_exceptions=True)

    def _append(
        self, type: str, data: Mapping[str, Any], once: str, kind: str, told: asyncio.Future[str] | None
    ) -> _PendingMessage:
        body, flat = encoded(data)
        self._number += 1
        message = _PendingMessage(self._number, type, now(), body, flat, once, kind, told)
        self._queue = _tidy((*self._queue, message))
        self._news.set()
        return message

    async def _send(self) -> None:
        waits = backoff_delays()
        failing = False
        while await self._due():
            message = self._queue.popleft()
            try:
                told_id = await self._publish(message)
            except Unavailable as error:
                self._queue = _tidy((message, *self._queue))
                if not failing:
                    log.warning("Operation %s: its progress waits. %s", self._operation_id, error)
                failing = True
                await asyncio.sleep(next(waits))
                continue
            if failing:
                waits, failing = backoff_delays(), False
            if message.told is None:
                self._next_tick = self._now() + 1 / self._limits.updates_per_s
            elif not message.told.done():
                message.told.set_result(told_id)

    async def _due(self) -> bool:
        """Wait until the head of the queue may be sent; False when closing and nothing is left."""
        while not (self._queue and self._queue[0].number <= self._through):
            wait_s = self._next_tick - self._now() if self._queue else None
            if wait_s is not None and (wait_s <= 0 or self._closing):
                self._through = self._number
            elif self._closing:
                return False
            else:
                self._news.clear()
                with contextlib.suppress(TimeoutError):  # the tick has come
                    async with asyncio.timeout(wait_s):
                        await self._news.wait()
        return True

    async def _publish(self, message: _PendingMessage) -> str:
        m, limits = message, self._limits
        said: list[str | bytes | int] = [m.type, m.at, m.body, m.flat, m.once, m.kind]
        arguments = [self._name, m.number, self._last_seq, *said]
        arguments += [limits.history_frames, RUNNING_S, limits.keep_s]
        told_id, seq = await self._link.publish(self._operation_id, arguments)
        self._last_seq = max(self._last_seq, seq)
        return told_id

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _tidy(queue: Iterable[_PendingMessage]) -> deque[_PendingMessage]:
    """Without what nobody waits for any more, and without updates that a newer one of their type replaces.

    A told message stands between: what was updated before it is sent before it.
    """
    kept: deque[_PendingMessage] = deque()
    newer: set[str] = set()
    for message in reversed(tuple(queue)):
        if message.told is None:
            if message.type in newer:
                continue
            newer.add(message.type)
        elif message.told.done():
            continue
        else:
            newer.clear()
        kept.appendleft(message)
    return kept
