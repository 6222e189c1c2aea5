"""The streams of the operations in Redis: their keys, and the commands that read and write them. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from semantik.progress.message import START, Message, StreamPosition
from semantik.progress.redis_client import RedisClient
from semantik.progress.scripts import PUBLISH

STREAM = "operation-progress:{operation_id}"
# A hash: the seq, the idempotency keys, and what each publisher sent last.
COUNTER = "operation-progress-counter:{operation_id}"
WAKE = "operation-progress-wake:{instance_id}"

BLOCK_S = 2.0  # a reader blocks this long, then asks again: this tells a silent server from a lost one
RUNNING_S = 7 * 86_400  # kept since the last message of an operation whose end was never published
WAKE_S = 3600
SCAN_COUNT = 500
CONCURRENT_PAGES = 4  # a hundred watchers who connect at once must not block the loop together

Entry = tuple[bytes, dict[bytes, bytes]]


class StreamStore:
    """Every method raises Unavailable when Redis is away. `instance_id` names the wake-up stream of this server."""

    def __init__(self, redis: RedisClient, instance_id: str) -> None:
        self._redis = redis
        self._publish = redis.script(PUBLISH)
        self._wake = WAKE.format(instance_id=instance_id)
        self._wake_id = START.id
        self._pages = asyncio.Semaphore(CONCURRENT_PAGES)

    async def check(self) -> None:
        """Return when Redis answers. Raises ConfigError for a Redis Cluster."""
        await self._redis.refuse_cluster()

    async def publish(self, operation_id: str, arguments: Sequence[str | bytes | int]) -> tuple[str, int]:
        """Run the script; the message's id ("" when it was refused) and seq."""
        message_id, seq = await self._redis.execute(
            self._publish(keys=_keys(operation_id), args=arguments),
        )
        return message_id.decode(), int(seq)

    async def history(self, operation_id: str, low: str, high: str, count: int) -> list[Message]:
        """At most `count` messages between the ids, oldest first; "(" before `low` excludes it."""
        key = STREAM.format(operation_id=operation_id)
        entries: Any = await self._redis.execute(self._redis.commands.xrange(key, low, high, count))
        return _messages(operation_id, entries)

    async def page(self, operation_id: str, after: str, count: int) -> list[Message]:
        """At most `count` messages after the id; the number of pages that are read at once is limited."""
        async with self._pages:
            messages = await self.history(operation_id, f"({after}", "+", count)
            await asyncio.sleep(0)  # this page is delivered before the next one is parsed
            return messages

    async def last(self, operation_ids: Sequence[str]) -> list[StreamPosition]:
        """The end of each stream; START where there is none."""
        async with self._redis.commands.pipeline(transaction=False) as pipe:
            for operation_id in operation_ids:
                pipe.xrevrange(STREAM.format(operation_id=operation_id), count=1)
            found = await self._redis.execute(pipe.execute())
        messages = [_messages(name, entries) for name, entries in zip(operation_ids, found, strict=True)]
        return [one[0].position if one else START for one in messages]

    async def newest(self, operation_id: str, count: int) -> list[Message]:
        """At most `count` messages from the end of the stream, newest first."""
        key = STREAM.format(operation_id=operation_id)
        entries: Any = await self._redis.execute(self._redis.commands.xrevrange(key, count=count))
        return _messages(operation_id, entries)

    async def read(self, after: dict[str, str], count: int) -> dict[str, list[Message]]:
        """Wait for messages after the given ids (operation id to stream id): at most `count` of each.

        Returns an empty dict after BLOCK_S, or when `wake` was called.
        """
        names = {STREAM.format(operation_id=name).encode(): name for name in after}
        streams: dict[Any, Any] = {self._wake: self._wake_id}
        streams |= {key: after[name] for key, name in names.items()}
        command = self._redis.blocking.xread(streams, count=count, block=int(BLOCK_S * 1000))
        found: Any = await self._redis.execute(command, BLOCK_S)
        messages = {}
        for key, entries in found or ():
            if key in names:
                messages[names[key]] = _messages(names[key], entries)
            else:
                self._wake_id = entries[-1][0].decode()
        return messages

    async def wake(self) -> None:
        """Make the blocking `read` of this instance return."""
        async with self._redis.commands.pipeline(transaction=False) as pipe:
            pipe.xadd(self._wake, {"new": "1"}, maxlen=1, approximate=False)
            pipe.expire(self._wake, WAKE_S)
            await self._redis.execute(pipe.execute())

    def rewind_wake(self) -> None:
        """Read wake-ups from the start: a Redis that lost its data may give them lower ids."""
        self._wake_id = START.id

    async def delete(self, operation_id: str) -> None:
        """Delete the operation's stream and counter."""
        await self._redis.execute(self._redis.commands.unlink(*_keys(operation_id)))

    async def sizes(self) -> dict[str, int]:
        """The operations that have a stream or a counter, and the bytes that these use."""
        sizes: dict[str, int] = {}
        for pattern in (STREAM, COUNTER):
            prefix = pattern.format(operation_id="")
            cursor = 0
            while True:
                page: tuple[int, list[Any]] = await self._redis.execute(
                    self._redis.commands.scan(cursor, f"{prefix}*", SCAN_COUNT)
                )
                cursor, keys = page
                for key in keys:
                    name = key.decode().removeprefix(prefix)
                    size = await self._redis.execute(self._redis.commands.memory_usage(key))
                    sizes[name] = sizes.get(name, 0) + int(size or 0)
                if not cursor:
                    break
        return sizes


def _keys(operation_id: str) -> tuple[str, str]:
    return STREAM.format(operation_id=operation_id), COUNTER.format(operation_id=operation_id)


def _messages(operation_id: str, entries: Sequence[Entry]) -> list[Message]:
    return [
        Message(
            id=entry_id.decode(),
            seq=int(fields[b"seq"]),
            type=fields[b"type"].decode(),
            operation_id=operation_id,
            timestamp=fields[b"at"].decode(),
            body=fields[b"data"],
            flat=fields.get(b"flat", fields[b"data"]),
        )
        for entry_id, fields in entries
    ]
