"""Passes a request on to another server that sees the folder, and its answer back as it comes. Runs on the loop.

A server that gets a request in this way passes it on no further. httpx2 is imported with the first such request.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from contextlib import suppress
from http import HTTPStatus

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPServerRequest
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from semantik.auth.peer_tickets import HEADER, PeerTickets
from semantik.auth.principal import Principal
from semantik.core.errors import Busy
from semantik.services.peers import Peers
from semantik.storage.mongo.instances import Instance

log = logging.getLogger("semantik.http")

_CONNECT_S = 5.0
_SILENCE_S = 90.0  # a disk may be slow there
_MOST = 32  # at the same time
_SENT = ("Range", "If-Range", "If-None-Match", "Content-Type")
_RETURNED = (
    "Content-Type",
    "Content-Length",
    "Content-Range",
    "Content-Disposition",
    "Content-Security-Policy",
    "X-Frame-Options",
    "Cross-Origin-Resource-Policy",
    "Cache-Control",
    "Accept-Ranges",
    "ETag",
    "Last-Modified",
)
_ANSWERS = frozenset(
    {
        HTTPStatus.OK,
        HTTPStatus.PARTIAL_CONTENT,
        HTTPStatus.NOT_MODIFIED,
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    }
)


def was_passed_on(request: HTTPServerRequest) -> bool:
    """Whether another server has passed the request on to this one."""
    return HEADER in request.headers


class PassingOn:
    """To one of the `peers`, who know the user by a ticket; so many requests at the same time."""

    def __init__(self, tickets: PeerTickets, peers: Peers) -> None:
        self.tickets = tickets
        self.peers = peers
        self._open = 0

    def ticket(self, principal: Principal, method: str, path: str) -> dict[str, str]:
        """The header that names the principal to another server."""
        return {HEADER: self.tickets.issue(principal, method, path)}

    async def answer(
        self, handler: RequestHandler, principal: Principal, path: str, label: str = "", body: bytes = b""
    ) -> bool:
        """Whether another server sees the path, and had what is asked for: then the handler has answered with it.

        `label` as in `Peers.seeing`. Raises Busy.
        """
        peers = [] if was_passed_on(handler.request) else await self.peers.seeing(path, label)
        if not peers:
            return False
        if self._open >= _MOST:
            raise Busy("Too many files are on their way from other servers: try again in a moment.", 5)
        await asyncio.to_thread(importlib.import_module, "httpx2")
        self._open += 1
        try:
            for peer in peers:
                if await self._ask(handler, principal, peer, body):
                    return True
            return False
        finally:
            self._open -= 1

    async def _ask(self, handler: RequestHandler, principal: Principal, peer: Instance, body: bytes) -> bool:
        import httpx2

        request = handler.request
        method = request.method or "GET"
        headers = self.ticket(principal, method, request.path) | {"Accept-Encoding": "identity"}
        headers |= {name: request.headers[name] for name in _SENT if name in request.headers}
        begun = False
        try:
            async with (
                httpx2.AsyncClient(
                    trust_env=False, timeout=httpx2.Timeout(_SILENCE_S, connect=_CONNECT_S), headers=headers
                ) as client,
                client.stream(method, f"{peer.peer_url}{request.uri}", content=body) as answer,
            ):
                if answer.status_code not in _ANSWERS:
                    return False
                begun = True
                handler.set_status(answer.status_code)
                for name in _RETURNED:
                    if name in answer.headers:
                        handler.set_header(name, answer.headers[name])
                with suppress(StreamClosedError):  # the client has enough
                    async for block in answer.aiter_raw():
                        handler.write(block)
                        await handler.flush()
        except (httpx2.HTTPError, OSError) as error:
            log.warning("The server %s at %s did not answer: %r", peer.host, peer.peer_url, error)
            connection = request.connection
            if begun and isinstance(connection, HTTP1Connection):
                connection.stream.close()  # a part is sent already: the client must see that the rest is missing
        return begun
