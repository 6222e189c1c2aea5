"""Serves the application over HTTP, and stops it: no new connections, then the sockets, then the open requests, which
are answered.

Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from socket import socket
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application

from handlers.client_address import is_trusted, peer_address
from handlers.http.connection_table import ConnectionTable
from handlers.http.listener import Listener, refuse
from handlers.http.refusal import too_many_connections
from handlers.http.request_guard import UNLIMITED, RequestGuard
from handlers.http.stream import HttpStream
from semantik.app.descriptors import connections_possible
from semantik.config.settings import Settings

_FINISH_S = 1.0  # for requests in progress, when the server stops
_PROXIES_S = 1.5  # a proxy that looks every second has seen by then that the server takes no connections


@asynccontextmanager
async def serving(
    app: Application, sockets: list[socket], current: Callable[[], Settings]
) -> AsyncIterator[asyncio.Task[None]]:
    """Accept connections on `sockets` while inside; `current()` are the settings of the moment.

    The task that is yielded enforces the time limits of connections; it never ends by itself.
    """
    total = connections_possible(current().connections.total)
    table = ConnectionTable(lambda: current().connections, total)
    # The guard limits headers and bodies, in size and time, in place of Tornado.
    http = HTTPServer(RequestGuard(app, current), max_body_size=UNLIMITED)

    def serve(accepted: socket, address: Any) -> None:
        peer = peer_address(address, accepted.family)
        connection = table.admit(peer, is_trusted(peer, current().trusted_proxies))
        if connection is None:
            refuse(accepted, too_many_connections())
            return
        stream = connection.stream = HttpStream(accepted, connection)
        http.handle_stream(stream, address)

    listener = Listener(sockets, serve, table.make_room)
    listener.start()
    sweeping = asyncio.create_task(table.run(), name="connection times")
    try:
        yield sweeping
    finally:
        listener.stop()
        http.conn_params.no_keep_alive = True  # answers say so from now on
        app.settings["streams"].shut_down()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PROXIES_S + _FINISH_S if table.has_proxies else _FINISH_S):
                await table.drain(_PROXIES_S)
        with suppress(TimeoutError):  # requests that hang are cut off
            async with asyncio.timeout(_FINISH_S):
                await http.close_all_connections()
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
