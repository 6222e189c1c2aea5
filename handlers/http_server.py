"""Serves the application over HTTP, and stops it: no new connections, then the sockets, then the open requests.

Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from socket import socket

from tornado.httpserver import HTTPServer
from tornado.web import Application

from handlers.body_limit import UNLIMITED, BodyLimit
from handlers.sockets.base import close_sockets

_FINISH_S = 1.0  # for requests in progress, when the server stops


@asynccontextmanager
async def serving(
    app: Application, sockets: list[socket], max_body_bytes: Callable[[], int]
) -> AsyncIterator[None]:
    """Accept connections on `sockets` while inside; `max_body_bytes()` is the current limit of a request's body."""
    # Of a proxy's X- headers only the scheme matters: whether the session cookie is for TLS alone.
    http = HTTPServer(BodyLimit(app, max_body_bytes), max_body_size=UNLIMITED, xheaders=True)
    http.add_sockets(sockets)
    try:
        yield
    finally:
        http.stop()
        close_sockets(app)
        with suppress(TimeoutError):  # requests that hang are cut off
            async with asyncio.timeout(_FINISH_S):
                await http.close_all_connections()
