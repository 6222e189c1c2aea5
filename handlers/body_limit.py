"""Stands before every door: a body over the limit gets its 413 and is never kept. Runs on the loop.

Tornado alone would close the connection without a word. The answer is written as soon as the size is known; what the
client still sends is then read and dropped for a while, because closing at once would take the answer from it.
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

from handlers.base import SECURITY_HEADERS, problem

log = logging.getLogger("semantik.http")

READ_ALL = sys.maxsize  # for Tornado's own limit, which this one stands in for
_DROP_BYTES = 256 << 20
_DROP_S = 30.0
_MOST_DIGITS = 18  # of a length that is worth reading as a number
_STATUS = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class BodyLimit(HTTPServerConnectionDelegate):
    """Lets bodies of at most `most()` bytes through to `doors`."""

    def __init__(self, doors: HTTPServerConnectionDelegate, most: Callable[[], int]) -> None:
        self._doors = doors
        self._most = most

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        assert isinstance(request_conn, HTTP1Connection)
        return _Body(self._doors.start_request(server_conn, request_conn), request_conn, self._most())

    def on_close(self, server_conn: object) -> None:
        self._doors.on_close(server_conn)


class _Body(HTTPMessageDelegate):
    """One request on its way to its door, or refused: then its answer is `_written`."""

    def __init__(self, door: HTTPMessageDelegate, connection: HTTP1Connection, most: int) -> None:
        self._door = door
        self._connection = connection
        self._most = most
        self._received = 0
        self._written: asyncio.Future[None] | None = None
        self._method = self._path = ""

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        self._method, self._path = start_line.method, start_line.path.partition("?")[0]
        length = headers.get("Content-Length", "")
        if length.isdecimal() and (len(length) > _MOST_DIGITS or int(length) > self._most):
            self._refuse()
            if "Expect" in headers:  # the client waits with its body
                self._connection.finish()
            return None
        return self._door.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._received += len(chunk)
        if self._written is None:
            if self._received <= self._most:
                return self._door.data_received(chunk)
            self._door.on_connection_close()  # the length of a chunked body shows only now
            self._refuse()
        if self._received > _DROP_BYTES:
            self._connection.finish()
        return None

    def finish(self) -> None:
        if self._written is None:
            self._door.finish()
        else:
            self._written.add_done_callback(lambda _: self._connection.close())

    def on_connection_close(self) -> None:
        if self._written is None:
            self._door.on_connection_close()

    def _refuse(self) -> None:
        log.info("%3d %-6s %8s    %s", _STATUS, self._method, "", self._path)
        body = json.dumps(problem(_STATUS, f"The body may have {self._most} bytes at most.")).encode()
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
