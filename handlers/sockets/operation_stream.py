"""One operation for one client, over any transport: the snapshot, the history, then live messages. Runs on the loop.

server -> client   history_truncated              in place of messages that are no longer kept; a current_state follows
server -> client   current_state                  the snapshot, with its position in the stream as last_id
server -> client   (every message of the stream)  operation_queued … status_update, each with id and seq
server -> client   presence                       how many watch the operation, whenever that changes
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, Protocol

from handlers.serializers import state_json
from handlers.services import Services
from semantik.auth.principal import Principal
from semantik.connection_limits import WatcherCount
from semantik.core.errors import Unavailable
from semantik.core.models import TERMINAL, Operation
from semantik.progress import Message, MessageBatch, Subscriber, Subscription, parse_stream_id

_POLL_S = 0.1


class MessageSink(Subscriber, Protocol):
    """Where messages go: a socket, or an event stream. `send` is for those that are in no stream."""

    def send(self, type: str, data: dict[str, Any], **subject: str) -> None: ...


class OperationStream:
    """`since` is a stream id, "$", or None for everything from the beginning."""

    __slots__ = (
        "_collection_id",
        "_ended",
        "_last",
        "_operation_id",
        "_principal",
        "_services",
        "_since",
        "_sink",
        "_type",
    )

    def __init__(
        self,
        services: Services,
        sink: MessageSink,
        principal: Principal,
        operation: Operation,
        since: str | None,
    ) -> None:
        self._services = services
        self._sink = sink
        self._principal = principal
        self._operation_id, self._type = operation.id, operation.type
        self._collection_id = operation.collection_id
        self._since = since
        self._ended = False  # the last message was passed on: nothing may follow it
        self._last: tuple[int, int] | None = (
            None  # the last message's stream id, once the operation has ended
        )

    @asynccontextmanager
    async def reserved(self) -> AsyncIterator[None]:
        """Count a connection for this operation alone; raises Busy when a limit is reached."""
        async with self._services.connection_limiter.socket(self._principal.user.id, self._operation_id):
            with self._services.metrics.connection(self._type):
                if self._since not in (None, "$"):
                    self._services.metrics.connection_resumed()
                yield

    async def run(self) -> None:
        """Return when the operation has ended and its last message is written.

        Raises Unavailable, Invalid for `since`, what the sink's `wait_writable` raises, and NotFound when the
        operation is deleted meanwhile, or the principal may no longer see it.
        """
        with self._services.access_monitor.watch(self._principal, self._collection_id):
            await self._run()

    async def _run(self) -> None:
        async with self._services.progress.subscribe(self._operation_id, self, self._since) as subscription:
            if subscription.truncated:
                self._send("history_truncated", {"since": self._since})
            operation = await self._send_snapshot(subscription)
            if operation.ended:
                self._last = await self._last_message(operation)
                if self._since == "$" or parse_stream_id(self._since or "0-0") >= self._last:
                    return
            with self._watcher_counts():
                while await subscription.follow():
                    self._send("history_truncated", {"since": subscription.last_id})
                    operation = await self._send_snapshot(subscription)
                    if operation.ended and operation.announced:
                        self._ended = True  # the last message itself was lost
                        break
                if not self._ended:
                    raise Unavailable("The server is shutting down; connect again.")
                await self._sink.wait_writable()

    def deliver(self, batch: MessageBatch) -> bool:
        """As a Subscriber: pass the messages on, up to the last one."""
        last = batch.messages[-1]
        self._ended = _is_last(last) or (self._last is not None and last.position.order >= self._last)
        return self._sink.deliver(batch) and not self._ended

    async def wait_writable(self) -> None:
        await self._sink.wait_writable()

    def _watcher_counts(self) -> AbstractContextManager[None]:
        """Send how many watch the operation."""

        def send(_: str, count: WatcherCount) -> None:
            if self._ended:  # while the last messages are written
                return
            self._send("presence", {"watchers": count.sockets, "users": count.users})

        return self._services.connection_limiter.subscribe(self._operation_id, send)

    async def _send_snapshot(self, subscription: Subscription) -> Operation:
        """Send `current_state`; returns the operation that it describes."""
        view = await self._services.views.operation(self._principal, self._operation_id)
        self._send("current_state", {**state_json(view), "last_id": subscription.last_id})
        return view.operation

    async def _last_message(self, operation: Operation) -> tuple[int, int]:
        """The stream id of the last message of an operation that has ended, once it is published.

        It is published after the end was saved: a client that connects in between may have it already, and would wait
        for it for ever.
        """
        while not operation.announced:
            await asyncio.sleep(_POLL_S)
            operation = await self._services.authorizer.operation(self._principal, self._operation_id)
        return parse_stream_id(await self._services.progress.last_id(self._operation_id))

    def _send(self, type: str, data: dict[str, Any]) -> None:
        self._sink.send(type, data, operation_id=self._operation_id)


def _is_last(message: Message) -> bool:
    return message.type == "status_update" and message.data["status"] in TERMINAL
