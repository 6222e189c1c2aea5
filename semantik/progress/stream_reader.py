"""The one reader of this server: a single blocking read over all streams that somebody here watches.

Hands each frame to every watcher and waits for none of them. Must not know sockets. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from semantik.core.errors import Unavailable
from semantik.progress.message import START, Message, MessageBatch, StreamPosition, position_of
from semantik.progress.redis_client import RedisClient, backoff_delays
from semantik.progress.subscription import Subscriber, Subscription

BATCH = 200  # messages of one stream that come together
_LONG_S = 0.01  # the loop is let go after this long

log = logging.getLogger("semantik.progress")


@dataclass(eq=False)
class _Channel:
    """One stream and who watches it here. `mark`: what was read so far; None until the first watcher knows."""

    mark: StreamPosition | None = None
    watches: set[Subscription] = field(default_factory=set)


class StreamReader:
    """`on_batch` hears of each batch once every watcher has it."""

    def __init__(self, link: RedisClient, on_batch: Callable[[MessageBatch], None]) -> None:
        self._link = link
        self._on_batch = on_batch
        self._channels: dict[str, _Channel] = {}
        self._woken = False

    async def run(self) -> None:
        """Read for ever. Comes back after every loss of Redis; ends by cancellation or a bug only."""
        lost_at: float | None = None
        certain = False  # whether this connection knows that Redis still holds what was read
        waits = backoff_delays()
        loop = asyncio.get_running_loop()
        while True:
            try:
                if not certain:
                    await self._compare()
                    certain = True
                    if lost_at is not None:
                        log.info("Redis is back after %.1f s", loop.time() - lost_at)
                        lost_at, waits = None, backoff_delays()
                self._woken = False
                after = {name: one.mark.id for name, one in self._channels.items() if one.mark is not None}
                found = await self._link.read(after, BATCH)
            except Unavailable as error:
                certain = False
                if lost_at is None:
                    lost_at = loop.time()
                    log.warning("Watchers wait. %s", error)
                await asyncio.sleep(next(waits))
                continue
            begun = time.monotonic()
            for name, frames in found.items():
                self._deliver(name, frames)
                if time.monotonic() - begun > _LONG_S:
                    await asyncio.sleep(0)
                    begun = time.monotonic()

    def close(self) -> None:
        for channel in self._channels.values():
            for watch in channel.watches:
                watch.close()

    @asynccontextmanager
    async def subscribe(
        self, operation_id: str, since: str | None, taker: Subscriber
    ) -> AsyncIterator[Subscription]:
        """Listen from here on; the Watch replays what lies between `since` and here."""
        if since is not None and since != "$":
            position_of(since)
        channel = self._channels.setdefault(operation_id, _Channel())
        watch = Subscription(self._link, operation_id, taker)
        channel.watches.add(watch)
        try:
            await self._begin(watch, channel, since)
            yield watch
        finally:
            watch.close()
            channel.watches.discard(watch)
            self._drop_if_empty(operation_id, channel)

    async def _begin(self, watch: Subscription, channel: _Channel, since: str | None) -> None:
        [last] = await self._link.last([watch.operation_id])
        cursor, truncated = START, False
        if since is not None and since != "$":
            cursor, truncated = await self._after(watch.operation_id, since, last)
        if channel.mark is None:
            channel.mark = last
            await self._wake()
        # The reader may be ahead of what was just asked, or of another watcher that came at the same time;
        # it may be behind as well: what it still brings is in the history by then, and is not taken twice.
        end = max(last, channel.mark, key=lambda mark: mark.order)
        watch.begin(end if since == "$" else cursor, end, truncated)

    async def _after(
        self, operation_id: str, since: str, last: StreamPosition
    ) -> tuple[StreamPosition, bool]:
        """Where to go on after `since`, and whether messages between are missing.

        None are if the message that it names is still there; 0-0 stands before the first one.
        """
        order = position_of(since)
        first = next(iter(await self._link.history(operation_id, since, "+", 1)), None)
        if order == START.order:
            return (
                (StreamPosition(order, 0), False) if first and first.seq == 1 else (START, first is not None)
            )
        if first is not None and first.mark.order == order:
            return first.mark, False
        return StreamPosition(min(order, last.order), None), True

    async def _wake(self) -> None:
        """Make the reader take up the new set of streams, with one message for all who come at once."""
        if self._woken:
            return
        self._woken = True
        try:
            await self._link.wake()
        except BaseException:
            self._woken = False
            raise

    async def _compare(self) -> None:
        """After a (re)connection: tell the watchers of streams that no longer reach to what was read of them."""
        await self._link.check()
        self._link.rewind_wake()
        known = {name: one for name, one in self._channels.items() if one.mark is not None}
        ends = await self._link.last(list(known))
        for channel, end in zip(known.values(), ends, strict=True):
            mark = channel.mark
            if mark is not None and end.order < mark.order:
                channel.mark = end
                for watch in channel.watches:
                    watch.on_gap(end)

    def _deliver(self, operation_id: str, frames: list[Message]) -> None:
        channel = self._channels.get(operation_id)
        if channel is None or channel.mark is None:
            return
        # A channel that was left and made anew during the read begins later than what was asked for.
        mark = channel.mark
        news = tuple(frame for frame in frames if frame.mark.order > mark.order)
        if news:
            batch = MessageBatch(news)
            channel.mark = news[-1].mark
            for watch in channel.watches:
                watch.push(batch)
            self._on_batch(batch)

    def _drop_if_empty(self, operation_id: str, channel: _Channel) -> None:
        if not channel.watches and self._channels.get(operation_id) is channel:
            del self._channels[operation_id]
