"""`/ws/operations`: all operations that somebody may see, live, those too that begin later. Runs on the loop.

client -> server   (connect)    ?since=<operation id>:<id>,…  each operation goes on after the message named;
                                those that are not named come whole, if they are under way or ended lately
                                ?since=$ for what comes from now on; without: what is under way, each from its beginning
server -> client   (messages)   of each operation as in operation_feed.py; `operation_id` tells which
server -> client   (close)      never 1000; the rest as in socket.py
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from handlers.sockets.base import SocketHandler
from handlers.sockets.operation_stream import OperationStream
from semantik.auth.sessions import Principal
from semantik.core.errors import Invalid, NotFound
from semantik.core.models import Operation, User, now
from semantik.progress import position_of

log = logging.getLogger("semantik.socket")

# Clients name operations for this long after their end, so one that ended later and is not named was not seen.
_NAMED = timedelta(seconds=60)
_MOST_NAMED = 1000


class OperationsSocketHandler(SocketHandler):
    operation_type = "all"

    async def serve(self, principal: Principal) -> None:
        since = self.get_query_argument("since", None)
        named = _named(since) if since not in (None, "$") else {}
        async with self.services.progress.seats.socket(principal.user.id):
            with self.services.metrics.connection(self.operation_type):
                if named:
                    self.services.metrics.resumed()
                try:
                    await self._show_all(principal.user, named, only_new=since == "$")
                except ExceptionGroup as group:
                    raise group.exceptions[0] from group

    async def _show_all(self, user: User, named: Mapping[str, str], only_new: bool) -> None:
        begin = _newest(named) - _NAMED if named else now()
        shown = 0
        async with asyncio.TaskGroup() as feeds:

            def begun(operation: Operation) -> None:
                nonlocal shown
                shown += 1
                cursor = "$" if only_new and operation.created_at < begin else named.get(operation.id)
                feeds.create_task(self._show(user, operation, cursor))

            with self.services.active_operations.subscribe(user.id, begin, begun) as looked:
                await looked.wait()
                if not shown:
                    self.greet()  # else the first snapshot does
                await asyncio.Event().wait()  # until the socket is closed

    async def _show(self, user: User, operation: Operation, since: str | None) -> None:
        try:
            async with self.services.progress.seats.watching(user.id, operation.id):
                await OperationStream(self.services, self, user, operation, since).show()
        except NotFound as error:
            log.debug("Shown no longer: %s", error)  # its collection was deleted
            self.greet()


def _named(since: str) -> dict[str, str]:
    """The cursors by operation; raises Invalid."""
    pairs = [pair.partition(":")[::2] for pair in since.split(",")]
    if len(pairs) > _MOST_NAMED or not all(name and cursor for name, cursor in pairs):
        raise Invalid(
            "since must be $, or name each operation with the id of its last message, as OPERATION:ID,OPERATION:ID "
            f"(at most {_MOST_NAMED})."
        )
    named = dict(pairs)
    for cursor in named.values():
        position_of(cursor)
    return named


def _newest(named: Mapping[str, str]) -> datetime:
    milliseconds = max(position_of(cursor)[0] for cursor in named.values())
    return datetime.fromtimestamp(min(milliseconds / 1000, now().timestamp()), UTC)
