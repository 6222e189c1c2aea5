"""One watcher's place in an operation's stream: history first, then live, each message once and in order.

Nothing waits in here but a page of the history: what a watcher has not taken yet is in Redis. Must not know who takes
it. Runs on the loop.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from semantik.core.errors import Unavailable
from semantik.progress.message import START, Message, MessageBatch, StreamPosition
from semantik.progress.redis_client import RedisClient, backoff_delays

PAGE = 200


class Subscriber(Protocol):
    """Who gets the messages of a watch."""

    def deliver(self, batch: MessageBatch) -> bool:
        """Take messages, at once and without raising; False: no more, please."""

    async def wait_writable(self) -> None:
        """Wait until more of the history may come."""


class Subscription:
    """What `progress.watch` gives.

    `last_id`: where the stream ended when the watch began or, after a hole, where it went on: a snapshot that is
    read now stands for at least everything up to it. `truncated`: what followed `since` is not all there any more.
    """

    __slots__ = (  # a thousand sockets are a thousand of these
        "_cursor",
        "_link",
        "_live",
        "_losses",
        "_missing",
        "_newest",
        "_over",
        "_stirred",
        "_taker",
        "last_id",
        "operation_id",
        "truncated",
    )

    def __init__(self, link: RedisClient, operation_id: str, taker: Subscriber) -> None:
        self.operation_id = operation_id
        self.last_id = START.id
        self.truncated = False
        self._link = link
        self._taker = taker
        self._cursor = START
        self._newest = START  # the last message of the stream that the hub has seen
        self._stirred: asyncio.Future[None] | None = None  # while `follow` waits
        self._live = False
        self._missing = False
        self._over = False
        self._losses = 0

    def begin(self, cursor: StreamPosition, newest: StreamPosition, truncated: bool) -> None:
        """Start after `cursor`, in a stream that reaches to `newest` at least."""
        self._cursor, self._newest, self.truncated = cursor, newest, truncated
        self.last_id = newest.id

    def push(self, batch: MessageBatch) -> None:
        """The hub read these: they are handed over at once, unless the watch is still in the history."""
        self._newest = batch.last
        if not self._live:
            return
        if batch.follows is not None and batch.follows == self._cursor.seq:
            self._give(batch)  # as nearly always, and for every socket
        else:
            self._hand_over(batch)

    def on_gap(self, end: StreamPosition) -> None:
        """Redis lost messages: the stream now ends at `end`, and what follows will not join on."""
        self._losses += 1
        self._newest = end
        self._break(min(self._cursor, end, key=lambda mark: mark.order))

    def close(self) -> None:
        """End `follow`."""
        self._over = True
        self._wake()

    async def follow(self) -> bool:
        """Hand over everything after the cursor, as it comes, for as long as it joins on.

        True: messages are missing here, so take a fresh snapshot and call again. False: the taker has had enough, or
        the server stops. Raises what the taker's `room` raises.
        """
        while not self._over:
            if self._missing:
                self._missing = False
                return True
            if self._cursor.order < self._newest.order:
                await self._replay()
            else:
                self._live = True
                self._stirred = asyncio.get_running_loop().create_future()
                try:
                    await self._stirred
                finally:
                    self._live, self._stirred = False, None
        return False

    async def _replay(self) -> None:
        losses, newest = self._losses, self._newest
        try:
            page = await self._link.page(self.operation_id, self._cursor.id, PAGE)
        except Unavailable:
            await self._wait_for_redis()
            return
        if page:
            await (
                self._taker.wait_writable()
            )  # on top of what was sent meanwhile it would look like a slow reader
        if losses != self._losses:
            return  # what was read may be what was lost
        if page:
            self._hand_over(MessageBatch(tuple(page)))
            await self._taker.wait_writable()
        else:
            # The seq stays what it was: if messages are gone from here, the next one's seq shows it.
            self._cursor = StreamPosition(newest.order, self._cursor.seq)

    async def _wait_for_redis(self) -> None:
        """The hub has logged it; a watcher just stays where it is."""
        for pause in backoff_delays():
            await asyncio.sleep(pause)
            try:
                await self._link.check()
                return
            except Unavailable:
                if self._over or self._missing:
                    return

    def _hand_over(self, batch: MessageBatch) -> None:
        """Give the taker what joins on to the cursor, once; a hole ends it."""
        if batch.messages[0].mark.order <= self._cursor.order:
            news = tuple(frame for frame in batch.messages if frame.mark.order > self._cursor.order)
            if not news:
                return
            batch = MessageBatch(news)
        joined = self._joined(batch.messages)
        if joined == len(batch.messages):
            self._give(batch)
            return
        if joined:
            self._give(MessageBatch(batch.messages[:joined]))
        self._break(self._cursor)

    def _joined(self, frames: tuple[Message, ...]) -> int:
        """How many of the frames follow the cursor, and each other, without a hole."""
        seq = self._cursor.seq
        for number, frame in enumerate(frames):
            if seq is not None and frame.seq != seq + 1:
                return number
            seq = frame.seq
        return len(frames)

    def _give(self, batch: MessageBatch) -> None:
        self._cursor = batch.last
        if not self._taker.deliver(batch):
            self._over = True
            self._wake()

    def _break(self, at: StreamPosition) -> None:
        self._cursor = StreamPosition(at.order, None)
        self.last_id = at.id
        self._missing = True
        self._wake()

    def _wake(self) -> None:
        self._live = False
        if self._stirred is not None and not self._stirred.done():
            self._stirred.set_result(None)
