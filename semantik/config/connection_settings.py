"""The settings of connections and requests: how many, how long, how often.

Part of `Settings`; see `settings.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from semantik.config.fields import at_least, between, reloadable, setting


@dataclass(frozen=True)
class ConnectionSettings:
    """How many connections the server keeps open, and how long it waits for their requests."""

    total: int = setting(
        4096, between(16, 1_000_000), "Connections open at once; the limit of open files may allow fewer."
    )
    per_address: int = reloadable(
        1024, at_least(1), "The same from one address (IPv6: a /64 network) that is no trusted proxy."
    )
    anonymous: int = reloadable(
        512,
        at_least(1),
        "The same that have not signed in; then the one that has waited longest for its request is closed.",
    )
    header_s: float = reloadable(
        10.0, at_least(0.1), "Seconds for a request's headers, from their first byte or from the connection."
    )
    body_s: float = reloadable(30.0, at_least(0.1), "Seconds for a request's body.")
    idle_s: float = reloadable(75.0, at_least(0.1), "Seconds that a connection waits for its next request.")
    write_s: float = reloadable(
        60.0, at_least(0.1), "A client that reads nothing of an answer for this long is disconnected."
    )
    anonymous_body_bytes: int = reloadable(
        16 << 10, at_least(1024), "A larger body of a request that has not signed in is refused."
    )


@dataclass(frozen=True)
class RateLimitSettings:
    """Requests per second of one user, or of one address that has not signed in; 0 is any number."""

    search_per_s: float = reloadable(30.0, between(0, 1e6), "Searches, suggestions and similar chunks.")
    read_per_s: float = reloadable(50.0, between(0, 1e6), "All other requests that change nothing.")
    write_per_s: float = reloadable(20.0, between(0, 1e6), "All other requests that change something.")
    sign_in_per_s: float = reloadable(
        5.0, between(0, 1e6), "Requests to sign in, register and refresh, of one address."
    )
    sockets_per_s: float = reloadable(10.0, between(0, 1e6), "WebSockets that are opened.")
    burst_s: float = reloadable(
        10.0, between(1, 3600), "What was not used in this time before may be used at once."
    )
