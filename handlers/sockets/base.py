"""The base of all WebSocket handlers: authentication, the client's messages, and closing with a code and a reason.

client -> server   (connect)   ?token=… | Authorization | subprotocols semantik.v1[.msgpack], bearer.<token> | cookie
client -> server   ping | {"type": "ping"}
server -> client   pong
client -> server   (any message that the handler does not know)
server -> client   error       names what was wrong; the socket stays open
server -> client   (close)     1000 ended · 1001 shutting down · 1007 not text · 1008 refused, or no longer authorized
                               1009 message too long · 1011 a fault of ours · 1013 a limit, too slow, a store is away

Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from http import HTTPStatus
from typing import Any

from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from handlers.audit_trail import READ, AuditNote, record_request
from handlers.authentication import authenticate, origin_allowed
from handlers.base import BaseHandlerMixin
from handlers.problems import status_of
from handlers.sockets.client_message import ClientMessage, parse
from handlers.sockets.close_reason import COMPLETED, FAULT, LEFT, NOT_TEXT, SHUTDOWN, CloseReason
from handlers.sockets.encoding import Encoding, negotiate
from handlers.sockets.message_limits import MessageLimits
from handlers.sockets.protocol import SocketProtocol
from handlers.sockets.send_queue import SendQueue, SlowReader
from semantik.auth.principal import Principal, Scope
from semantik.core import errors
from semantik.progress import MessageBatch

log = logging.getLogger("semantik.socket")

JSON_PROTOCOL, MSGPACK_PROTOCOL, _TOKEN_PREFIX = "semantik.v1", "semantik.v1.msgpack", "bearer."
_MAX_REASON = 120  # bytes that fit into a close frame
_MESSAGE_SLACK = 1 << 20  # longer messages than allowed are read this far, so that the client gets a code
_CORRUPT = CloseReason(NOT_TEXT, "A compressed message cannot be unpacked.", "refused")


class SocketHandler(BaseHandlerMixin, WebSocketHandler):
    """Accepts first and closes with a code then: a refused upgrade would show a browser only 1006.

    A subclass overrides `serve` and `subject`, and `on_client_message` when it knows more messages than ping.
    """

    operation_type = "unknown"  # the label of the metrics
    scope: Scope = "read"  # what an API key needs
    _send_queue: SendQueue
    _serve_task: asyncio.Task[None]
    _close_reason: CloseReason | None = None
    _ready: asyncio.Future[None] | None = None  # until the first message is sent

    @property
    def subject(self) -> dict[str, str]:
        """What this socket's messages are about, as their envelope has it."""
        return {}

    async def serve(self, principal: Principal) -> None:
        """Serve an authenticated client. When it returns, the socket is closed with 1000."""
        raise NotImplementedError

    async def on_client_message(self, message: ClientMessage) -> None:
        """Handle a message other than ping; raises Invalid for an unknown one."""
        raise errors.Invalid("type: a known message type: ping.")

    def send(self, type: str, data: dict[str, Any], **subject: str) -> None:
        """Send a message that is in no stream."""
        self.push(self._encoding.encode(type, data, **(subject or self.subject)), 1)

    def deliver(self, batch: MessageBatch) -> bool:
        """Send messages of a stream; False when nothing can be sent any more."""
        data = batch.encoded(self._encoding, self._encoding.encode_message)
        return self.push(data, len(batch.messages))

    def push(self, data: bytes, messages: int) -> bool:
        """Send bytes that hold so many messages; False when nothing can be sent any more."""
        self.mark_ready()
        if self._close_reason is not None:
            return False
        taken = self._send_queue.push(data, messages)
        if self._send_queue.slow:
            self.end(CloseReason.from_error(SlowReader()))
        return taken

    async def wait_writable(self) -> None:
        """Wait until what was pushed is written; raises SlowReader when that takes too long."""
        await self._send_queue.wait_writable()

    def mark_ready(self) -> None:
        """Handle the client's messages from now on: those that come before the first message is sent wait."""
        if self._ready is not None:
            self._ready.set_result(None)
            self._ready = None

    def end(self, reason: CloseReason) -> None:
        """Stop serving, and close the socket for this reason; the first reason counts."""
        self._close_reason = self._close_reason or reason
        self._serve_task.cancel()

    def shut_down(self) -> None:
        """Close the socket since the server stops: the client gets a code before the connection is cut."""
        self._close_reason = SHUTDOWN
        self._close(SHUTDOWN)
        self._serve_task.cancel()  # nothing may follow the close

    def record_audit(
        self, action: str, principal: Principal | None, error: Exception | None = None, **details: object
    ) -> None:
        """Record in the audit trail what the client did, or the error with which it was refused."""
        status = HTTPStatus.OK if error is None else status_of(error, HTTPStatus.INTERNAL_SERVER_ERROR)
        note = AuditNote(details=details)
        record_request(self.services.audit, self.request, action, principal, status, note)

    # What follows is called by Tornado.

    @property
    def ping_interval(self) -> float | None:
        return self.services.settings.sockets.ping_s

    @property
    def max_message_size(self) -> int:
        return self.services.settings.sockets.message_bytes + _MESSAGE_SLACK

    def prepare(self) -> None:
        # While the server stops, Tornado would say "Connection: close" in place of the upgrade.
        self.request.connection._disconnect_on_finish = False  # type: ignore[union-attr]
        headers = self.request.headers
        # Tornado must accept every origin: `_authenticate` checks it, so that a refusal has a code and a reason.
        headers["Sec-Fetch-Site"] = "none"
        self._deflate = negotiate(headers.get("Sec-WebSocket-Extensions", ""))
        offered = [name.strip() for name in headers.get("Sec-WebSocket-Protocol", "").split(",")]
        self._encoding = Encoding(MSGPACK_PROTOCOL in offered, self._deflate and self._deflate.window)
        tokens = (name.removeprefix(_TOKEN_PREFIX) for name in offered if name.startswith(_TOKEN_PREFIX))
        self._bearer = next(tokens, "")
        self._ready = asyncio.get_running_loop().create_future()

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return next((name for name in (MSGPACK_PROTOCOL, JSON_PROTOCOL) if name in subprotocols), None)

    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if self._deflate is not None else None

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        protocol = super().get_websocket_protocol()
        if not isinstance(protocol, WebSocketProtocol13):
            return protocol
        return SocketProtocol(self, protocol.params, self._deflate, lambda: self.end(_CORRUPT))

    async def open(self, *args: str, **kwargs: str) -> None:
        self.set_nodelay(True)  # a message must not wait for the acknowledgement of the one before
        self._send_queue = SendQueue(
            self._protocol.stream, self.services.settings.sockets, self.application.settings["sent"]
        )
        self._message_limits = MessageLimits()
        self._serve_task = asyncio.create_task(self._serve())
        self.application.settings["streams"].add(self)
        await asyncio.sleep(0)  # a task that is cancelled before it has started would never close the socket

    async def on_message(self, message: str | bytes) -> None:
        if self._ready is not None:
            await asyncio.shield(self._ready)
        started = time.monotonic()
        assert isinstance(message, bytes)
        if self._close_reason is not None or not self._allowed(message, started):
            return
        kind = "invalid"
        try:
            parsed = parse(message, self._protocol.is_text)
            if parsed.is_ping:
                self.send("pong", {})
            else:
                await self.on_client_message(parsed)
            kind = parsed.kind
        except errors.Invalid as error:
            self.send("error", {"message": str(error), "fatal": False})
        self.services.metrics.message_handled(kind, time.monotonic() - started)

    def on_close(self) -> None:
        self.application.settings["streams"].discard(self)
        self._close_reason = self._close_reason or LEFT
        self.mark_ready()
        self._serve_task.cancel()

    # What follows is private.

    @property
    def _protocol(self) -> SocketProtocol:
        assert isinstance(self.ws_connection, SocketProtocol)
        return self.ws_connection

    async def _serve(self) -> None:
        """Serve to the end, and close with the code that says why."""
        reason, principal = COMPLETED, None
        try:
            principal = await self._authenticate()
            self.request.headers.clear()  # no longer needed, and in a thousand sockets they are megabytes
            with self.services.session_monitor.watch(principal, self._on_unauthorized):
                await self.serve(principal)
        except asyncio.CancelledError:
            reason = self._close_reason or LEFT
        except Exception as error:
            reason = self._close_reason or CloseReason.from_error(error)
            self.record_audit(READ, principal, error)
            if isinstance(error, errors.Unauthorized):
                self.services.metrics.authentication_failed()
            if reason.code == FAULT:
                log.error("%s failed", self.request.path, exc_info=error)
        self._close_reason = reason  # the client's messages are ignored from here on
        self.mark_ready()
        self.services.metrics.connection_ended(self.operation_type, reason.status)
        self._close(reason)

    async def _authenticate(self) -> Principal:
        token = self.get_query_argument("token", "") or self._bearer
        from_a_file = token and self.request.headers.get("Origin") == "null"
        if not (from_a_file or origin_allowed(self.request, self.services.settings)):
            raise errors.Forbidden("This page's origin is not among the server's allowed_origins.")
        services = self.services
        principal = await authenticate(
            self.request,
            services.settings,
            services.sessions,
            services.proxy,
            self.scope,
            token,
            services.passing_on.tickets,
        )
        self.services.rate_limiter.take("sockets", principal.user.id)
        return principal

    def _on_unauthorized(self, reason: str) -> None:
        self.end(CloseReason.from_error(errors.Unauthorized(reason)))

    def _allowed(self, message: bytes, now: float) -> bool:
        """Whether a message is handled; if not, the socket is closed."""
        reason = self._message_limits.violation(
            message,
            now,
            self.services.settings.sockets,
            is_text=self._protocol.is_text,
            binary_allowed=self._encoding.binary,
        )
        if reason is not None:
            self.end(reason)
        return reason is None

    def _close(self, reason: CloseReason) -> None:
        self.close(reason.code, reason.reason.encode()[:_MAX_REASON].decode(errors="ignore"))
