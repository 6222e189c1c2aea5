"""The way to Redis: its keys, its two clients, the commands that the room needs, and their deadlines.

The only module that imports redis. Every failure leaves it as Unavailable. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from semantik.connection_limits.script import COUNT, KEEP
from semantik.core.errors import ConfigError, DiskFull, Unavailable
from semantik.progress.message import START, Message, StreamPosition
from semantik.progress.scripts import PUBLISH

STREAM = "operation-progress:{operation_id}"
COUNTER = (
    "operation-progress-counter:{operation_id}"  # a hash: seq, once tokens, what each publisher sent last
)
WAKE = "operation-progress-wake:{instance_id}"

SOCKETS = "seats-sockets:{user_id}"
SCANS = "seats-scans:{user_id}"
WATCHERS = "seats-operation:"  # and the operation's id
ALIVE = "seats-alive:"  # and the process
CHANGED = "seats-changed"  # a stream of the operations whose watchers have changed

COMMAND_S = 2.0
BLOCK_S = 2.0  # a reader blocks this long, then asks again: so a silent server is told from a lost one
RUNNING_S = 7 * 86_400  # kept since the last message of an operation that never got its end
WAKE_S = 3600
SEATS_S = 3600  # kept since the last change of a topic's seats; what still holds is written again before
CHANGED_S = 60
CHANGED_MOST = 1000
CONNECTIONS = 16
SCANNED = 500
_FULL = "No space left on device"  # Redis refuses writes while it cannot append to its file
PAGES = 4  # read at the same time: a hundred watchers who come at once must not hold the loop together

T = TypeVar("T")
Entry = tuple[bytes, dict[bytes, bytes]]


def backoff_delays() -> Iterator[float]:
    """Seconds to wait before each new try: doubling from 0.05 to 2, with jitter, without end."""
    for attempt in itertools.count():
        yield min(2.0, 0.05 * 2 ** min(attempt, 6)) * random.uniform(0.5, 1.0)


class RedisClient:
    """A pool for commands, and one connection of its own for the blocking reader."""

    def __init__(self, url: str, instance_id: str) -> None:
        # The callers repeat what failed themselves; RESP 2 is what every Redis since 6.2 speaks alike. The
        # deadlines stand in `_call`: a socket_timeout would take redis-py through asyncio.wait_for, which may
        # swallow a cancellation on Python 3.11.
        options: dict[str, Any] = {
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": None,
            "socket_connect_timeout": COMMAND_S,
        }
        try:
            pool = BlockingConnectionPool.from_url(
                url, max_connections=CONNECTIONS, timeout=COMMAND_S, **options
            )
            self._reader = Redis.from_url(url, single_connection_client=True, **options)
        except ValueError as error:
            raise ConfigError(f"redis_url is not an address of a Redis: {error}.") from error
        self._redis = Redis.from_pool(pool)
        self._publish = self._redis.register_script(PUBLISH)
        self._keep = self._redis.register_script(KEEP)
        self._count = self._redis.register_script(COUNT)
        self._wake = WAKE.format(instance_id=instance_id)
        self._wake_id = START.id
        self._pages = asyncio.Semaphore(PAGES)

    async def close(self) -> None:
        await self._reader.aclose()
        await self._redis.aclose()

    async def check(self) -> None:
        """Return when Redis answers; Unavailable when it does not."""
        await self._call(self._redis.ping())

    async def memory(self) -> int:
        """The bytes that Redis uses for all that it holds; Unavailable when it does not answer."""
        info = await self._call(self._redis.info("memory"))
        return int(info["used_memory"])

    async def streams(self) -> dict[str, int]:
        """The operations of which there is a stream or a counter, and the bytes that these take."""
        found: dict[str, int] = {}
        for pattern in (STREAM, COUNTER):
            start = pattern.format(operation_id="")
            cursor = 0
            while True:
                page: tuple[int, list[Any]] = await self._call(self._redis.scan(cursor, f"{start}*", SCANNED))
                cursor, keys = page
                for key in keys:
                    name = key.decode().removeprefix(start)
                    size = await self._call(self._redis.memory_usage(key))
                    found[name] = found.get(name, 0) + int(size or 0)
                if not cursor:
                    break
        return found

    async def publish(self, operation_id: str, arguments: Sequence[str | bytes | int]) -> tuple[str, int]:
        """Run the script; the message's id ("" when it was refused) and seq."""
        message_id, seq = await self._call(self._publish(keys=_keys(operation_id), args=arguments))
        return message_id.decode(), int(seq)

    async def history(self, operation_id: str, low: str, high: str, count: int) -> list[Message]:
        """At most `count` frames between the ids, oldest first; "(" before `low` leaves it out itself."""
        key = STREAM.format(operation_id=operation_id)
        entries: Any = await self._call(self._redis.xrange(key, low, high, count))
        return _messages(operation_id, entries)

    async def page(self, operation_id: str, after: str, count: int) -> list[Message]:
        """At most `count` frames after the id, in turn with all others who ask."""
        async with self._pages:
            frames = await self.history(operation_id, f"({after}", "+", count)
            await asyncio.sleep(0)  # what was parsed is handed over before the next page is
            return frames

    async def last(self, operation_ids: Sequence[str]) -> list[StreamPosition]:
        """The end of each stream; START where there is none."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for operation_id in operation_ids:
                pipe.xrevrange(STREAM.format(operation_id=operation_id), count=1)
            found = await self._call(pipe.execute())
        frames = [_messages(name, entries) for name, entries in zip(operation_ids, found, strict=True)]
        return [one[0].mark if one else START for one in frames]

    async def read(self, after: dict[str, str], count: int) -> dict[str, list[Message]]:
        """Wait for messages after the given ids (operation id to stream id): at most `count` of each.

        Comes back empty after BLOCK_S, or when `wake` was called.
        """
        names = {STREAM.format(operation_id=name).encode(): name for name in after}
        streams: dict[Any, Any] = {self._wake: self._wake_id}
        streams |= {key: after[name] for key, name in names.items()}
        command = self._reader.xread(streams, count=count, block=int(BLOCK_S * 1000))
        found: Any = await self._call(command, BLOCK_S)
        frames = {}
        for key, entries in found or ():
            if key in names:
                frames[names[key]] = _messages(names[key], entries)
            else:
                self._wake_id = entries[-1][0].decode()
        return frames

    async def wake(self) -> None:
        """Let the blocking `read` of this instance come back."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.xadd(self._wake, {"new": "1"}, maxlen=1, approximate=False)
            pipe.expire(self._wake, WAKE_S)
            await self._call(pipe.execute())

    def rewind_wake(self) -> None:
        """A Redis that lost its data may number the wake-ups from below."""
        self._wake_id = START.id

    async def forget(self, operation_id: str) -> None:
        await self._call(self._redis.unlink(*_keys(operation_id)))

    async def keep_seats(self, told: Mapping[str, object]) -> list[tuple[int, int]] | None:
        """Run the script with the process's own part of its argument; None when it must tell everything."""
        said = {"alive": ALIVE, "shown": WATCHERS, "kept_s": SEATS_S, "changed": CHANGED}
        said |= {"changed_most": CHANGED_MOST, "changed_s": CHANGED_S}
        answers = await self._call(self._keep(args=[json.dumps({**said, **told})]))
        return None if answers is None else [(place, total) for place, total in answers]

    async def count_watchers(self, operation_ids: Sequence[str]) -> list[tuple[int, int]]:
        """How many sockets watch each operation, and of how many users."""
        keys = [WATCHERS + operation_id for operation_id in operation_ids]
        found = await self._call(self._count(keys=keys, args=[ALIVE]))
        return [(sockets, users) for sockets, users in found]

    async def changed_watchers(self, after: str) -> tuple[str, set[str]]:
        """The operations whose watchers changed after the stream id, and the id to go on from; never waits."""
        found: Any = await self._call(self._redis.xread({CHANGED: after}, count=CHANGED_MOST))
        entries: Sequence[Entry] = found[0][1] if found else ()
        last = entries[-1][0].decode() if entries else after
        return last, {fields[b"key"].decode().removeprefix(WATCHERS) for _, fields in entries}

    async def _call(self, command: Awaitable[T], block_s: float = 0.0) -> T:
        try:
            async with asyncio.timeout(COMMAND_S + block_s):
                return await command
        except (RedisError, OSError) as error:
            reason = str(error) or f"no answer within {COMMAND_S + block_s:g} s"
            if _FULL in reason:
                raise DiskFull("Redis") from error
            raise Unavailable(f"Redis is away: {reason.rstrip('.')}.") from error


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
