"""One watcher's place in an operation's stream: history first, then live, each message once and in order.

Must not know who takes the frames. Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

from semantik.errors import Unavailable
from semantik.progress.frame import START, Frame, Mark, SlowReader, Truncated
from semantik.progress.link import Link, pauses

PAGE = 200


class Watch:
    """What `progress.watch` gives.

    `last_id`: where the stream ended when the watch began or, after a Truncated, where it went on: a snapshot
    that is read now stands for at least everything up to it. `truncated`: what followed `since` is not all
    there any more.
    """

    def __init__(self, link: Link, operation_id: str, inbox_frames: int) -> None:
        self.operation_id = operation_id
        self.last_id = START.id
        self.truncated = False
        self._link = link
        self._limit = inbox_frames
        self._inbox: deque[Frame | Truncated] = deque()
        self._news = asyncio.Event()
        self._cursor = START
        self._end = START
        self._slow = False
        self._closed = False

    def begin(self, cursor: Mark, end: Mark, truncated: bool) -> None:
        """Start after `cursor`, and take from the history what is not above `end`."""
        self._cursor, self._end, self.truncated = cursor, end, truncated
        self.last_id = end.id

    def offer(self, items: Sequence[Frame | Truncated]) -> bool:
        """Put news into the inbox; False when they do not fit: then the watch is over."""
        if len(self._inbox) + len(items) > self._limit:
            self._slow = True
            self._inbox.clear()
        else:
            self._inbox.extend(items)
        self._news.set()
        return not self._slow

    def close(self) -> None:
        """End `frames()` once the inbox is empty."""
        self._closed = True
        self._news.set()

    async def frames(self) -> AsyncIterator[Frame | Truncated]:
        """Every message after the cursor, without end; Truncated stands where some are missing.

        Raises SlowReader when more than `inbox_frames` waited to be taken.
        """
        while (source := await self._ready()) is not None:
            while source:
                item = source.popleft()
                if isinstance(item, Truncated):
                    self._cursor = self._end = Mark(item.mark.order, None)
                    self.last_id = item.mark.id
                elif item.mark.order <= self._cursor.order:
                    continue
                else:
                    before, self._cursor = self._cursor, item.mark
                    if before.seq is not None and item.seq != before.seq + 1:
                        self.last_id = before.id
                        yield Truncated(before)
                yield item

    async def _ready(self) -> deque[Frame | Truncated] | None:
        """A page of history, then the inbox, whenever something is in it; None when the watch was closed."""
        while True:
            if self._slow:
                raise SlowReader(
                    f"More than {self._limit} messages waited to be taken; resume after the last id you have."
                )
            if self._cursor.order < self._end.order:
                page = await self._page()
                if page:
                    return page
                # The seq stays what it was: if messages are gone from here, the next one's seq shows it.
                self._cursor = Mark(self._end.order, self._cursor.seq)
            elif self._inbox:
                return self._inbox
            elif self._closed:
                return None
            else:
                self._news.clear()
                await self._news.wait()

    async def _page(self) -> deque[Frame | Truncated]:
        for pause in pauses():
            try:
                low, high = f"({self._cursor.id}", self._end.id
                return deque(await self._link.history(self.operation_id, low, high, PAGE))
            except Unavailable:
                # The hub has logged it, and knows when Redis is back; a watcher just stays where it is.
                if self._slow or self._closed:
                    break
                await asyncio.sleep(pause)
        return deque()
