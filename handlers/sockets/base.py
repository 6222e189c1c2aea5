"""What every WebSocket door shares: getting in, being answered, and being closed with a code and a reason.

client -> server   (connect)   ?token=… | Authorization | subprotocols semantik.v1[.msgpack], bearer.<token> | cookie
client -> server   ping | {"type": "ping"}
server -> client   pong
client -> server   (anything that the door does not know)
server -> client   error       names what was wrong; the socket stays open
server -> client   (close)     1000 ended · 1001 shutting down · 1007 not text · 1008 refused, or not welcome any more
                               1009 message too long · 1011 a fault of ours · 1013 a limit, too slow, a store is away
"""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from collections import deque
from typing import Any

from tornado.httputil import HTTPHeaders
from tornado.web import Application
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from handlers.base import BaseHandlerMixin, authenticate, origin_allowed
from handlers.sockets.client_message import ClientMessage, parse
from handlers.sockets.close_reason import FAULT, LEFT, NOT_TEXT, TOO_LONG, CloseReason, going_away, reason_for
from handlers.sockets.encoding import Deflate, Encoding, negotiate
from handlers.sockets.send_queue import SendQueue, SlowReader
from semantik.auth.sessions import Principal
from semantik.core import errors
from semantik.progress import MessageBatch

log = logging.getLogger("semantik.socket")

PLAIN, PACKED, _TOKEN = "semantik.v1", "semantik.v1.msgpack", "bearer."
_MAX_REASON = 120  # bytes that fit into a close frame
_MESSAGE_SLACK = 1 << 20  # longer messages than allowed are read this far, so that the refusal can be told
_TEXT, _BINARY = 0x1, 0x2


class _Protocol(WebSocketProtocol13):
    """Tornado's, but for what a client sends that is no UTF-8 or cannot be unpacked: that would drop the connection
    without a code. And Tornado loses those parameters of an extension that have no value."""

    is_text = True
    deflate: Deflate | None = None
    _has_context = False

    def _parse_extensions_header(self, headers: HTTPHeaders) -> list[tuple[str, Any]]:
        return [] if self.deflate is None else [("permessage-deflate", self.deflate.parameters)]

    def _create_compressors(self, side: str, agreed_parameters: dict[str, Any], *options: Any) -> None:
        super()._create_compressors(side, {**agreed_parameters, "client_no_context_takeover": None}, *options)

    def _handle_message(self, opcode: int, data: bytes) -> asyncio.Future[None] | None:
        self.is_text = opcode != _BINARY
        if self._frame_compressed and self.deflate is not None and not self._has_context:
            # Most clients send nothing compressed: so the context of those that do is made here.
            super()._create_compressors("server", self.deflate.parameters, {})
            self._has_context = True
        try:
            return super()._handle_message(_BINARY if opcode == _TEXT else opcode, data)
        except zlib.error:
            assert isinstance(self.handler, SocketHandler)
            self.handler.end(CloseReason(NOT_TEXT, "A compressed message cannot be unpacked.", "refused"))
            return None


