"""`GET /api/v2/operations/{operation_id}/events`: one operation as Server-Sent Events. Runs on the loop.

client -> server   Last-Event-ID: <id>, or ?since=<id>, or ?since=$
server -> client   id: <stream id>, data: <the JSON of a message>  the messages of sockets/operation_stream.py
server -> client   : still here                                    every few seconds of silence
server -> client   event: close, data: {"code": …, "reason": …}    the last event, with a WebSocket's close code;
                                                                   its id, after 1000, is that of the last message
An EventSource that reconnects once everything was sent gets 204, and does not reconnect again.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from tornado.iostream import StreamClosedError

from handlers.event_stream import HEARTBEAT, HEARTBEAT_S, EventStreamHandler, close_event
from handlers.sockets.close_reason import COMPLETED, LEFT, CloseReason
from handlers.sockets.operation_stream import OperationStream
from handlers.sockets.send_queue import SlowReader
from semantik.core.errors import Unauthorized, Unavailable
from semantik.core.models import Operation
from semantik.progress import Message, MessageBatch, envelope, parse_stream_id


class EventsHandler(EventStreamHandler):
    """Like `/ws/operations/{operation_id}`. One task streams, another writes; between is a bounded queue."""

    def initialize(self) -> None:
        self._queued: list[bytes] = []
        self._messages = self._bytes = 0
        self._wake = asyncio.Event()
        self._written = asyncio.Event()
        self._stream_task: asyncio.Task[None] | None = None
        self._operation_type = "unknown"  # the label of the metrics

    async def prepare(self) -> None:
        try:
            await super().prepare()
        except Unauthorized as error:
            self.services.metrics.authentication_failed()
            self.services.metrics.connection_ended(self._operation_type, CloseReason.from_error(error).status)
            raise

    async def get(self, operation_id: str) -> None:
        try:
            await self._serve(operation_id)
        except StreamClosedError:
            return
        except Exception as error:
            self._close_reason = CloseReason.from_error(error)
            raise
        finally:
            self.services.metrics.connection_ended(self._operation_type, (self._close_reason or LEFT).status)

    def send(self, type: str, data: dict[str, Any], **subject: str) -> None:
        """As a MessageSink: a message that is in no stream."""
        self._push(b"data: " + envelope(type, data, **subject) + b"\n\n", 1)

    def deliver(self, batch: MessageBatch) -> bool:
        """As a MessageSink: messages of a stream."""
        return self._push(batch.encoded("events", _event), len(batch.messages))

    async def wait_writable(self) -> None:
        """As a MessageSink: wait until everything is written."""
        while self._queued:
            self._written.clear()
            await self._written.wait()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._end(LEFT)

    async def _serve(self, operation_id: str) -> None:
        operation = await self.services.authorizer.operation(self.principal, operation_id)
        self._operation_type = operation.type
        since = self.request.headers.get("Last-Event-ID") or self.get_query_argument("since", None)
        if await self._has_everything(operation, since):
            self._close_reason = COMPLETED
            self.set_status(HTTPStatus.NO_CONTENT)
            return
        self._stream_task = asyncio.create_task(self._stream(operation, since))
        self._stream_task.add_done_callback(lambda _: self._wake.set())
        self.application.settings["streams"].add(self)
        try:
            await self._write_all()
            await self._close(self._stream_task, operation)
        finally:
            self._stream_task.cancel()
            await asyncio.gather(self._stream_task, return_exceptions=True)
            self.application.settings["streams"].discard(self)

    async def _stream(self, operation: Operation, since: str | None) -> None:
        stream = OperationStream(self.services, self, self.principal, operation, since)
        async with stream.reserved():
            with self.services.session_monitor.watch(self.principal, self._on_unauthorized):
                await stream.run()

    async def _has_everything(self, operation: Operation, since: str | None) -> bool:
        """Whether a client reconnects that has every message: an EventSource does so after any end."""
        if not (operation.ended and operation.announced and since and since != "$"):
            return False
        return parse_stream_id(since) == parse_stream_id(await self.services.progress.last_id(operation.id))

    async def _write_all(self) -> None:
        """Write what is pushed until the stream task has ended; StreamClosedError when the client disconnects."""
        assert self._stream_task is not None
        while self._queued or not self._stream_task.done():
            if not self._queued:
                self._wake.clear()
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        await self._wake.wait()
                except TimeoutError:
                    await self._write(HEARTBEAT)
                continue
            data = b"".join(self._queued)
            self._queued.clear()
            self._messages = self._bytes = 0
            await self._write(data)
            self._written.set()

    def _push(self, data: bytes, messages: int) -> bool:
        limits = self.services.settings.sockets
        if self._queued:  # a page of the history alone may be over the bound though its reader is not slow
            self._messages += messages
            self._bytes += len(data)
        self._queued.append(data)
        self._wake.set()
        sent = self.application.settings["sent"]
        sent.messages += messages
        sent.bytes += len(data)
        if self._messages > limits.send_queue_messages or self._bytes > limits.send_queue_bytes:
            self._queued.clear()
            self._end(CloseReason.from_error(SlowReader()))
            return False
        return True

    def _on_unauthorized(self, reason: str) -> None:
        self._end(CloseReason.from_error(Unauthorized(reason)))

    def _end(self, reason: CloseReason) -> None:
        self._close_reason = self._close_reason or reason
        if self._stream_task is not None:
            self._stream_task.cancel()

    async def _close(self, stream_task: asyncio.Task[None], operation: Operation) -> None:
        """Send the last event; an error before the first message is answered as for any other request."""
        error = None if stream_task.cancelled() else stream_task.exception()
        if error is not None and not self._started:
            raise error
        last_id = None
        if self._close_reason is None:
            self._close_reason = COMPLETED if error is None else CloseReason.from_error(error)
            if error is None:
                with suppress(Unavailable):  # a client that reconnects then gets everything again
                    last_id = await self.services.progress.last_id(operation.id)
        await self._write(close_event(self._close_reason, last_id))


def _event(message: Message) -> bytes:
    return b"id: " + message.id.encode() + b"\ndata: " + message.json + b"\n\n"
