"""The one reader of this server: a single blocking read over all streams that have a subscription here.

Pushes each message to every subscription and waits for none of them. Must not know sockets. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from semantik.core.errors import Unavailable
from semantik.progress.message import START, Message, MessageBatch, StreamPosition, parse_stream_id
from semantik.progress.redis_client import backoff_delays
from semantik.progress.stream_store import StreamStore
from semantik.progress.subscription import Subscriber, Subscription

READ_COUNT = 200  # messages of one stream that are read at once
_YIELD_AFTER_S = 0.01  # other tasks of the loop run after this long

log = logging.getLogger("semantik.progress")


@dataclass(eq=False)
class _Channel:
    """One stream and its subscriptions here. `position`: what was read so far; None until the first one knows."""

    position: StreamPosition | None = None
    subscriptions: set[Subscription] = field(default_factory=set)


class StreamReader:
    """`on_batch` is called with each batch once every subscription has it."""

    def __init__(self, store: StreamStore, on_batch: Callable[[MessageBatch], None]) -> None:
        self._store = store
        self._on_batch = on_batch
        self._channels: dict[str, _Channel] = {}
        self._wake_pending = False

    async def run(self) -> None:
        """Read for ever. Reconnects after every loss of Redis; ends by cancellation or a bug only."""
        lost_at: float | None = None
        verified = False  # whether Redis was seen to hold what was read, since the last reconnection
        delays = backoff_delays()
        loop = asyncio.get_running_loop()
        while True:
            try:
                if not verified:
                    await self._check_for_gaps()
                    verified = True
                    if lost_at is not None:
                        log.info("Redis is back after %.1f s", loop.time() - lost_at)
                        lost_at = None
                self._wake_pending = False
                after = {name: c.position.id for name, c in self._channels.items() if c.position is not None}
                found = await self._store.read(after, READ_COUNT)
                delays = (
                    backoff_delays()
                )  # not before: another connection than that of the check may fail at once
            except Unavailable as error:
                verified = False
                if lost_at is None:
                    lost_at = loop.time()
                    log.warning("Watchers wait. %s", error)
                await asyncio.sleep(next(delays))
                continue
            await self._push_all(found)

    def close(self) -> None:
        for channel in self._channels.values():
            for subscription in channel.subscriptions:
                subscription.close()

    @asynccontextmanager
    async def subscribe(
        self, operation_id: str, since: str | None, subscriber: Subscriber
    ) -> AsyncIterator[Subscription]:
        """Read the stream from its end on; the subscription replays the history between `since` and there."""
        if since is not None and since != "$":
            parse_stream_id(since)
        channel = self._channels.setdefault(operation_id, _Channel())
        subscription = Subscription(self._store, operation_id, subscriber)
        channel.subscriptions.add(subscription)
        try:
            await self._start(subscription, channel, since)
            yield subscription
        finally:
            subscription.close()
            channel.subscriptions.discard(subscription)
            self._drop_if_unused(operation_id, channel)

    async def _start(self, subscription: Subscription, channel: _Channel, since: str | None) -> None:
        [last] = await self._store.last([subscription.operation_id])
        cursor, truncated = START, False
        if since is not None and since != "$":
            cursor, truncated = await self._resume_position(subscription.operation_id, since, last)
        if channel.position is None:
            channel.position = last
            await self._wake()
        # The reader may be ahead of the answer above, or of another subscription that started at the same time. It may
        # be behind as well: what it reads then is in the history already, and is not delivered twice.
        end = max(last, channel.position, key=lambda position: position.order)
        subscription.start(end if since == "$" else cursor, end, truncated)

    async def _resume_position(
        self, operation_id: str, since: str, last: StreamPosition
    ) -> tuple[StreamPosition, bool]:
        """Where to continue after `since`, and whether messages between are missing.

        None is missing if the message that `since` names is still there; 0-0 is before the first one.
        """
        order = parse_stream_id(since)
        first = next(iter(await self._store.history(operation_id, since, "+", 1)), None)
        if order == START.order:
            if first is not None and first.seq == 1:
                return StreamPosition(order, 0), False
            return START, first is not None
        if first is not None and first.position.order == order:
            return first.position, False
        return StreamPosition(min(order, last.order), None), True

    async def _wake(self) -> None:
        """Make the reader read the new set of streams; one wake-up for all subscriptions that start at once."""
        if self._wake_pending:
            return
        self._wake_pending = True
        try:
            await self._store.wake()
        except BaseException:
            self._wake_pending = False
            raise

    async def _check_for_gaps(self) -> None:
        """After a (re)connection: report a gap in the streams that end before what was read of them."""
        await self._store.check()
        self._store.rewind_wake()
        known = {name: channel for name, channel in self._channels.items() if channel.position is not None}
        ends = await self._store.last(list(known))
        for channel, end in zip(known.values(), ends, strict=True):
            position = channel.position
            if position is not None and end.order < position.order:
                channel.position = end
                for subscription in channel.subscriptions:
                    subscription.on_gap(end)

    async def _push_all(self, found: dict[str, list[Message]]) -> None:
        began = time.monotonic()
        for operation_id, messages in found.items():
            self._push(operation_id, messages)
            if time.monotonic() - began > _YIELD_AFTER_S:
                await asyncio.sleep(0)
                began = time.monotonic()

    def _push(self, operation_id: str, messages: list[Message]) -> None:
        channel = self._channels.get(operation_id)
        if channel is None or channel.position is None:
            return
        # A channel that was dropped and made again during the read starts later than the read did.
        order = channel.position.order
        new = tuple(message for message in messages if message.position.order > order)
        if new:
            batch = MessageBatch(new)
            channel.position = batch.last
            for subscription in channel.subscriptions:
                subscription.push(batch)
            self._on_batch(batch)

    def _drop_if_unused(self, operation_id: str, channel: _Channel) -> None:
        if not channel.subscriptions and self._channels.get(operation_id) is channel:
            del self._channels[operation_id]
