"""What handlers of Server-Sent Events share: the headers, writing to a client that may not read, the last event."""

from __future__ import annotations

import asyncio
import json

from tornado.iostream import StreamClosedError

from handlers.base import RestHandler
from handlers.sockets.close_reason import SHUTDOWN, CloseReason
from handlers.sockets.send_queue import STALL_S, SlowReader

HEARTBEAT_S = 15.0
HEARTBEAT = b": still here\n\n"


class EventStreamHandler(RestHandler):
    """`_started`: whether anything was written; before that, an error is answered as for any other request."""

    token_in_query = True
    _started = False
    _close_reason: CloseReason | None = None

    def shut_down(self) -> None:
        """Send the last event since the server stops, before the connection is cut."""
        if self._started and self._close_reason is None:
            self._close_reason = SHUTDOWN
            self.write(close_event(SHUTDOWN))
            self.flush()

    async def _write(self, data: bytes) -> None:
        """Write events. Raises StreamClosedError when the client disconnects, or does not read."""
        if not self._started:
            self._started = True
            self.set_header("Content-Type", "text/event-stream; charset=utf-8")
            self.set_header("X-Accel-Buffering", "no")  # a proxy must not buffer the events
        self.write(data)
        try:
            async with asyncio.timeout(STALL_S):
                await self.flush()
        except TimeoutError as error:
            self._close_reason = CloseReason.from_error(SlowReader())
            self.detach().close()  # a client that does not read would keep it open, and its data in memory
            raise StreamClosedError from error


def close_event(reason: CloseReason, last_id: str | None = None) -> bytes:
    """The last event. With the id of the last message, so that a browser that reconnects gets 204."""
    data = json.dumps({"code": reason.code, "reason": reason.reason}, ensure_ascii=False)
    return (f"id: {last_id}\n" if last_id else "").encode() + f"event: close\ndata: {data}\n\n".encode()
