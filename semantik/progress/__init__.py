"""Progress: one Redis stream per operation, told by its owner, watched by anybody, on any instance.

The only room that imports redis; it must not know MongoDB, Tornado or the pipeline. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import NoReturn

from semantik.config import settings
from semantik.connection_limits.limiter import ConnectionLimiter
from semantik.connection_limits.watcher_counts import WatcherCount
from semantik.core.errors import Unavailable
from semantik.progress.message import Message, MessageBatch, envelope, packed, position_of
from semantik.progress.publisher import Publisher
from semantik.progress.redis_client import RedisClient, backoff_delays
from semantik.progress.stream_reader import StreamReader
from semantik.progress.subscription import Subscriber, Subscription

__all__ = [
    "ConnectionLimiter",
    "Message",
    "MessageBatch",
    "ProgressService",
    "Publisher",
    "Subscriber",
    "Subscription",
    "WatcherCount",
    "envelope",
    "packed",
    "position_of",
]

log = logging.getLogger("semantik.progress")


class ProgressService:
    """The room's door. `url`: redis://, rediss:// or unix:///path/to.sock; ConfigError when it is none.

    `on_batch` hears of every batch of messages that the watchers of this server were given.
    Inside `async with`, the task `reader` runs; it never ends by itself. `failure` is a future that gets an
    exception when the reader, the seats' task or a publisher died of a bug: await it, and end the server.
    `seats` counts the sockets that are open, here and elsewhere, by what `sockets()` allows at the moment.
    """

    reader: asyncio.Task[None]
    failure: asyncio.Future[NoReturn]

    def __init__(
        self,
        url: str,
        limits: settings.ProgressSettings,
        instance_id: str,
        sockets: Callable[[], settings.SocketSettings] = settings.SocketSettings,
        on_batch: Callable[[MessageBatch], None] = lambda batch: None,
    ) -> None:
        self._link = RedisClient(url, instance_id)
        self._limits = limits
        self._hub = StreamReader(self._link, on_batch)
        self.seats = ConnectionLimiter(self._link, sockets)

    async def __aenter__(self) -> ProgressService:
        self.failure = asyncio.get_running_loop().create_future()
        self.reader = asyncio.create_task(self._hub.run(), name="progress reader")
        self.reader.add_done_callback(self._ended)
        self._keeper = asyncio.create_task(self.seats.run(), name="progress seats")
        self._keeper.add_done_callback(self._ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hub.close()
        self.reader.cancel()
        self._keeper.cancel()
        await asyncio.gather(self.reader, self._keeper, return_exceptions=True)
        await self.seats.close()
        self.failure.cancel()
        await self._link.close()

    async def ping(self) -> bool:
        """Whether Redis answers within two seconds."""
        try:
            await self._link.check()
        except Unavailable:
            return False
        return True

    async def wait_available(self) -> None:
        """Wait until Redis answers; there is no deadline but the caller's."""
        for attempt, pause in enumerate(backoff_delays()):
            if await self.ping():
                return
            if attempt == 0:
                log.info("Waiting for Redis")
            await asyncio.sleep(pause)

    def publisher(self, operation_id: str, min_seq: int = 0) -> Publisher:
        """Who tells this operation's messages; their seq is above `floor` even if Redis lost its data."""
        return Publisher(self._link, self._limits, operation_id, min_seq, self._ended)

    def subscribe(
        self, operation_id: str, taker: Subscriber, since: str | None = None
    ) -> AbstractAsyncContextManager[Subscription]:
        """Watch one operation: all that is kept, or what follows the id `since`, or ("$") only what is new.

        The Watch's `follow` hands it to `taker`. Entering raises Invalid for a malformed `since`, and Unavailable when
        Redis is away.
        """
        return self._hub.subscribe(operation_id, since, taker)

    async def last_id(self, operation_id: str) -> str:
        """The id of the stream's last message; "0-0" where there is none."""
        [last] = await self._link.last([operation_id])
        return last.id

    async def forget(self, operation_id: str) -> None:
        """Delete all that Redis has of the operation; Unavailable when it is away."""
        await self._link.forget(operation_id)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self.failure.done():
            self.failure.set_exception(error)
