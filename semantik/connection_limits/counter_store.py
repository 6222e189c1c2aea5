"""The counters in Redis: their keys, and the commands that change and read them. Runs on the loop."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from semantik.connection_limits.scripts import COUNT, UPDATE
from semantik.progress import RedisClient

SOCKETS = "seats-sockets:{user_id}"
SCANS = "seats-scans:{user_id}"
WATCHERS = "seats-operation:"  # and the operation's id
ALIVE = "seats-alive:"  # and the process
CHANGED = "seats-changed"  # a stream of the operations whose watchers have changed

COUNTER_TTL_S = 3600  # since the last change of a counter; processes write what still holds again before
CHANGED_TTL_S = 60
CHANGED_MAX_LENGTH = 1000
START_ID = "0-0"

_CONSTANTS = {
    "alive_prefix": ALIVE,
    "watchers_prefix": WATCHERS,
    "counter_ttl_s": COUNTER_TTL_S,
    "changed_key": CHANGED,
    "changed_max_length": CHANGED_MAX_LENGTH,
    "changed_ttl_s": CHANGED_TTL_S,
}


class CounterStore:
    """Every method raises Unavailable when Redis is away."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._update = redis.script(UPDATE)
        self._count = redis.script(COUNT)

    async def update(self, changes: Mapping[str, object]) -> list[tuple[int, int]] | None:
        """Run the script with the process's own part of its argument; None when it must send everything."""
        argument = json.dumps({**_CONSTANTS, **changes})
        answers = await self._redis.execute(self._update(args=[argument]))
        return None if answers is None else [(number, total) for number, total in answers]

    async def count_watchers(self, operation_ids: Sequence[str]) -> list[tuple[int, int]]:
        """How many sockets watch each operation, and of how many users."""
        keys = [WATCHERS + operation_id for operation_id in operation_ids]
        found = await self._redis.execute(self._count(keys=keys, args=[ALIVE]))
        return [(sockets, users) for sockets, users in found]

    async def changed_watchers(self, after: str) -> tuple[str, set[str]]:
        """The operations whose watchers changed after the stream id, and the id to continue after; never waits."""
        command = self._redis.commands.xread({CHANGED: after}, count=CHANGED_MAX_LENGTH)
        found: Any = await self._redis.execute(command)
        entries: Sequence[tuple[bytes, dict[bytes, bytes]]] = found[0][1] if found else ()
        last = entries[-1][0].decode() if entries else after
        return last, {fields[b"key"].decode().removeprefix(WATCHERS) for _, fields in entries}
