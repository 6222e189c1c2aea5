"""Following over a WebSocket that may be lost: each message once and in order, over as many connections as it takes.

Knows the protocol, but no address and no token: the client gives what to connect to. Runs on an asyncio loop.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

from semantik.core.errors import SemantikError, Unavailable

Message = dict[str, Any]

_NORMAL, _UNREADABLE, _REFUSED, _TOO_LONG = 1000, 1007, 1008, 1009
_FINAL = (_UNREADABLE, _REFUSED, _TOO_LONG)  # it would end the same way again
_QUIET_S = 15.0  # the protocol promises a message every five seconds while an operation runs
_STEADY_S = 10.0  # a connection that lived this long counts as progress
_PAUSE_S = (0.25, 10.0)  # the first pause and the longest
_NAMED_MS, _MOST_NAMED = 60_000, 1000  # as handlers/sockets/operations.py expects it
_ENDS = ("operation_completed", "operation_failed", "operation_cancelled")


class Refused(SemantikError):
    """The server said no: `status` is HTTP's or the socket's close code, the message is its own sentence."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class SeenMessages:
    """What was received, so that nothing is handed on twice and the next connection joins on.

    `since`: where to begin, as the protocol has it. `many`: of all operations, not of one alone.
    """

    def __init__(self, since: str | None = None, many: bool = False) -> None:
        self._begin = since
        self._many = many
        self._last: dict[str, tuple[int, str]] = {}  # the seq and the id of each operation's last message
        self._shown: set[str] = set()  # operations whose current_state needs no repeating
        self._ended: set[str] = set()

    @property
    def since(self) -> str | None:
        if not self._last:
            return self._begin
        pairs = [f"{operation_id}:{cursor}" for operation_id, (_, cursor) in self._last.items()]
        return ",".join(pairs[-_MOST_NAMED:]) if self._many else pairs[0].partition(":")[2]

    def is_news(self, message: Message) -> bool:
        """Remember a message; whether it is one to hand on."""
        kind, operation_id = message["type"], message.get("operation_id", "")
        if "seq" in message:
            if message["seq"] <= self._last.get(operation_id, (0, ""))[0]:
                return False
            self._last[operation_id] = message["seq"], message["id"]
            if kind in _ENDS:
                self._ended.add(operation_id)
                self._forget()
        elif kind == "history_truncated":
            self._shown.discard(operation_id)
        elif kind == "current_state":
            if operation_id in self._shown:
                return False
            self._shown.add(operation_id)
            if self._begin == "$":  # what comes later comes after what this stands for
                self._last.setdefault(operation_id, (0, message["data"]["last_id"]))
        return bool(kind != "pong")

    def _forget(self) -> None:
        """Operations that ended so long ago that the server does not expect them to be named."""
        late = max(_milliseconds(cursor) for _, cursor in self._last.values()) - _NAMED_MS
        for operation_id in list(self._ended):
            if _milliseconds(self._last[operation_id][1]) < late:
                del self._last[operation_id]
                self._ended.discard(operation_id)
                self._shown.discard(operation_id)


async def follow(
    target: Callable[[], Awaitable[HTTPRequest]], seen: SeenMessages, patience_s: float
) -> AsyncGenerator[Message, None]:
    """What `target` gives, a request made anew for each connection, until the server closes with 1000.

    Raises Refused when it says no, and Unavailable when nothing could be had of it for `patience_s`.
    """
    losses, lost_at = 0, 0.0
    while True:
        try:
            async with _connected(await target()) as socket:
                steady_at = time.monotonic() + _STEADY_S
                while (message := await _next(socket)) is not None:
                    is_news = seen.is_news(message)
                    if time.monotonic() > steady_at or (is_news and "seq" in message):
                        losses = 0
                    if is_news:
                        yield message
            return
        except (Unavailable, OSError, HTTPClientError, WebSocketError) as error:
            now = time.monotonic()
            if losses == 0:
                lost_at = now
            pause = min(_PAUSE_S[1], _PAUSE_S[0] * 2.0**losses) * random.uniform(0.5, 1.0)
            losses += 1
            if now + pause - lost_at > patience_s:
                raise Unavailable(
                    f"The connection was lost, and could not be made again within {patience_s:g} s: {error}"
                ) from error
            await asyncio.sleep(pause)


@asynccontextmanager
async def _connected(request: HTTPRequest) -> AsyncIterator[WebSocketClientConnection]:
    socket = await websocket_connect(request)
    try:
        yield socket
    finally:
        socket.close()


async def _next(socket: WebSocketClientConnection) -> Message | None:
    """The next message, or None after the end; raises Refused, and Unavailable for what may pass."""
    reading = asyncio.ensure_future(socket.read_message())
    try:
        await asyncio.wait([reading], timeout=_QUIET_S)
        if not reading.done():
            await socket.write_message('{"type": "ping"}')
            await asyncio.wait([reading], timeout=_QUIET_S)
        if not reading.done():
            raise Unavailable("The server fell silent.")
    finally:
        reading.cancel()
    text = reading.result()
    if text is not None:
        message: Message = json.loads(text)
        return message
    code, reason = socket.close_code, socket.close_reason
    if code == _NORMAL:
        return None
    if code in _FINAL:
        raise Refused(code, reason or "The server closed the connection without a reason.")
    raise Unavailable(reason or "The server closed the connection without a word.")


def _milliseconds(cursor: str) -> int:
    return int(cursor.partition("-")[0])
