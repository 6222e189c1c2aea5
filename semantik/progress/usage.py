"""What Redis uses, for whoever looks after it without being a server. Runs on the loop."""

from __future__ import annotations

from semantik.progress.link import Link


async def redis_memory(url: str) -> int:
    """The bytes that the Redis at `url` uses. Unavailable when it does not answer within two seconds, ConfigError when
    `url` is none."""
    link = Link(url, instance_id="")
    try:
        return await link.memory()
    finally:
        await link.close()
