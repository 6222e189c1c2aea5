"""What happens to a request before any handler sees it: its sender is identified, its Host and its body are checked.

A refusal is written as soon as its reason is known; what the client still sends is then read and dropped for a while,
because closing at once would make the client lose the answer. A handler may also answer before the body has come
(`UnreadBody`): whoever may not send one need not be read. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

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
from handlers.http.allowed_hosts import host_allowed, host_name
from handlers.http.connection_table import Connection
from handlers.http.refusal import refusal
from handlers.http.stream import HttpStream
from semantik.config.settings import Settings

log = logging.getLogger("semantik.http")

UNLIMITED = sys.maxsize  # for Tornado's own limit, which this one replaces
_NO_HOST = "localhost"  # HTTP/1.0 need not name one; no browser speaks that
_DROP_BYTES = 256 << 20
_UPLOADS = re.compile(r"/api/v2/collections/[^/?]+/uploads(/[^/?]+)?(\?.*)?")
_MAX_DIGITS = 18  # of a length that is parsed as a number


class RequestGuard(HTTPServerConnectionDelegate):
    """Passes requests on to `application`, unless they are refused; `settings()` are the current ones."""

    def __init__(self, application: HTTPServerConnectionDelegate, settings: Callable[[], Settings]) -> None:
        self._application = application
        self._settings = settings

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        assert isinstance(request_conn, HTTP1Connection)
        assert isinstance(request_conn.stream, HttpStream)
        connection = request_conn.stream.connection
        connection.request_awaited()
        connection.is_upgraded = lambda: request_conn.stream is None
        delegate = self._application.start_request(server_conn, request_conn)
        return _GuardedRequest(delegate, request_conn, connection, self._settings)

    def on_close(self, server_conn: object) -> None:
        self._application.on_close(server_conn)


class _EarlyAnswer(HTTPConnection):
    """What a handler writes to that answers before the request's body has come: `on_finish` decides when it ends."""

    def __init__(self, http: HTTP1Connection, on_finish: Callable[[], None]) -> None:
        self.context = http.context
        self._http = http
        self._on_finish = on_finish

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> asyncio.Future[None]:
        return self._http.write_headers(start_line, headers, chunk)

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        return self._http.write(chunk)

    def finish(self) -> None:
        self._on_finish()

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        self._http.set_close_callback(callback)


