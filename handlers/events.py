"""`GET /api/v2/operations/{operation_id}/events`: one operation as Server-Sent Events. Runs on the loop.

client -> server   Last-Event-ID: <id>, or ?since=<id>, or ?since=$
server -> client   id: <cursor>, data: <the JSON of a message>     the messages of operation_feed.py
server -> client   : still here                                    every few seconds of silence
server -> client   event: close, data: {"code": …, "reason": …}    the last thing sent, with a WebSocket's close code;
                                                                   its id, after 1000, is that of the last message
An EventSource that connects again once everything was sent gets 204, and stays away.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from tornado.iostream import StreamClosedError

from handlers.base import RestHandler
from handlers.sockets.close_reason import LEFT, CloseReason, going_away, reason_for
from handlers.sockets.operation_stream import OperationStream
from handlers.sockets.send_queue import STALL_S, SlowReader
from semantik.core.errors import Unauthorized, Unavailable
from semantik.core.models import Operation
from semantik.progress import Message, MessageBatch, envelope, position_of

_BEAT_S = 15.0


class EventsHandler(RestHandler):
    """The HTTP twin of `/ws/operations/{operation_id}`. One task feeds, another writes; between them is a bound."""

    token_in_query = True

    def initialize(self) -> None:
        self._waiting: list[bytes] = []
        self._messages = self._bytes = 0
        self._news = asyncio.Event()
        self._written = asyncio.Event()
        self._begun = False
        self._ending: CloseReason | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._operation_type = "unknown"  # as the metrics count it

    async def prepare(self) -> None:
        try:
            await super().prepare()
        except Unauthorized as error:
            self.services.metrics.not_authenticated()
            self.services.metrics.ended(self._operation_type, reason_for(error).status)
            raise

    async def get(self, operation_id: str) -> None:
        try:
            await self._serve(operation_id)
        except StreamClosedError:
            return
        except Exception as error:
            self._ending = reason_for(error)
            raise
        finally:
            self.services.metrics.ended(self._operation_type, (self._ending or LEFT).status)

    def send(self, type: str, data: dict[str, Any], **subject: str) -> None:
        """As a Door: a message that is in no stream."""
        self._push(b"data: " + envelope(type, data, **subject) + b"\n\n", 1)

    def deliver(self, batch: MessageBatch) -> bool:
        """As a Door: messages of a stream."""
        return self._push(batch.form("events", _event), len(batch.messages))

    async def wait_writable(self) -> None:
        """As a Door: wait until everything is written."""
        while self._waiting:
            self._written.clear()
            await self._written.wait()

    def leave(self) -> None:
        """The server stops: say so before the connection is cut."""
        if self._begun and self._ending is None:
            self._ending = going_away()
            self.write(_closing(self._ending))
            self.flush()

    def on_connection_close(self) -> None:
        self._stop(LEFT)

    async def _serve(self, operation_id: str) -> None:
        operation = await self.services.authorizer.operation(self.principal.user, operation_id)
        self._operation_type = operation.type
        since = self.request.headers.get("Last-Event-ID") or self.get_query_argument("since", None)
        if await self._all_seen(operation, since):
            self._ending = reason_for(None)
            self.set_status(HTTPStatus.NO_CONTENT)
            return
        self.application.settings["sockets"].add(self)
        self._feeding = asyncio.create_task(self._feed(operation, since))
        self._feeding.add_done_callback(lambda _: self._news.set())
        try:
            await self._write_all()
            await self._close(self._feeding, operation)
        finally:
            self._feeding.cancel()
            await asyncio.gather(self._feeding, return_exceptions=True)
            self.application.settings["sockets"].discard(self)

    async def _feed(self, operation: Operation, since: str | None) -> None:
        feed = OperationStream(self.services, self, self.principal.user, operation, since)
        async with feed.seated():
            with self.services.session_monitor.watch(self.principal, self._expel):
                await feed.show()

    async def _all_seen(self, operation: Operation, since: str | None) -> bool:
        """Whether somebody comes back who has everything: an EventSource does, after any end."""
        if not (operation.ended and operation.announced and since and since != "$"):
            return False
        return position_of(since) == position_of(await self.services.progress.last_id(operation.id))

    async def _write_all(self) -> None:
        """Write what is pushed until the feeding has ended; raises StreamClosedError when the client has gone."""
        assert self._feeding is not None
        while self._waiting or not self._feeding.done():
            if not self._waiting:
                self._news.clear()
                try:
                    async with asyncio.timeout(_BEAT_S):
                        await self._news.wait()
                except TimeoutError:
                    await self._write(b": still here\n\n")
                continue
            chunk = b"".join(self._waiting)
            self._waiting.clear()
            self._messages = self._bytes = 0
            await self._write(chunk)
            self._written.set()

    async def _write(self, chunk: bytes) -> None:
        if not self._begun:
            self._begun = True
            self.set_header("Content-Type", "text/event-stream; charset=utf-8")
            self.set_header("X-Accel-Buffering", "no")  # a proxy must not collect them
        self.write(chunk)
        try:
            async with asyncio.timeout(STALL_S):
                await self.flush()
        except TimeoutError as error:
            self._ending = reason_for(SlowReader())
            self.detach().close()  # who does not read would keep it open, and what waits for him in memory
            raise StreamClosedError from error

    def _push(self, data: bytes, messages: int) -> bool:
        rules = self.services.settings.sockets
        if self._waiting:  # a page of the history alone may be over the bound, and its reader not slow at all
            self._messages += messages
            self._bytes += len(data)
        self._waiting.append(data)
        self._news.set()
        tally = self.application.settings["tally"]
        tally.messages += messages
        tally.bytes += len(data)
        if self._messages > rules.inbox_frames or self._bytes > rules.inbox_bytes:
            self._waiting.clear()
            self._stop(reason_for(SlowReader()))
            return False
        return True

    def _expel(self, reason: str) -> None:
        self._stop(reason_for(Unauthorized(reason)))

    def _stop(self, ending: CloseReason) -> None:
        self._ending = self._ending or ending
        if self._feeding is not None:
            self._feeding.cancel()

    async def _close(self, feeding: asyncio.Task[None], operation: Operation) -> None:
        """Say why it ends; before the first message, as any other request would be refused."""
        error = None if feeding.cancelled() else feeding.exception()
        if error is not None and not self._begun:
            raise error
        last = None
        if self._ending is None:
            self._ending = reason_for(error)
            if error is None:
                with suppress(Unavailable):  # who comes back then is told everything again
                    last = await self.services.progress.last_id(operation.id)
        await self._write(_closing(self._ending, last))


def _event(frame: Message) -> bytes:
    return b"id: " + frame.id.encode() + b"\ndata: " + frame.json + b"\n\n"


def _closing(ending: CloseReason, last: str | None = None) -> bytes:
    """The last event. With the id of the last message, so that a browser that comes back gets 204."""
    told = json.dumps({"code": ending.code, "reason": ending.reason}, ensure_ascii=False)
    return (f"id: {last}\n" if last else "").encode() + f"event: close\ndata: {told}\n\n".encode()
