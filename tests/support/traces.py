"""What connections leave in a server: tasks, connections, sockets that are counted, and keys in Redis."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil
import redis
from support.patience import deadline
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient

_LOOK_S = 0.1
# Each server has one of these, whoever is connected.
_ONCE = (b"seats-alive:", b"seats-changed", b"operation-progress-wake:")


@dataclass(frozen=True)
class Traces:
    tasks: int
    connections: int
    sockets: int
    keys: frozenset[bytes]

    def no_more_than(self, other: Traces) -> bool:
        counts = self.tasks <= other.tasks and self.connections <= other.connections
        return counts and self.sockets <= other.sockets and self.keys <= other.keys


async def metric(serving: Serving, name: str) -> int:
    """The sum over all labels."""
    text = (await AsyncHTTPClient().fetch(f"{serving.url}/metrics")).body.decode()
    return round(sum(map(float, re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))))


async def traces(serving: Serving) -> Traces:
    with redis.Redis.from_url(serving.stores.redis_url, protocol=2) as admin:
        keys = frozenset(key for key in admin.scan_iter(count=1000) if not key.startswith(_ONCE))
    port = urlsplit(serving.url).port
    ours = psutil.Process(serving.process.pid).net_connections("tcp")
    connections = sum(each.laddr.port == port and bool(each.raddr) for each in ours)
    tasks, sockets = [
        await metric(serving, name) for name in ("asyncio_tasks", "websocket_active_connections")
    ]
    return Traces(tasks, connections, sockets, keys)


async def settled(serving: Serving, wanted: Callable[[Traces], bool]) -> Traces:
    """The first traces that are as wanted, since a connection's end takes its time."""
    seen = await traces(serving)
    try:
        async with deadline():
            while not wanted(seen):
                await asyncio.sleep(_LOOK_S)
                seen = await traces(serving)
    except TimeoutError:
        raise AssertionError(f"this stays: {seen}") from None
    return seen
