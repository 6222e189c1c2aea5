"""What Redis holds, for checks and commands outside the server. Runs on the loop.

Each raises Unavailable when Redis does not answer within two seconds, and ConfigError when `url` is not an address.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from semantik.progress.redis_client import RedisClient
from semantik.progress.stream_store import StreamStore


async def redis_memory(url: str) -> int:
    """The bytes that the Redis at `url` uses."""
    async with _connected(url) as redis:
        return await redis.memory_bytes()


async def stream_sizes(url: str) -> dict[str, int]:
    """The operations that have messages in Redis, and how many bytes these use."""
    async with _connected(url) as redis:
        return await StreamStore(redis, instance_id="").sizes()


async def delete_streams(url: str, operation_ids: Sequence[str]) -> None:
    """Delete all messages of the operations."""
    async with _connected(url) as redis:
        store = StreamStore(redis, instance_id="")
        for operation_id in operation_ids:
            await store.delete(operation_id)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[RedisClient]:
    redis = RedisClient(url)
    try:
        yield redis
    finally:
        await redis.close()