class _GuardedRequest(HTTPMessageDelegate):
    """One request, passed on to `delegate` or refused. `_refused`: its answer is written once this is done."""

    def __init__(
        self,
        delegate: HTTPMessageDelegate,
        http: HTTP1Connection,
        connection: Connection,
        settings: Callable[[], Settings],
    ) -> None:
        self._delegate = delegate
        self._http = http
        self._connection = connection
        self._settings = settings
        self._received = self._dropped = 0
        self._refused: asyncio.Future[None] | None = None
        self._answered_early = self._passed_on = False
        self._method = self._path = ""
        self._context: RequestContext

    # What Tornado calls.

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        settings = self._settings()
        self._method, self._path = start_line.method, start_line.path.partition("?")[0]
        self._http.context = self._context = self._identify(headers, settings)
        self._connection.headers_received(self._on_body_timeout)
        host = host_name(headers.get("Host", _NO_HOST))
        if host is None:
            self._refuse(HTTPStatus.BAD_REQUEST, "The header Host is malformed.")
        elif not host_allowed(host, settings.host, _own_names(settings)):
            detail = f"This server does not answer to the name {host[:100]!r}; allowed_hosts can add it."
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, detail)
        elif (length := _length(headers)) > settings.max_body_bytes and not _is_upload(start_line):
            self._refuse_body(settings.max_body_bytes)
        else:
            self._passed_on = True
            prepared = self._delegate.headers_received(start_line, headers)
            if length <= settings.connections.anonymous_body_bytes:
                return prepared
            return self._admit_body(prepared, length)
        if "Expect" in headers:  # the client waits with its body
            self._http.finish()
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._received += len(chunk)
        if self._received > self._limit():
            self._refuse_body(self._limit())
        if self._refused is None and not self._answered_early:
            if self._context.streams_body:
                self._connection.body_goes_on()
            return self._delegate.data_received(chunk)
        self._dropped += len(chunk)
        if self._dropped > _DROP_BYTES:
            self._http.finish()
        return None

    def finish(self) -> None:
        self._connection.request_complete()
        if self._refused is not None:
            self._refused.add_done_callback(lambda _: self._http.close())
            return
        self._context.unread_body = None
        self._delegate.finish()
        if self._answered_early:
            self._http.finish()

    def on_connection_close(self) -> None:
        if self._refused is None:
            self._delegate.on_connection_close()

    # What a handler calls, as an UnreadBody.

    def answer_early(self) -> HTTPConnection:
        """What to write an answer to that does not wait for the body; the body is dropped then."""
        return _EarlyAnswer(self._http, self._on_early_answer)

    # What follows is private.

    def _on_early_answer(self) -> None:
        self._answered_early = True

    def _identify(self, headers: HTTPHeaders, settings: Settings) -> RequestContext:
        """The request's context, in place of that of the connection, which is the same for all its requests."""
        at = cast(_HTTPRequestContext, self._http.context)
        peer = peer_address(at.address, at.address_family)
        context = request_context(peer, headers, settings.trusted_proxies, at.protocol)
        context.unread_body, context.on_authenticated = self, self._connection.signed_in
        return context

    def _limit(self) -> int:
        settings = self._settings()
        anonymous = settings.connections.anonymous_body_bytes
        if self._context.streams_body:
            return UNLIMITED
        if self._context.authenticated:
            return settings.max_body_bytes
        return min(settings.max_body_bytes, anonymous)

    async def _admit_body(self, prepared: Awaitable[None] | None, length: int) -> None:
        """Refuse a body that only a user may send, or only to that handler, once the handler knows who sends it."""
        if prepared is not None:
            await prepared
        limit = self._limit()
        if (not self._context.authenticated or length > limit) and not self._answered_early:
            self._refuse_body(limit)

    def _refuse_body(self, limit: int) -> None:
        if self._refused is None and not self._answered_early:
            before = "" if limit == self._settings().max_body_bytes else " before you have signed in"
            detail = f"The body may have {limit} bytes at most{before}."
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)

    def _on_body_timeout(self) -> None:
        if self._refused is None and not self._answered_early:
            limit_s = self._settings().connections.body_s
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"The body did not come within {limit_s:g} s.")
            assert self._refused is not None
            self._refused.add_done_callback(lambda _: self._http.close())
        else:
            self._http.close()

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        sender = self._context
        log.info(
            "%3d %-6s %8s    %s %s %s",
            *(status, self._method, "", sender.request_id, sender.remote_ip, self._path),
        )
        if self._passed_on:
            self._delegate.on_connection_close()
        headers, body = refusal(status, detail, sender)
        line = ResponseStartLine("HTTP/1.1", status, status.phrase)
        self._refused = self._http.write_headers(line, headers, b"" if self._method == "HEAD" else body)


def _is_upload(line: RequestStartLine) -> bool:
    """Whether it is a request with files, whose handler takes a body of any length."""
    return line.method in ("POST", "PATCH") and _UPLOADS.fullmatch(line.path) is not None


def _own_names(settings: Settings) -> tuple[str, ...]:
    """`allowed_hosts`, and the name under which other servers know this one."""
    name = host_name(urlsplit(settings.peer_url).netloc) if settings.peer_url else None
    return (*settings.allowed_hosts, name) if name else settings.allowed_hosts


def _length(headers: HTTPHeaders) -> int:
    """The announced length of the body; 0 where none is announced, or where Tornado will refuse it."""
    length = headers.get("Content-Length", "")
    if not length.isdecimal():
        return 0
    return UNLIMITED if len(length) > _MAX_DIGITS else int(length)
