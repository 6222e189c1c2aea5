"""One subscriber's position in an operation's stream: history first, then live, each message once and in order.

It holds no messages but one page of the history: what a subscriber has not taken yet stays in Redis. Must not know
what the subscriber is. Runs on the loop.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from semantik.core.errors import Unavailable
from semantik.progress.message import START, Message, MessageBatch, StreamPosition
from semantik.progress.redis_client import backoff_delays
from semantik.progress.stream_store import StreamStore

PAGE = 200


class Subscriber(Protocol):
    """Takes the messages of a subscription."""

    def deliver(self, batch: MessageBatch) -> bool:
        """Take messages, at once and without raising; False: no more, please."""

    async def wait_writable(self) -> None:
        """Wait until more of the history may be delivered."""


class Subscription:
    """What `progress.subscribe` gives.

    `last_id`: the end of the stream when the subscription started or, after a gap, the position where it continued: a
    snapshot that is read now includes at least everything up to it. `truncated`: part of what followed `since` is gone.
    """

    __slots__ = (  # a thousand sockets have a thousand of these
        "_closed",
        "_cursor",
        "_gap",
        "_gap_count",
        "_live",
        "_newest",
        "_store",
        "_subscriber",
        "_waiter",
        "last_id",
        "operation_id",
        "truncated",
    )

    def __init__(self, store: StreamStore, operation_id: str, subscriber: Subscriber) -> None:
        self.operation_id = operation_id
        self.last_id = START.id
        self.truncated = False
        self._store = store
        self._subscriber = subscriber
        self._cursor = START
        self._newest = START  # the last message of the stream that the reader has seen
        self._waiter: asyncio.Future[None] | None = None  # while `follow` waits
        self._live = False
        self._gap = False
        self._closed = False
        self._gap_count = 0

    def start(self, cursor: StreamPosition, newest: StreamPosition, truncated: bool) -> None:
        """Start after `cursor`, in a stream that reaches to `newest` at least."""
        self._cursor, self._newest, self.truncated = cursor, newest, truncated
        self.last_id = newest.id

    def push(self, batch: MessageBatch) -> None:
        """The reader read these: they are delivered at once, unless the subscription is still in the history."""
        self._newest = batch.last
        if not self._live:
            return
        if batch.preceding_seq is not None and batch.preceding_seq == self._cursor.seq:
            self._deliver(batch)  # as nearly always, and for every socket
        else:
            self._deliver_contiguous(batch)

    def on_gap(self, end: StreamPosition) -> None:
        """Redis lost messages: the stream now ends at `end`, and what follows leaves a gap."""
        self._gap_count += 1
        self._newest = end
        self._mark_gap(min(self._cursor, end, key=lambda position: position.order))

    def close(self) -> None:
        """End `follow`."""
        self._closed = True
        self._wake()

    async def follow(self) -> bool:
        """Deliver everything after the cursor, as it comes, for as long as there is no gap.

        True: messages are missing here, so send a fresh snapshot and call again. False: the subscriber wants no more,
        or the server stops. Raises what the subscriber's `wait_writable` raises.
        """
        while not self._closed:
            if self._gap:
                self._gap = False
                return True
            if self._cursor.order < self._newest.order:
                await self._replay()
            else:
                self._live = True
                self._waiter = asyncio.get_running_loop().create_future()
                try:
                    await self._waiter
                finally:
                    self._live, self._waiter = False, None
        return False

    async def _replay(self) -> None:
        gap_count, newest = self._gap_count, self._newest
        try:
            page = await self._store.page(self.operation_id, self._cursor.id, PAGE)
        except Unavailable:
            await self._wait_for_redis()
            return
        if page:
            # On top of what was sent meanwhile a page would make a slow reader of everybody.
            await self._subscriber.wait_writable()
        if gap_count != self._gap_count:
            return  # the page may be what was lost
        if page:
            self._deliver_contiguous(MessageBatch(tuple(page)))
            await self._subscriber.wait_writable()
        else:
            # The seq stays what it was: if messages are gone from here, the next one's seq shows it.
            self._cursor = StreamPosition(newest.order, self._cursor.seq)

    async def _wait_for_redis(self) -> None:
        """The reader has logged it; the subscription just keeps its position."""
        for delay_s in backoff_delays():
            await asyncio.sleep(delay_s)
            try:
                await self._store.check()
                return
            except Unavailable:
                if self._closed or self._gap:
                    return

    def _deliver_contiguous(self, batch: MessageBatch) -> None:
        """Deliver what follows the cursor, once; a gap ends it."""
        if batch.messages[0].position.order <= self._cursor.order:
            new = tuple(each for each in batch.messages if each.position.order > self._cursor.order)
            if not new:
                return
            batch = MessageBatch(new)
        count = self._contiguous_count(batch.messages)
        if count == len(batch.messages):
            self._deliver(batch)
            return
        if count:
            self._deliver(MessageBatch(batch.messages[:count]))
        self._mark_gap(self._cursor)

    def _contiguous_count(self, messages: tuple[Message, ...]) -> int:
        """How many of the messages follow the cursor, and each other, without a gap."""
        seq = self._cursor.seq
        for number, message in enumerate(messages):
            if seq is not None and message.seq != seq + 1:
                return number
            seq = message.seq
        return len(messages)

    def _deliver(self, batch: MessageBatch) -> None:
        self._cursor = batch.last
        if not self._subscriber.deliver(batch):
            self._closed = True
            self._wake()

    def _mark_gap(self, at: StreamPosition) -> None:
        self._cursor = StreamPosition(at.order, None)
        self.last_id = at.id
        self._gap = True
        self._wake()

    def _wake(self) -> None:
        self._live = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
