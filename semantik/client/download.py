"""An answer that is read as it comes: the reader's pace is the sender's, and to close it ends the connection.

Tornado's HTTP client can do neither for an answer whose end nobody waits for. Runs on an asyncio loop.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient

from semantik.client.retries import NotSent
from semantik.core.errors import Unavailable

_CONNECT_S = 10.0
_SILENCE_S = 90.0  # event streams send a comment every 15 seconds
_CHUNKS = 4
_MAX_BYTES = 1 << 50


class Download(HTTPMessageDelegate):
    """`status`, `reason` and `headers` of an answer, whose body `chunks` yields."""

    def __init__(self, stream: IOStream, url: str) -> None:
        self._stream = stream
        self._url = url
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue(_CHUNKS)
        self._started = asyncio.Event()
        self._finished = False
        self._reading: asyncio.Future[bool] | None = None
        self.status, self.reason, self.headers = 0, "", HTTPHeaders()

    @classmethod
    async def open(cls, url: str, method: str, headers: Mapping[str, str], body: bytes) -> Download:
        """Send a request and wait for the beginning of its answer. Raises NotSent and Unavailable."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        context = ssl.create_default_context() if secure else None
        try:
            async with asyncio.timeout(_CONNECT_S):
                stream = await TCPClient().connect(
                    parts.hostname or "", port, ssl_options=context, max_buffer_size=1 << 24
                )
        except (OSError, TimeoutError) as error:
            reason = getattr(error, "strerror", None) or error or "no connection in time"
            raise NotSent(f"{url} does not answer: {reason}.") from error
        download = cls(stream, url)
        try:
            await download._send(
                method, parts.path + (f"?{parts.query}" if parts.query else ""), parts.netloc, headers, body
            )
        except BaseException:
            download.close()
            raise
        return download

    async def _send(
        self, method: str, target: str, host: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        parameters = HTTP1ConnectionParameters(no_keep_alive=True, max_body_size=_MAX_BYTES)
        connection = HTTP1Connection(self._stream, True, parameters)
        length = {"Content-Length": str(len(body))} if body else {}
        sent = HTTPHeaders({"Host": host, "Connection": "close", **length, **headers})
        await connection.write_headers(RequestStartLine(method, target, "HTTP/1.1"), sent, body or None)
        connection.finish()
        self._reading = asyncio.ensure_future(connection.read_response(self))
        self._reading.add_done_callback(self._read)
        with suppress(TimeoutError):
            async with asyncio.timeout(_SILENCE_S):
                await self._started.wait()
        if not self.status:
            raise Unavailable(f"{self._url} does not answer.")

    def _read(self, reading: asyncio.Future[bool]) -> None:
        """Reading has ended; how is seen by whether the answer has finished."""
        self._started.set()
        if not reading.cancelled():
            reading.exception()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body. Raises Unavailable when the connection is lost before its end."""
        assert self._reading is not None
        while not (self._reading.done() and self._chunks.empty()):
            getting = asyncio.ensure_future(self._chunks.get())
            both: set[asyncio.Future[Any]] = {getting, self._reading}
            await asyncio.wait(both, timeout=_SILENCE_S, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                yield getting.result()
                continue
            getting.cancel()
            if not self._reading.done():
                raise Unavailable(f"{self._url} has sent nothing for {_SILENCE_S:g} s.")
        if not self._finished:
            raise Unavailable(f"{self._url}: the connection was lost before the end of the answer.")

    def close(self) -> None:
        """End the connection, wherever the answer is."""
        self._stream.close()
        self._finished = True
        while not self._chunks.empty():  # so that what waits for room there can end
            self._chunks.get_nowait()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        assert isinstance(start_line, ResponseStartLine)
        self.status, self.reason, self.headers = start_line.code, start_line.reason, headers
        self._started.set()

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return None if self._finished else self._chunks.put(chunk)

    def finish(self) -> None:
        self._finished = True
