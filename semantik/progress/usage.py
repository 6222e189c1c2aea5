"""What Redis holds, for whoever looks after it without being a server. Runs on the loop.

Each raises Unavailable when Redis does not answer within two seconds, and ConfigError when `url` is no address.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from semantik.progress.redis_client import RedisClient


async def redis_memory(url: str) -> int:
    """The bytes that the Redis at `url` uses."""
    async with _linked(url) as link:
        return await link.memory()


async def streams(url: str) -> dict[str, int]:
    """The operations of which Redis has messages, and how many bytes these take."""
    async with _linked(url) as link:
        return await link.streams()


async def forget_streams(url: str, operation_ids: Sequence[str]) -> None:
    """Delete all messages of operations."""
    async with _linked(url) as link:
        for operation_id in operation_ids:
            await link.forget(operation_id)


@asynccontextmanager
async def _linked(url: str) -> AsyncIterator[RedisClient]:
    link = RedisClient(url, instance_id="")
    try:
        yield link
    finally:
        await link.close()
