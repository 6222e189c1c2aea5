"""`GET /api/v2/alerts/events`: what the user's saved searches find, live, as Server-Sent Events. Runs on the loop.

client -> server   Last-Event-ID: <number>, or ?since=<number>; without: new alerts only
server -> client   id: <number>, data: {"type": "alerts_state", …}      first, unless `since` was given
server -> client   id: <number>, data: {"type": "search_matched", …}    each alert once, in the order of their numbers
server -> client   : still here                                         every few seconds of silence
server -> client   event: close, data: {"code": …, "reason": …}         the last event
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from tornado.iostream import StreamClosedError

from handlers.event_stream import HEARTBEAT, HEARTBEAT_S, EventStreamHandler, close_event
from handlers.sockets.alerts import parse_number
from handlers.sockets.close_reason import LEFT, SHUTDOWN, CloseReason
from semantik.core.errors import Unauthorized
from semantik.progress import envelope
from semantik.services.notifications import VisibleAlert
from semantik.services.notifications.content import alert_data


class AlertEventsHandler(EventStreamHandler):
    """One task writes; what it writes is read from the store as fast as the client takes it."""

    _writing: asyncio.Task[None] | None = None

    async def get(self) -> None:
        given = self.request.headers.get("Last-Event-ID") or self.get_query_argument("since", None)
        since = None if given is None else parse_number(given)
        user_id = self.principal.user.id
        async with self.services.connection_limiter.socket(user_id):
            with (
                self.services.metrics.connection("alerts"),
                self.services.session_monitor.watch(self.principal, self._on_unauthorized),
            ):
                self._writing = asyncio.create_task(self._write_all(since))
                self.application.settings["streams"].add(self)
                try:
                    await asyncio.wait({self._writing})
                    await self._end(self._writing)
                finally:
                    self.application.settings["streams"].discard(self)
                    self._writing.cancel()
                    reason = self._close_reason or LEFT
                    self.services.metrics.connection_ended("alerts", reason.status)

    def shut_down(self) -> None:
        super().shut_down()
        if self._writing is not None:
            self._writing.cancel()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._writing is not None:
            self._writing.cancel()

    def _on_unauthorized(self, reason: str) -> None:
        self._close_reason = self._close_reason or CloseReason.from_error(Unauthorized(reason))
        if self._writing is not None:
            self._writing.cancel()

    async def _write_all(self, since: int | None) -> None:
        if since is None:
            since = await self.services.alerts.last_number(self.principal)
            await self._write(_event(since, envelope("alerts_state", {"last_number": since})))
        else:
            await self._write(b": from here\n\n")
        async with aclosing(self.services.alerts.follow(self.principal, since)) as followed:
            while True:
                for each in await self._next(followed):
                    data = alert_data(each.alert, each.collection.name)
                    await self._write(_event(each.alert.number, envelope("search_matched", data)))

    async def _next(
        self, followed: AsyncGenerator[tuple[int, list[VisibleAlert]], None]
    ) -> list[VisibleAlert]:
        getting: asyncio.Future[tuple[int, list[VisibleAlert]]] = asyncio.ensure_future(anext(followed))
        try:
            while True:
                await asyncio.wait({getting}, timeout=HEARTBEAT_S)
                if getting.done():
                    return getting.result()[1]
                await self._write(HEARTBEAT)
        finally:
            getting.cancel()
            await asyncio.gather(getting, return_exceptions=True)

    async def _end(self, writing: asyncio.Task[None]) -> None:
        """Send the last event; an error before the first one is answered as for any other request."""
        error = None if writing.cancelled() else writing.exception()
        if isinstance(error, StreamClosedError):
            return
        if error is not None and not self._started:
            raise error
        if error is not None:
            self._close_reason = CloseReason.from_error(error)
        if self._close_reason not in (None, SHUTDOWN):
            await self._write(close_event(self._close_reason))


def _event(number: int, data: bytes) -> bytes:
    return b"id: %d\ndata: %s\n\n" % (number, data)
