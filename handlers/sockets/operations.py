"""`/ws/operations`: all operations that the user may see, live, including those that start later. Runs on the loop.

client -> server   (connect)    ?since=<operation id>:<id>,…  each operation continues after the message named;
                                those that are not named are sent from the beginning, if active or ended recently
                                ?since=$ for new messages only; without: active operations, each from the beginning
server -> client   (messages)   of each operation as in operation_stream.py; `operation_id` tells which
server -> client   (close)      never 1000; the rest as in base.py
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from handlers.sockets.base import SocketHandler
from handlers.sockets.operation_stream import OperationStream
from semantik.auth.principal import Principal
from semantik.core.cancellation import not_lost
from semantik.core.errors import Invalid, NotFound
from semantik.core.models import Operation, now
from semantik.progress import parse_stream_id

log = logging.getLogger("semantik.socket")

# Clients name operations for this long after their end, so one that ended later and is not named was not seen.
_NAMED = timedelta(seconds=60)
_MAX_NAMED = 1000


class OperationsSocketHandler(SocketHandler):
    operation_type = "all"

    async def serve(self, principal: Principal) -> None:
        since = self.get_query_argument("since", None)
        cursors = _parse_cursors(since) if since not in (None, "$") else {}
        async with self.services.connection_limiter.socket(principal.user.id):
            with self.services.metrics.connection(self.operation_type):
                if cursors:
                    self.services.metrics.connection_resumed()
                try:
                    await self._stream_all(principal, cursors, only_new=since == "$")
                except ExceptionGroup as group:
                    raise group.exceptions[0] from group

    async def _stream_all(self, principal: Principal, cursors: Mapping[str, str], only_new: bool) -> None:
        begin = _newest(cursors) - _NAMED if cursors else now()
        # Tasks are started here, not where operations are reported: the group may be ending there already.
        reported: asyncio.Queue[Operation] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            with self.services.active_operations.subscribe(principal, begin, reported.put_nowait) as polled:
                await polled.wait()
                if reported.empty():
                    self.mark_ready()  # else the first snapshot does
                while True:  # until the socket is closed
                    operation = await reported.get()
                    since = "$" if only_new and operation.created_at < begin else cursors.get(operation.id)
                    tasks.create_task(not_lost(self._stream, principal, operation, since))

    async def _stream(self, principal: Principal, operation: Operation, since: str | None) -> None:
        try:
            async with self.services.connection_limiter.watcher(principal.user.id, operation.id):
                await OperationStream(self.services, self, principal, operation, since).run()
        except NotFound as error:
            log.debug("Streamed no longer: %s", error)  # its collection was deleted
            self.mark_ready()


def _parse_cursors(since: str) -> dict[str, str]:
    """The stream ids by operation id; raises Invalid."""
    pairs = [pair.partition(":")[::2] for pair in since.split(",")]
    if len(pairs) > _MAX_NAMED or not all(name and cursor for name, cursor in pairs):
        raise Invalid(
            "since must be $, or name each operation with the id of its last message, as OPERATION:ID,OPERATION:ID "
            f"(at most {_MAX_NAMED})."
        )
    cursors = dict(pairs)
    for cursor in cursors.values():
        parse_stream_id(cursor)
    return cursors


def _newest(cursors: Mapping[str, str]) -> datetime:
    milliseconds = max(parse_stream_id(cursor)[0] for cursor in cursors.values())
    return datetime.fromtimestamp(min(milliseconds / 1000, now().timestamp()), UTC)
