"""Follows operations over a WebSocket and reconnects after a loss: each message once and in order.

Knows the protocol, but no address and no token: the client supplies the request. Runs on an asyncio loop.
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

from semantik.client.retries import Refused as Refused
from semantik.core.errors import Unavailable

JsonMessage = dict[str, Any]

_NORMAL, _INVALID_DATA, _POLICY, _TOO_BIG = 1000, 1007, 1008, 1009
_FINAL = (_INVALID_DATA, _POLICY, _TOO_BIG)  # a new connection would end the same way
_QUIET_S = 15.0  # the protocol promises a message every five seconds while an operation runs
_STABLE_S = 10.0  # a connection that lasted this long counts as progress
_PAUSE_S = (0.25, 10.0)  # the first pause and the longest
_RESUME_MS, _MAX_RESUMED = 60_000, 1000  # the same limits as in handlers/sockets/operations.py
_TERMINAL = ("operation_completed", "operation_failed", "operation_cancelled")


class SeenMessages:
    """What was received, so that no message is yielded twice and the next connection resumes.

    `since`: where to start, as in the protocol. `many`: messages of all operations instead of one.
    """

    def __init__(self, since: str | None = None, many: bool = False) -> None:
        self._start = since
        self._many = many
        self._last: dict[str, tuple[int, str]] = {}  # the seq and the id of each operation's last message
        self._with_state: set[str] = set()  # operations whose current_state was yielded
        self._ended: set[str] = set()

    @property
    def since(self) -> str | None:
        if not self._last:
            return self._start
        pairs = [f"{operation_id}:{cursor}" for operation_id, (_, cursor) in self._last.items()]
        return ",".join(pairs[-_MAX_RESUMED:]) if self._many else pairs[0].partition(":")[2]

    def is_new(self, message: JsonMessage) -> bool:
        """Record a message; returns whether to yield it."""
        kind, operation_id = message["type"], message.get("operation_id", "")
        if "seq" in message:
            if message["seq"] <= self._last.get(operation_id, (0, ""))[0]:
                return False
            self._last[operation_id] = message["seq"], message["id"]
            if kind in _TERMINAL:
                self._ended.add(operation_id)
                self._drop_old()
        elif kind == "history_truncated":
            self._with_state.discard(operation_id)
        elif kind == "current_state":
            if operation_id in self._with_state:
                return False
            self._with_state.add(operation_id)
            if self._start == "$":  # later messages follow this state
                self._last.setdefault(operation_id, (0, message["data"]["last_id"]))
        return bool(kind != "pong")

    def _drop_old(self) -> None:
        """Forget operations that ended so long ago that the server does not expect them in `since`."""
        oldest = max(_milliseconds(cursor) for _, cursor in self._last.values()) - _RESUME_MS
        for operation_id in list(self._ended):
            if _milliseconds(self._last[operation_id][1]) < oldest:
                del self._last[operation_id]
                self._ended.discard(operation_id)
                self._with_state.discard(operation_id)


async def follow(
    target: Callable[[], Awaitable[HTTPRequest]], seen: SeenMessages, patience_s: float
) -> AsyncGenerator[JsonMessage, None]:
    """Yield messages until the server closes with 1000; `target` makes the request for each connection.

    Raises Refused when the server refuses, and Unavailable when no connection succeeds for `patience_s`.
    """
    losses, lost_at = 0, 0.0
    while True:
        try:
            async with _connected(await target()) as socket:
                stable_at = time.monotonic() + _STABLE_S
                while (message := await _next(socket)) is not None:
                    is_new = seen.is_new(message)
                    if time.monotonic() > stable_at or (is_new and "seq" in message):
                        losses = 0
                    if is_new:
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
                    f"The connection was lost, and could not be restored within {patience_s:g} s: {error}"
                ) from error
            await asyncio.sleep(pause)


@asynccontextmanager
async def _connected(request: HTTPRequest) -> AsyncIterator[WebSocketClientConnection]:
    socket = await websocket_connect(request)
    try:
        yield socket
    finally:
        socket.close()


async def _next(socket: WebSocketClientConnection) -> JsonMessage | None:
    """The next message, or None after the end; raises Refused, and Unavailable when a new connection may help."""
    reading = asyncio.ensure_future(socket.read_message())
    try:
        await asyncio.wait([reading], timeout=_QUIET_S)
        if not reading.done():
            await socket.write_message('{"type": "ping"}')
            await asyncio.wait([reading], timeout=_QUIET_S)
        if not reading.done():
            raise Unavailable("The server does not respond.")
    finally:
        reading.cancel()
    text = reading.result()
    if text is not None:
        message: JsonMessage = json.loads(text)
        return message
    code, reason = socket.close_code, socket.close_reason
    if code == _NORMAL:
        return None
    if code in _FINAL:
        raise Refused(code, reason or "The server closed the connection without a reason.")
    raise Unavailable(reason or "The server closed the connection without a reason.")


def _milliseconds(cursor: str) -> int:
    return int(cursor.partition("-")[0])
