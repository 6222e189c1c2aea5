"""The connections to Redis, their deadlines, and the errors of both.

With redis_address.py the only module that imports redis. Every failure leaves it as Unavailable. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Iterator
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError, ResponseError

from semantik.core.errors import ConfigError, DiskFull, Unavailable
from semantik.progress.redis_address import open_clients

COMMAND_S = 2.0
CONNECTIONS = 16
_FULL = "No space left on device"  # Redis refuses writes while it cannot append to its file

T = TypeVar("T")


def backoff_delays() -> Iterator[float]:
    """Seconds to wait before each new try: doubling from 0.05 to 2, with jitter, without end."""
    for attempt in itertools.count():
        yield min(2.0, 0.05 * 2 ** min(attempt, 6)) * random.uniform(0.5, 1.0)


class RedisClient:
    """`commands` uses a pool of connections, `blocking` one connection of its own for commands that block.

    `execute` awaits the commands of either.
    """

    commands: Redis
    blocking: Redis

    def __init__(self, url: str) -> None:
        # The callers retry what failed themselves; RESP 2 is what every Redis since 6.2 speaks alike. `execute` sets
        # the deadlines: a socket_timeout would take redis-py through asyncio.wait_for, which may swallow a
        # cancellation on Python 3.11.
        options: dict[str, Any] = {
            "protocol": 2,
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": None,
            "socket_connect_timeout": COMMAND_S,
        }
        self._clients = open_clients(url, CONNECTIONS, COMMAND_S, options)
        self.commands, self.blocking = self._clients.commands, self._clients.blocking

    async def close(self) -> None:
        await self._clients.close()

    def script(self, source: str) -> AsyncScript:
        """A Lua script to call: `await redis.execute(script(keys=…, args=…))`."""
        return self.commands.register_script(source)

    async def check(self) -> None:
        """Return when Redis answers; Unavailable when it does not."""
        await self.execute(self.commands.ping())

    async def refuse_cluster(self) -> None:
        """Raises ConfigError for a Redis Cluster, Unavailable when Redis does not answer.

        A Cluster spreads the keys over servers, and the scripts and the reader use several keys in one command.
        """
        if (await self.execute(self._cluster_info())).get("cluster_enabled"):
            raise ConfigError(
                "redis_url names a Redis Cluster, which Semantik cannot use: take a single Redis, or several with "
                "Sentinel (redis+sentinel://…). It holds little; one server is enough for all of it."
            )

    async def _cluster_info(self) -> dict[str, Any]:
        try:
            return await self.commands.info("cluster")
        except ResponseError:  # an account that may not ask, or a server that has no such section
            return {}

    async def memory_bytes(self) -> int:
        """The bytes that Redis uses for all its data; Unavailable when it does not answer."""
        info = await self.execute(self.commands.info("memory"))
        return int(info["used_memory"])

    async def execute(self, command: Awaitable[T], block_s: float = 0.0) -> T:
        """Await a command that may block for `block_s`. Raises Unavailable, DiskFull when Redis cannot write."""
        try:
            async with asyncio.timeout(COMMAND_S + block_s):
                return await command
        except (RedisError, OSError) as error:
            reason = str(error) or f"no answer within {COMMAND_S + block_s:g} s"
            if _FULL in reason:
                raise DiskFull("Redis") from error
            raise Unavailable(f"Redis is away: {reason.rstrip('.')}.") from error