class SocketHandler(BaseHandlerMixin, WebSocketHandler):
    """Accepts first and closes with a code then: a refused upgrade would show a browser only 1006.

    A door overrides `serve` and `subject`, and `said` when its clients may say more than ping.
    """

    operation_type = "unknown"  # as the metrics count it
    _outbox: SendQueue
    _serving: asyncio.Task[None]
    _ending: CloseReason | None = None
    _greeting: asyncio.Future[None] | None = None  # until the first message
    _said_at: deque[float] | None = None

    @property
    def subject(self) -> dict[str, str]:
        """What this door's messages are about, as their envelope has it."""
        return {}

    async def serve(self, principal: Principal) -> None:
        """Serve somebody who was let in. When it returns the socket is closed with 1000."""
        raise NotImplementedError

    async def said(self, spoken: ClientMessage) -> None:
        """Handle a message other than ping; raises Invalid for one that this door does not know."""
        raise errors.Invalid("type: a known message type: ping.")

    def send(self, type: str, data: dict[str, Any], **subject: str) -> None:
        """Send a message that is in no stream."""
        self.push(self._form.note(type, data, **(subject or self.subject)), 1)

    def deliver(self, batch: MessageBatch) -> bool:
        """Send messages of a stream; False when nothing can be sent any more."""
        return self.push(batch.form(self._form, self._form.stored), len(batch.messages))

    def greet(self) -> None:
        """From now on the client is answered: what it says before its first message waits."""
        if self._greeting is not None:
            self._greeting.set_result(None)
            self._greeting = None

    def push(self, data: bytes, messages: int) -> bool:
        """Send bytes that hold so many messages; False when nothing can be sent any more."""
        self.greet()
        if self._ending is not None:
            return False
        taken = self._outbox.push(data, messages)
        if self._outbox.slow:
            self.end(reason_for(SlowReader()))
        return taken

    async def wait_writable(self) -> None:
        """Wait until what was pushed is on its way; raises SlowReader when that takes too long."""
        await self._outbox.room()

    def end(self, ending: CloseReason) -> None:
        """Let the serving end and the socket be closed for this reason; the first reason counts."""
        self._ending = self._ending or ending
        self._serving.cancel()

    def leave(self) -> None:
        """The server stops: say so before the connection is cut."""
        self._ending = going_away()
        self._shut(self._ending)
        self._serving.cancel()  # nothing may follow the close

    # What follows is called by Tornado.

    @property
    def ping_interval(self) -> float | None:
        return self.services.settings.sockets.ping_s

    @property
    def max_message_size(self) -> int:
        return self.services.settings.sockets.message_bytes + _MESSAGE_SLACK

    def prepare(self) -> None:
        headers = self.request.headers
        # To Tornado every page is one of ours: `_admit` looks at the origin, so that a refusal has a code and a reason.
        headers["Sec-Fetch-Site"] = "none"
        self._deflate = negotiate(headers.get("Sec-WebSocket-Extensions", ""))
        offered = [name.strip() for name in headers.get("Sec-WebSocket-Protocol", "").split(",")]
        self._form = Encoding(PACKED in offered, self._deflate and self._deflate.window)
        self._bearer = next((name.removeprefix(_TOKEN) for name in offered if name.startswith(_TOKEN)), "")
        self._greeting = asyncio.get_running_loop().create_future()

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return next((name for name in (PACKED, PLAIN) if name in subprotocols), None)

    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if self._deflate is not None else None

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        made = super().get_websocket_protocol()
        if not isinstance(made, WebSocketProtocol13):
            return made
        protocol = _Protocol(self, False, made.params)
        protocol.deflate = self._deflate
        return protocol

    async def open(self, *args: str, **kwargs: str) -> None:
        self.application.settings["sockets"].add(self)
        stream = self._protocol.stream
        self.set_nodelay(True)  # a message must not wait for the acknowledgement of the one before
        self._outbox = SendQueue(stream, self.services.settings.sockets, self.application.settings["tally"])
        self._serving = asyncio.create_task(self._serve())
        await asyncio.sleep(0)  # a task that is cancelled before it has begun would never close the socket

    async def on_message(self, message: str | bytes) -> None:
        if self._greeting is not None:
            # What was said before the first message is answered after it.
            await asyncio.shield(self._greeting)
        begun = time.monotonic()
        assert isinstance(message, bytes)
        if self._ending is not None or not self._bearable(message, begun):
            return
        kind = "invalid"
        try:
            spoken = parse(message, self._protocol.is_text)
            if spoken.is_ping:
                self.send("pong", {})
            else:
                await self.said(spoken)
            kind = spoken.kind
        except errors.Invalid as error:
            self.send("error", {"message": str(error), "fatal": False})
        self.services.metrics.message(kind, time.monotonic() - begun)

    def on_close(self) -> None:
        self.application.settings["sockets"].discard(self)
        self._ending = self._ending or LEFT
        self.greet()
        self._serving.cancel()

    # What follows is our own.

    @property
    def _protocol(self) -> _Protocol:
        assert isinstance(self.ws_connection, _Protocol)
        return self.ws_connection

    async def _serve(self) -> None:
        """Serve to the end, and close with the code that says why."""
        ending = reason_for(None)
        try:
            principal = await self._admit()
            self.request.headers.clear()  # read, and in a thousand sockets they are megabytes
            with self.services.session_monitor.watch(principal, self._expel):
                await self.serve(principal)
        except asyncio.CancelledError:
            ending = self._ending or LEFT
        except Exception as error:
            ending = reason_for(error)
            if isinstance(error, errors.Unauthorized):
                self.services.metrics.not_authenticated()
            if ending.code == FAULT:
                log.error("%s failed", self.request.path, exc_info=error)
        self._ending = ending  # what the client says from here on is not heard any more
        self.greet()
        self.services.metrics.ended(self.operation_type, ending.status)
        self._shut(ending)

    async def _admit(self) -> Principal:
        token = self.get_query_argument("token", "") or self._bearer
        from_a_file = token and self.request.headers.get("Origin") == "null"
        if not (from_a_file or origin_allowed(self.request, self.services.settings)):
            raise errors.Forbidden("This page's origin is not among the server's allowed_origins.")
        return await authenticate(self.request, self.services, "read", token)

    def _expel(self, reason: str) -> None:
        self.end(reason_for(errors.Unauthorized(reason)))

    def _bearable(self, message: bytes, moment: float) -> bool:
        """Whether a message may be looked at; if not, the socket ends."""
        rules = self.services.settings.sockets
        if self._said_at is None:
            self._said_at = deque(maxlen=rules.messages_per_s)
        flooding = len(self._said_at) == self._said_at.maxlen and moment - self._said_at[0] < 1.0
        self._said_at.append(moment)
        if flooding:
            self._expel(f"More than {self._said_at.maxlen} messages came within a second.")
        elif len(message) > rules.message_bytes:
            self.end(
                CloseReason(TOO_LONG, f"A message may have {rules.message_bytes} bytes at most.", "refused")
            )
        elif not (self._protocol.is_text or self._form.binary):
            self.end(CloseReason(NOT_TEXT, "Send text, not binary data.", "refused"))
        elif self._protocol.is_text and not _is_utf8(message):
            self.end(CloseReason(NOT_TEXT, "A text must be UTF-8.", "refused"))
        return self._ending is None

    def _shut(self, ending: CloseReason) -> None:
        self.close(ending.code, ending.reason.encode()[:_MAX_REASON].decode(errors="ignore"))


def close_sockets(app: Application) -> None:
    """Close every open socket and event stream, since the server stops."""
    for each in list(app.settings["sockets"]):
        each.leave()


def _is_utf8(message: bytes) -> bool:
    try:
        message.decode()
    except UnicodeDecodeError:
        return False
    return True
