"""What happens to a request before any handler sees it: its sender is identified, and a large body refused with 413.

Runs on the loop.

Tornado alone would close the connection without an answer. The answer is written as soon as the size is known; what the
client still sends is then read and dropped for a while, because closing at once would make the client lose the answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import _HTTPRequestContext
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from handlers.client_address import RequestContext, peer_address, request_context
from handlers.problems import problem
from handlers.security_headers import security_headers
from semantik.config.settings import Settings

log = logging.getLogger("semantik.http")

UNLIMITED = sys.maxsize  # for Tornado's own limit, which this one replaces
_DROP_BYTES = 256 << 20
_DROP_S = 30.0
_MAX_DIGITS = 18  # of a length that is parsed as a number
_STATUS = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class BodyLimit(HTTPServerConnectionDelegate):
    """Passes requests on to `application`, unless their bodies are too large; `settings()` are the current ones."""

    def __init__(self, application: HTTPServerConnectionDelegate, settings: Callable[[], Settings]) -> None:
        self._application = application
        self._settings = settings

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        assert isinstance(request_conn, HTTP1Connection)
        delegate = self._application.start_request(server_conn, request_conn)
        return _LimitedRequest(delegate, request_conn, self._settings())

    def on_close(self, server_conn: object) -> None:
        self._application.on_close(server_conn)


class _LimitedRequest(HTTPMessageDelegate):
    """One request, passed on to `delegate` or refused: then its answer is `_written`."""

    def __init__(
        self, delegate: HTTPMessageDelegate, connection: HTTP1Connection, settings: Settings
    ) -> None:
        self._delegate = delegate
        self._connection = connection
        self._trusted_proxies = settings.trusted_proxies
        self._limit = settings.max_body_bytes
        self._received = 0
        self._written: asyncio.Future[None] | None = None
        self._method = self._path = ""

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        self._connection.context = self._context = self._identify(headers)
        self._method, self._path = start_line.method, start_line.path.partition("?")[0]
        length = headers.get("Content-Length", "")
        if length.isdecimal() and (len(length) > _MAX_DIGITS or int(length) > self._limit):
            self._refuse()
            if "Expect" in headers:  # the client waits with its body
                self._connection.finish()
            return None
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._received += len(chunk)
        if self._written is None:
            if self._received <= self._limit:
                return self._delegate.data_received(chunk)
            self._delegate.on_connection_close()  # the length of a chunked body is known only now
            self._refuse()
        if self._received > _DROP_BYTES:
            self._connection.finish()
        return None

    def finish(self) -> None:
        if self._written is None:
            self._delegate.finish()
        else:
            self._written.add_done_callback(lambda _: self._connection.close())

    def on_connection_close(self) -> None:
        if self._written is None:
            self._delegate.on_connection_close()

    def _identify(self, headers: HTTPHeaders) -> RequestContext:
        """The request's context, in place of that of the connection, which is the same for all its requests."""
        at = cast(_HTTPRequestContext, self._connection.context)
        peer = peer_address(at.address, at.address_family)
        return request_context(peer, headers, self._trusted_proxies, at.protocol)

    def _refuse(self) -> None:
        sender = self._context
        log.info(
            "%3d %-6s %8s    %s %s %s",
            *(_STATUS, self._method, "", sender.request_id, sender.remote_ip, self._path),
        )
        detail = f"The body may have {self._limit} bytes at most."
        body = json.dumps(problem(_STATUS, detail, sender.request_id)).encode()
        headers = HTTPHeaders(
            {
                **security_headers(sender.protocol),
                "X-Request-Id": sender.request_id,
                "Cache-Control": "no-store",
                "Content-Type": "application/problem+json",
                "Content-Length": str(len(body)),
                "Connection": "close",
            }
        )
        line = ResponseStartLine("HTTP/1.1", _STATUS, _STATUS.phrase)
        self._written = self._connection.write_headers(line, headers, b"" if self._method == "HEAD" else body)
        asyncio.get_running_loop().call_later(_DROP_S, self._connection.close)
