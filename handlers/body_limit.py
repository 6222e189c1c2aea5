"""Limits the size of a request's body before any handler sees it; a larger one gets 413. Runs on the loop.

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

from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from handlers.base import SECURITY_HEADERS
from handlers.problems import problem

log = logging.getLogger("semantik.http")

UNLIMITED = sys.maxsize  # for Tornado's own limit, which this one replaces
_DROP_BYTES = 256 << 20
_DROP_S = 30.0
_MAX_DIGITS = 18  # of a length that is parsed as a number
_STATUS = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class BodyLimit(HTTPServerConnectionDelegate):
    """Passes requests with bodies of at most `limit()` bytes on to `application`."""

    def __init__(self, application: HTTPServerConnectionDelegate, limit: Callable[[], int]) -> None:
        self._application = application
        self._limit = limit

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        assert isinstance(request_conn, HTTP1Connection)
        delegate = self._application.start_request(server_conn, request_conn)
        return _LimitedRequest(delegate, request_conn, self._limit())

    def on_close(self, server_conn: object) -> None:
        self._application.on_close(server_conn)


class _LimitedRequest(HTTPMessageDelegate):
    """One request, passed on to `delegate` or refused: then its answer is `_written`."""

    def __init__(self, delegate: HTTPMessageDelegate, connection: HTTP1Connection, limit: int) -> None:
        self._delegate = delegate
        self._connection = connection
        self._limit = limit
        self._received = 0
        self._written: asyncio.Future[None] | None = None
        self._method = self._path = ""

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
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

    def _refuse(self) -> None:
        log.info("%3d %-6s %8s    %s", _STATUS, self._method, "", self._path)
        body = json.dumps(problem(_STATUS, f"The body may have {self._limit} bytes at most.")).encode()
        headers = HTTPHeaders(
            {
                **SECURITY_HEADERS,
                "Cache-Control": "no-store",
                "Content-Type": "application/problem+json",
                "Content-Length": str(len(body)),
                "Connection": "close",
            }
        )
        line = ResponseStartLine("HTTP/1.1", _STATUS, _STATUS.phrase)
        self._written = self._connection.write_headers(line, headers, b"" if self._method == "HEAD" else body)
        asyncio.get_running_loop().call_later(_DROP_S, self._connection.close)
