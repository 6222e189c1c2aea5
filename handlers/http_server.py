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
from semantik.config.settings import Settings

_FINISH_S = 1.0  # for requests in progress, when the server stops


@asynccontextmanager
async def serving(
    app: Application, sockets: list[socket], current: Callable[[], Settings]
) -> AsyncIterator[None]:
    """Accept connections on `sockets` while inside; `current()` are the settings of the moment."""
    http = HTTPServer(BodyLimit(app, current), max_body_size=UNLIMITED)
    http.add_sockets(sockets)
    try:
        yield
    finally:
        http.stop()
        close_sockets(app)
        with suppress(TimeoutError):  # requests that hang are cut off
            async with asyncio.timeout(_FINISH_S):
                await http.close_all_connections()
