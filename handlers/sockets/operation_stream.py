"""What a door shows of one operation, whatever carries it: the snapshot, the history, then everything as it comes.

server -> client   history_truncated            in place of what is no longer kept; a current_state follows
server -> client   current_state                the snapshot, with the cursor it stands for as last_id
server -> client   (every frame of the stream)  operation_queued … status_update, each with id and seq
server -> client   presence                     how many watch the operation, whenever that changes
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, Protocol

from handlers.base import Services
from handlers.serializers import state_json
from semantik.connection_limits.watcher_counts import WatcherCount
from semantik.core.models import TERMINAL, Operation, User
from semantik.progress import Message, MessageBatch, Subscriber, Subscription, position_of

_TOLD_S = 0.1


class MessageSink(Subscriber, Protocol):
    """Where messages go; `send` is for those that are in no stream."""

    def send(self, type: str, data: dict[str, Any], **subject: str) -> None: ...


class OperationStream:
    """One operation shown at one door. `since`: a cursor, "$", or None for everything from the beginning."""

    __slots__ = (
        "_door",
        "_last",
        "_operation_id",
        "_services",
        "_since",
        "_type",
        "_user",
    )

    def __init__(
        self, services: Services, door: MessageSink, user: User, operation: Operation, since: str | None
    ) -> None:
        self._services = services
        self._door = door
        self._user = user
        self._operation_id, self._type = operation.id, operation.type
        self._since = since
        self._last: tuple[int, int] | None = None  # the last message's place, once the operation has ended

    @asynccontextmanager
    async def seated(self) -> AsyncIterator[None]:
        """Take a seat for a connection that shows this operation alone; raises Busy when there is none."""
        async with self._services.progress.seats.socket(self._user.id, self._operation_id):
            with self._services.metrics.connection(self._type):
                if self._since not in (None, "$"):
                    self._services.metrics.resumed()
                yield

    async def show(self) -> None:
        """Return when the operation has ended and its last message is on its way.

        Raises Unavailable, Invalid for `since`, what the door's `room` raises, and NotFound when the operation is
        deleted meanwhile.
        """
        async with self._services.progress.subscribe(self._operation_id, self, self._since) as watch:
            if watch.truncated:
                self._send("history_truncated", {"since": self._since})
            operation = await self._snapshot(watch)
            if operation.ended:
                self._last = await self._end(operation)
                if self._since == "$" or position_of(self._since or "0-0") >= self._last:
                    return
            with self._presence():
                while await watch.follow():
                    self._send("history_truncated", {"since": watch.last_id})
                    operation = await self._snapshot(watch)
                    if operation.ended and operation.announced:
                        break  # the end itself is among what was lost
                await self._door.wait_writable()

    def deliver(self, batch: MessageBatch) -> bool:
        """As a Taker: hand it on, up to the last message."""
        last = batch.messages[-1]
        over = _ends(last) or (self._last is not None and last.mark.order >= self._last)
        return self._door.deliver(batch) and not over

    async def wait_writable(self) -> None:
        await self._door.wait_writable()

    def _presence(self) -> AbstractContextManager[None]:
        """Tell how many watch."""

        def tell(_: str, presence: WatcherCount) -> None:
            self._send("presence", {"watchers": presence.sockets, "users": presence.users})

        return self._services.progress.seats.subscribe(self._operation_id, tell)

    async def _snapshot(self, watch: Subscription) -> Operation:
        """Send `current_state`; the operation as it says."""
        view = await self._services.views.operation(self._user, self._operation_id)
        self._send("current_state", {**state_json(view), "last_id": watch.last_id})
        return view.operation

    async def _end(self, operation: Operation) -> tuple[int, int]:
        """Where the last message of an operation that has ended stands, once it is told.

        It is told after the end was kept: who comes in between may have it already, and would wait for it for ever.
        """
        while not operation.announced:
            await asyncio.sleep(_TOLD_S)
            operation = await self._services.authorizer.operation(self._user, self._operation_id)
        return position_of(await self._services.progress.last_id(self._operation_id))

    def _send(self, type: str, data: dict[str, Any]) -> None:
        self._door.send(type, data, operation_id=self._operation_id)


def _ends(frame: Message) -> bool:
    return frame.type == "status_update" and frame.data["status"] in TERMINAL
