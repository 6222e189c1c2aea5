"""Addresses of Redis: a single server, or one that Sentinel chooses among several. Runs on the loop.

`redis+sentinel://user:password@one:26379,two:26379/NAME/0?sentinel_password=…` names the Sentinels, what they call
the primary, and the database; user and password are those of Redis. `rediss+sentinel://` is TLS to all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

from semantik.core.errors import ConfigError

SENTINEL_PORT = 26379
# Sentinels are asked one after the other, and all within the deadline of a command.
_SENTINEL_CONNECT_S = 0.5
_WITH_SENTINEL = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?:(?P<user>[^@/]*)@)?(?P<rest>.*)\Z", re.DOTALL
)
_REST = re.compile(r"(?P<hosts>[^/?]+)/(?P<name>[^/?]+)(?:/(?P<db>\d+))?/?(?:\?(?P<query>.*))?\Z", re.DOTALL)
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::(?P<port>\d{1,5}))?\Z")
_OF_SENTINEL = "sentinel_"


@dataclass(frozen=True)
class Clients:
    """`commands` has a pool of connections, `blocking` one of its own; `sentinel` finds the primary for both."""

    commands: Redis
    blocking: Redis
    sentinel: Sentinel | None = None

    async def close(self) -> None:
        await self.blocking.aclose()
        await self.commands.aclose()
        if self.sentinel is not None:
            await self.sentinel.aclose()


def open_clients(url: str, connections: int, wait_s: float, options: dict[str, Any]) -> Clients:
    """`connections` is how many the pool has at most, `wait_s` how long one waits for a free one; `options` are those
    of every connection. Nothing is connected yet. Raises ConfigError."""
    found = _WITH_SENTINEL.match(url)
    try:
        if found is not None:
            return _by_sentinel(found, connections, wait_s, options)
        pool = BlockingConnectionPool.from_url(url, max_connections=connections, timeout=wait_s, **options)
        blocking = Redis.from_url(url, single_connection_client=True, **options)
    except ValueError as error:
        raise ConfigError(f"redis_url is not an address of a Redis: {str(error).rstrip('.')}.") from error
    return Clients(Redis.from_pool(pool), blocking)


def _by_sentinel(found: re.Match[str], connections: int, wait_s: float, options: dict[str, Any]) -> Clients:
    rest = _REST.match(found["rest"])
    if rest is None:
        raise ValueError(
            "with Sentinel it is redis+sentinel://HOST:PORT,HOST:PORT/NAME, and NAME is the primary's"
        )
    user = f"{found['user']}@" if found["user"] else ""
    parsed = parse_url(f"{found['scheme']}://{user}sentinel/{rest['db'] or 0}?{rest['query'] or ''}")
    given: dict[str, Any] = {name: value for name, value in parsed.items() if name != "host"}
    encrypted = given.pop("connection_class", None) is SSLConnection
    own = {name: given.pop(name) for name in list(given) if name.startswith(_OF_SENTINEL)}
    tls = {name: value for name, value in given.items() if name.startswith("ssl_")}
    of_sentinels = {**options, **tls, "ssl": encrypted, "socket_connect_timeout": _SENTINEL_CONNECT_S}
    of_sentinels |= {name.removeprefix(_OF_SENTINEL): value for name, value in own.items()}
    hosts = [_address(each) for each in rest["hosts"].split(",")]
    sentinel = Sentinel(hosts, sentinel_kwargs=of_sentinels)  # type: ignore[no-untyped-call]
    kind = SentinelManagedSSLConnection if encrypted else SentinelManagedConnection
    given |= options
    single = SentinelConnectionPool(  # type: ignore[no-untyped-call]
        unquote(rest["name"]), sentinel, connection_class=kind, **given
    )
    pool = BlockingConnectionPool(connections, wait_s, kind, connection_pool=single, **given)
    # Not a `single_connection_client`: that connects to the former primary again and again.
    return Clients(Redis.from_pool(pool), Redis.from_pool(single), sentinel)


def _address(text: str) -> tuple[str, int]:
    found = _HOST.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not the host and port of a Sentinel")
    return found["host"].strip("[]"), int(found["port"] or SENTINEL_PORT)
