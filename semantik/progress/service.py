"""The entry point of the package: publish the messages of an operation, or subscribe to them. Runs on the loop."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import NoReturn

from semantik.config.settings import ProgressSettings
from semantik.core.errors import Unavailable
from semantik.progress.message import MessageBatch
from semantik.progress.publisher import Publisher
from semantik.progress.redis_client import RedisClient, backoff_delays
from semantik.progress.stream_reader import StreamReader
from semantik.progress.stream_store import StreamStore
from semantik.progress.subscription import Subscriber, Subscription

log = logging.getLogger("semantik.progress")

_NEWEST_MESSAGES = 20  # more than there are between two messages with the progress


class ProgressService:
    """`url` is redis://, rediss://, redis+sentinel:// or unix:///path/to.sock; ConfigError for anything else, and,
    on entering, for a Redis Cluster.

    `on_batch` is called with every batch of messages that was delivered to the subscribers of this server.
    Inside `async with`, the task `reader` runs; it never ends by itself. `failure` is a future that gets an
    exception when the reader or a publisher died of a bug: await it, and end the server.
    `redis` is the client, for other packages that keep data in the same Redis; it is closed on exit.
    """

    redis: RedisClient
    reader: asyncio.Task[None]
    failure: asyncio.Future[NoReturn]

    def __init__(
        self,
        url: str,
        settings: ProgressSettings,
        instance_id: str,
        on_batch: Callable[[MessageBatch], None] = lambda batch: None,
    ) -> None:
        self.redis = RedisClient(url)
        self._settings = settings
        self._store = StreamStore(self.redis, instance_id)
        self._stream_reader = StreamReader(self._store, on_batch)

    async def __aenter__(self) -> ProgressService:
        try:
            with suppress(Unavailable):  # then the reader asks again
                await self.redis.refuse_cluster()
        except BaseException:
            await self.redis.close()
            raise
        self.failure = asyncio.get_running_loop().create_future()
        self.reader = asyncio.create_task(self._stream_reader.run(), name="progress reader")
        self.reader.add_done_callback(self._on_task_done)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream_reader.close()
        self.reader.cancel()
        await asyncio.gather(self.reader, return_exceptions=True)
        self.failure.cancel()
        await self.redis.close()

    async def ping(self) -> bool:
        """Whether Redis answers within two seconds."""
        try:
            await self.redis.check()
        except Unavailable:
            return False
        return True

    async def wait_available(self) -> None:
        """Wait until Redis answers; there is no deadline but the caller's."""
        for attempt, delay_s in enumerate(backoff_delays()):
            if await self.ping():
                return
            if attempt == 0:
                log.info("Waiting for Redis")
            await asyncio.sleep(delay_s)

    def publisher(self, operation_id: str, min_seq: int = 0) -> Publisher:
        """A publisher for the operation's messages; their seq is above `min_seq` even if Redis lost its data."""
        return Publisher(self._store, self._settings, operation_id, min_seq, self._on_task_done)

    def subscribe(
        self, operation_id: str, subscriber: Subscriber, since: str | None = None
    ) -> AbstractAsyncContextManager[Subscription]:
        """Subscribe to one operation: to all that is kept, to what follows the id `since`, or ("$") to new messages.

        The subscription's `follow` delivers the messages to `subscriber`. Entering raises Invalid for a malformed
        `since`, and Unavailable when Redis is away.
        """
        return self._stream_reader.subscribe(operation_id, since, subscriber)

    async def last_id(self, operation_id: str) -> str:
        """The id of the stream's last message; "0-0" where there is none."""
        [last] = await self._store.last([operation_id])
        return last.id

    async def published_percent(self, operation_id: str) -> float:
        """The progress that was published last, 0 to 100; it may be ahead of the operation's record. Unavailable."""
        for message in await self._store.newest(operation_id, _NEWEST_MESSAGES):
            if (percent := json.loads(message.body).get("progress_percent")) is not None:
                return float(percent)
        return 0.0

    async def delete(self, operation_id: str) -> None:
        """Delete all that Redis has of the operation; Unavailable when it is away."""
        await self._store.delete(operation_id)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self.failure.done():
            self.failure.set_exception(error)
