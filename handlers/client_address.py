"""Where a request comes from, and its id: from the connection, or from the headers of a proxy that is trusted.

Runs on the loop.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from socket import AF_UNIX, AddressFamily
from typing import Protocol

from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest

_SCHEMES = ("http", "https")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._=+/-]{1,100}\Z")
_LOCAL = "127.0.0.1"  # what connects through a Unix socket is on this machine
_MAX_FORWARDED = 20  # entries of X-Forwarded-For that are read


class UnreadBody(Protocol):
    """The rest of a request whose body has not come yet."""

    def answer_early(self) -> HTTPConnection:
        """What to write an answer to that does not wait for the body."""


@dataclass(slots=True)
class RequestContext:
    """Who sends one request; Tornado reads `remote_ip` and `protocol` as the request's.

    `peer` is the other end of the connection: the client, or the last proxy. `unread_body` is None once the body has
    come, `on_authenticated` is called when the sender turned out to be a user. With `streams_body` the handler takes
    a body of any length, as it comes.
    """

    remote_ip: str
    protocol: str
    request_id: str
    peer: str
    authenticated: bool = False
    unread_body: UnreadBody | None = None
    on_authenticated: Callable[[], None] = lambda: None
    streams_body: bool = False

    def __str__(self) -> str:
        return self.remote_ip


def client_address(request: HTTPServerRequest) -> str:
    """The IP address of the client, behind trusted proxies too."""
    return _context(request).remote_ip


def request_id(request: HTTPServerRequest) -> str:
    """The id of the request in answers, log and audit trail: one of our own, or a trusted proxy's X-Request-Id."""
    return _context(request).request_id


def mark_authenticated(request: HTTPServerRequest) -> None:
    """The sender of the request is a user: it may send a larger body, and its connection is not closed for others."""
    context = _context(request)
    context.authenticated = True
    context.on_authenticated()


def accept_large_body(request: HTTPServerRequest) -> None:
    """The handler limits the body of the request itself, and has seen to it that its sender may send one."""
    _context(request).streams_body = True


def answer_early(request: HTTPServerRequest) -> None:
    """Have the request answered at once, if its body has not come yet; what comes of it then is dropped."""
    unread = _context(request).unread_body
    if unread is not None:
        request.connection = unread.answer_early()


def from_trusted_proxy(request: HTTPServerRequest, trusted_proxies: tuple[str, ...]) -> bool:
    """Whether a trusted proxy has sent the request, so that its headers count."""
    return is_trusted(_context(request).peer, trusted_proxies)


def peer_address(address: tuple[object, ...] | str | bytes, family: AddressFamily | int | None) -> str:
    """The IP address of a connection's other end, from what `accept` returned."""
    if family == AF_UNIX or not isinstance(address, tuple):
        return _LOCAL
    parsed = _parsed(str(address[0]))
    return str(address[0]) if parsed is None else str(parsed)


def is_trusted(address: str, trusted_proxies: tuple[str, ...]) -> bool:
    """Whether the address is that of a trusted proxy."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in _networks(trusted_proxies))


def request_context(
    peer: str, headers: HTTPHeaders, trusted_proxies: tuple[str, ...], protocol: str = "http"
) -> RequestContext:
    """The context of a request that came from `peer`; only a trusted proxy's headers count."""
    if not is_trusted(peer, trusted_proxies):
        return RequestContext(peer, protocol, secrets.token_hex(8), peer)
    forwarded = headers.get("X-Forwarded-For", "").split(",")[-_MAX_FORWARDED:]
    given_id = headers.get("X-Request-Id", "")
    scheme = headers.get("X-Forwarded-Proto", "").split(",")[-1].strip().lower()
    return RequestContext(
        _first_untrusted(peer, forwarded, trusted_proxies),
        scheme if scheme in _SCHEMES else protocol,
        given_id if _REQUEST_ID.match(given_id) else secrets.token_hex(8),
        peer,
    )


def _first_untrusted(peer: str, forwarded: Sequence[str], trusted_proxies: tuple[str, ...]) -> str:
    """The last address of X-Forwarded-For that no trusted proxy has: what stands before it anybody may have written."""
    address = peer
    for entry in reversed(forwarded):
        parsed = _parsed(entry.strip())
        if parsed is None:
            break
        address = str(parsed)
        if not is_trusted(address, trusted_proxies):
            break
    return address


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


@lru_cache(maxsize=8)
def _networks(trusted_proxies: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ipaddress.ip_network(each) for each in trusted_proxies)


def _context(request: HTTPServerRequest) -> RequestContext:
    context = getattr(request.connection, "context", None)
    assert isinstance(context, RequestContext)
    return context
